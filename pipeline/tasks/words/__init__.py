"""Many to one, over sound: a recording in, one class out; spoken words, and phones in context."""
