"""One to many: a picture in, a sentence about it out."""
