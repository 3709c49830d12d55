"""Hidden Markov models without a task: Viterbi search and forward-backward sums."""
