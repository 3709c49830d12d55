"""Generated language: an unambiguous probabilistic grammar of English and a verb-final one."""
