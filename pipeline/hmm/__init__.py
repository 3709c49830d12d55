"""Hidden Markov models without a task: Viterbi search, forward-backward sums, alignment."""
