"""Points of grids, as recognisers keep them."""

from pipeline.tasks.asr.shared.grids import Tried


def pair(language: float, word: float, errors: int, words: int) -> Tried:
    return Tried({"language": language, "word": word}, errors, words)


def triple(language: float, word: float, mix: float, errors: int, words: int) -> Tried:
    return Tried({"language": language, "word": word, "mix": mix}, errors, words)
