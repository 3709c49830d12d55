"""The project's version, written here and nowhere else: the package and the command read it."""

VERSION = "0.1.0"
