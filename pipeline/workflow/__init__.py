"""Stages of a suite run by DVC, side by side: the graph, the plan, the calls, the forks."""
