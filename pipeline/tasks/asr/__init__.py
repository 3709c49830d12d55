"""Speech recognition: audio or published features in, words out, scored by word error rate."""
