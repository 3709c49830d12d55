"""Many to many, step by step: add two binary numbers, read from their least significant bits."""
