"""What the features and the systems of speech recognition share."""
