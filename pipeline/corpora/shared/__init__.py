"""Code that several corpora use: downloads, archives, grammars, synthetic voices."""
