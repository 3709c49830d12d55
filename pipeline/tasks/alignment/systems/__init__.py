"""The systems of this task, one module each."""
