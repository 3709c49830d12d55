"""What features and systems share: M4's definitions and the storage of series."""
