"""The pictures on a leaderboard's page: scores with their doubts, and systems beside each other."""
