"""Word language models: the probability of every word of a text, given the words before it."""
