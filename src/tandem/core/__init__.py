"""What every room may use: records, masks, memory, decoding state, errors."""
