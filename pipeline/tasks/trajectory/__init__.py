"""One to many: a start state in, the whole path that follows from it out."""
