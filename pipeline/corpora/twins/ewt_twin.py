"""The embedded twin of UD English EWT: tagged sentences of the project's own grammar.

The grammar draws the words together with their Penn Treebank tags. Names and the first word of a
sentence get a capital and a full stop closes it, so that spelling says something and not
everything. A part of the lexicon is withheld from the training sentences: every n-th word of each
large class, with all its forms, is met in dev and test for the first time. A string of the grammar
has one derivation, so its words determine its tags: somebody who knows the grammar makes no error.
Sentences in a row make documents, as many to each as the treebank's test documents have on average,
so that the pipeline's way with documents is met here too.
"""

from dataclasses import fields, replace
from pathlib import Path
from random import Random
from typing import Self

from pydantic import Field

from pipeline.corpora.twins.grammar import english
from pipeline.corpora.twins.grammar.lexicon import FULL, Lexicon
from pipeline.corpora.twins.grammar.rules import build
from pipeline.corpora.twins.grammar.synchronous import Grammar, leaves
from pipeline.entries import Twin
from pipeline.storage.files import write_text
from pipeline.storage.words import words_in

# Smaller classes stay whole: a grammar needs a few words of each.
LARGE_CLASS = 9
SENTENCES_OF_A_DOCUMENT = 7  # 2,077 sentences of the treebank's test split in 316 documents


class TwinSettings(Twin):
    """The embedded twin: sentences of each split, and which words training never sees."""

    seed: int = Field(ge=0)
    train: int = Field(ge=1)
    dev: int = Field(ge=1)
    test: int = Field(ge=1)
    withheld: int = Field(ge=2, description="of each large class, every how-manieth word")

    def smallest(self) -> Self:
        return self.model_copy(update={"train": 60, "dev": 20, "test": 20})


def write_twin(twin: TwinSettings, directory: Path) -> None:
    """Write the CoNLL-U files of the three splits into `directory`."""
    for number, (split, size) in enumerate(
            {"train": twin.train, "dev": twin.dev, "test": twin.test}.items()):
        grammar = build(known(FULL, twin.withheld)) if split == "train" else english.grammar()
        random = Random(3 * twin.seed + number)
        write_text(directory / f"en_ewt-ud-{split}.conllu", "".join(
            f"{_newdoc(split, index)}{_conllu(f'{split}-{index:05d}', *draw(grammar, random))}"
            for index in range(1, size + 1)))


def known(lexicon: Lexicon, withheld: int) -> Lexicon:
    """The lexicon without every `withheld`-th word of its large classes."""
    return replace(lexicon, **{
        field.name: " ".join(word for rank, word in enumerate(words, start=1) if rank % withheld)
        for field in fields(lexicon)
        if len(words := words_in(getattr(lexicon, field.name))) > LARGE_CLASS})


def draw(grammar: Grammar, random: Random) -> tuple[list[str], list[str]]:
    """Words and Penn Treebank tags of a sentence, as they are written."""
    sentence = leaves(grammar.sample(random))
    tags = [leaf.word.tag for leaf in sentence]
    words = [word.capitalize() if tag == "NNP" or place == 0 else word
             for place, (word, tag) in enumerate(zip(english.spelled(sentence), tags,
                                                     strict=True))]
    return [*words, "."], [*tags, "."]


_UNIVERSAL = {
    "NN": "NOUN", "NNS": "NOUN", "NNP": "PROPN", "PRP": "PRON", "PRP$": "PRON", "WP": "PRON",
    "WDT": "PRON", "DT": "DET", "JJ": "ADJ", "RB": "ADV", "MD": "AUX", "CC": "CCONJ",
    "CD": "NUM", "TO": "PART", "IN": "ADP", ".": "PUNCT",
    **dict.fromkeys(("VB", "VBD", "VBG", "VBN", "VBP", "VBZ"), "VERB")}
_AUXILIARIES = frozenset(["is", "was", "are", "were", "be", "has", "have"])
_SUBORDINATING = frozenset(["if", "that", "because", "although", "before", "while", "after"])


def universal(word: str, tag: str) -> str:
    """The universal tag of a word with a Penn Treebank tag, in this grammar."""
    if tag.startswith("VB") and word.lower() in _AUXILIARIES:
        return "AUX"
    if tag == "IN" and word.lower() in _SUBORDINATING:
        return "SCONJ"
    return _UNIVERSAL[tag]


def _newdoc(split: str, index: int) -> str:
    """The line that begins a document, before its first sentence, '' before others."""
    document, place = divmod(index - 1, SENTENCES_OF_A_DOCUMENT)
    return "" if place else f"# newdoc id = {split}-document-{document + 1:04d}\n"


def _conllu(identity: str, words: list[str], tags: list[str]) -> str:
    lines = [f"# sent_id = {identity}", f"# text = {' '.join(words[:-1])}{words[-1]}"]
    lines += ["\t".join([str(place), word, "_", universal(word, tag), tag, *"_____"])
              for place, (word, tag) in enumerate(zip(words, tags, strict=True), start=1)]
    return "\n".join(lines) + "\n\n"
