"""What a system is, and how one is trained: the trainer, its batches, precision and resume."""
