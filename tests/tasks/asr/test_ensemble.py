"""Several recognisers as one: what members share, and what they do not."""
