"""What features, scoring and systems of trajectories share."""
