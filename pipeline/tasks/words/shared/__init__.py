"""What systems of the words task share."""
