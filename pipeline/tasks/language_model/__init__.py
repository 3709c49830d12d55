"""Language models: the probability of every unit of a text, word or character, given those before.

One task serves both units, since all that differs is what a text is cut into and how the same sum
of log-probabilities is reported: perplexity for words, bits a character for characters.
"""
