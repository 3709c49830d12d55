"""Forecasting competitions: predict the next points of many series at once."""
