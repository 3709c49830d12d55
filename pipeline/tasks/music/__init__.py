"""Polyphonic music: which of a piano's 88 keys sound next, and pieces that a model composes."""
