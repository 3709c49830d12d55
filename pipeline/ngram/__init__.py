"""N-gram language models: modified Kneser-Ney estimation, scoring, ARPA files."""
