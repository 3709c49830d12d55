"""Vectors of words learnt from text, held against classes, relations and people's judgements."""
