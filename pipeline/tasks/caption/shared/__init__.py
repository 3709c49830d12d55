"""What features, scoring and systems of captioning share."""
