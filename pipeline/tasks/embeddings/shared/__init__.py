"""What features, scoring and systems of the word vectors share."""
