"""Part-of-speech tagging: one tag for every word of a sentence."""
