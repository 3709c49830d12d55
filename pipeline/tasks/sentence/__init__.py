"""Many to one: a word sequence in, one class out; sentiment, and answers to questions."""
