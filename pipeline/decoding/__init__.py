"""Speech recognition with a dictionary: network of words, beam search, lattices, n-best lists."""
