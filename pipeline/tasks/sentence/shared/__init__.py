"""What features, scoring and systems of sentence classification share."""
