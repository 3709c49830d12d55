"""Sound for every task: from recordings to frames and batches of them, and back."""
