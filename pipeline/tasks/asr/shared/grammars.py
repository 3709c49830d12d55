"""Which words may follow which: the language models of recognisers with a dictionary.

"uniform" gives every word of the dictionary and the end of a sentence one probability wherever.
The others are n-gram models of the training transcripts, estimated by Witten and Bell's method,
which needs no counts of counts and so suits a few hundred sentences. The words of all are those of
the dictionary: one that no training sentence has shares what the estimate leaves to the unseen.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from pipeline.decoding.grammar import Grammar
from pipeline.ngram.model import NgramModel
from pipeline.ngram.witten_bell import estimate
from pipeline.storage.words import words_in

LanguageModel = Literal["uniform", "unigram", "bigram", "trigram"]
_ORDERS = {"unigram": 1, "bigram": 2, "trigram": 3}


def grammar(name: LanguageModel, transcripts: Sequence[str], words: Sequence[str]) -> Grammar:
    """The grammar over `words` of the dictionary, in their order.

    Words of transcripts are words of the dictionary. Raises UserError where the n-gram model is too
    large for one network.
    """
    if name == "uniform":
        return Grammar.uniform(len(words))
    return Grammar.of_ngrams(ngrams(name, transcripts, words), range(len(words)))


def ngrams(name: LanguageModel, transcripts: Sequence[str], words: Sequence[str]) -> NgramModel:
    """The n-gram model of transcripts, whose ids are places in `words`; the end's is the next."""
    ids = {word: number for number, word in enumerate(words)}
    end = len(words)
    tokens = np.array([token for text in transcripts
                       for token in (*(ids[word] for word in words_in(text)), end)], np.int64)
    return estimate(tokens, len(words) + 1, end, _ORDERS[name])
