"""What several systems of alignment have in common."""
