"""What a stage is made from: the settings, the code and the data behind every result."""
