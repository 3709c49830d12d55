"""The processes that generate embedded twins."""
