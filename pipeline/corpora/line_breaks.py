"""Texts of several lines in a model of characters, which takes a newline for the end of a text.

Every text of characters is closed by its newline (`pipeline.corpora.kinds.Line`), so that a model
learns where a line ends. Where a text has lines of its own, a function, say, it keeps that end, and
another character stands for the line breaks within it.
"""

BREAK = "\N{RETURN SYMBOL}"
END = "\n"


def as_item(text: str) -> str:
    """A text of several lines as an item of one, still without its end."""
    return text.replace("\r\n", "\n").replace("\n", BREAK)


def as_text(item: str) -> str:
    """An item, with its end or without, as the text of several lines that it stands for."""
    return item.removesuffix(END).replace(BREAK, "\n")
