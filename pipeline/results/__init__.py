"""What the scores of a suite say together: leaderboards, claims, and their pages."""
