"""Unrolled: reproducible leaderboards for recurrent networks and their classical rivals.

How data flows from a corpus to a leaderboard row, and which file owns each decision, is told in
docs/ARCHITECTURE.md.
"""
