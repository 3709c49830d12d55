"""Machine translation: encoder-decoder networks, scored by BLEU on detokenised text."""
