"""What features, scoring, figures and systems of music share."""
