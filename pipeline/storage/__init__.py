"""Files that the project writes and reads back: whole or not at all, the same bytes each time."""
