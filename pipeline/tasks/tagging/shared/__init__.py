"""What features, scoring and systems of the taggers share."""
