"""What the translation systems and their features have in common."""
