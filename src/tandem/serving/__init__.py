"""A trained model behind an HTTP interface, with pages to try it and to look inside."""
