"""What features, scoring, figures and systems of the memory laboratory share."""
