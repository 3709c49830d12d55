"""What the stages do with one corpus, track or system: extract, fit, evaluate, and measure cost."""
