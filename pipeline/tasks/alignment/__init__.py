"""Alignment: audio and what was said in, the time of every phone and word out."""
