"""The commands of the console script; none imports another."""
