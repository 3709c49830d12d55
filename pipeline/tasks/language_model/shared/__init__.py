"""What features, scoring and systems of the word language models share."""
