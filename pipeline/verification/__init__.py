"""Whether a commit reproduces what it says: retraining, rescoring and comparing in a clone."""
