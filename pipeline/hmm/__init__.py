"""Hidden Markov models without a task: search, sums, alignment, and acoustic models of speech."""
