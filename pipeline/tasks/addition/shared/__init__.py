"""What features, scoring and systems of addition share."""
