"""Sentences of the probes of a translator into English.

Gender: sentences about one occupation whose pronouns tell no gender in the source. Degenerate
input: one content word repeated. A word's translation is the target word that it shares most
sentences with (Dice 1945), and only words with a clear one are repeated; nor those whose
translation is in every other text, such as articles.

Sentences about one occupation, and repetitions of one word, are answered much alike: each of these
is a cluster.
"""

import numpy as np
from pydantic import Field
from scipy import sparse

from pipeline.corpora.kinds import SentencePair
from pipeline.entries import Entry
from pipeline.errors import UserError
from pipeline.storage.words import words_in
from pipeline.tasks.translation.shared.probes import GENDER, MASCULINE

CLEAR = 0.8
FREQUENT = 10
COMMON = 0.1

Item = dict[str, str | float]


class DegenerateSettings(Entry):
    """How many words are repeated, and how often each."""

    words: int = Field(ge=1)
    repeats: list[int] = Field(min_length=1)


def masculine_shares(pairs: list[SentencePair]) -> dict[str, float]:
    """For each occupation the share of sentences whose first pronoun for it is masculine.

    Later pronouns agree with the first, so they are no further choice.
    """
    counts: dict[str, list[bool]] = {}
    for pair in pairs:
        first = {occupation: pronoun for occupation, pronoun in reversed(pair.references)}
        for occupation, pronoun in first.items():
            counts.setdefault(occupation, []).append(pronoun in MASCULINE)
    return {occupation: float(np.mean(found)) for occupation, found in counts.items()}


def gender_items(pairs: list[SentencePair], training: list[SentencePair]) -> list[Item]:
    """Items of the gender probe: `pairs` with the one occupation that their pronouns refer to.

    An occupation that training has no pronoun for has no share to compare with; its sentences are
    left out, and the count is printed. Raises UserError for a sentence without an occupation, and
    when none is left.
    """
    shares = masculine_shares(training)
    items: list[Item] = []
    for pair in pairs:
        if not pair.references:
            raise UserError(f"{pair.id} is no sentence for the gender probe: no pronoun of it "
                            "refers to an occupation; name another split as features.tests.gender")
        occupation = pair.references[0][0]
        if occupation in shares:
            items.append({"id": f"gender/{occupation}/{pair.id}", "condition": "gender",
                          "cluster": f"{GENDER}{occupation}",
                          "source": pair.source, "reference": pair.target,
                          "masculine_share": shares[occupation]})
    if not items:
        raise UserError("training has no pronoun for any occupation of the gender probe; enlarge "
                        "the corpus or leave features.tests.gender out")
    if len(items) < len(pairs):
        print(f"gender probe: {len(pairs) - len(items)} of {len(pairs)} sentences are left out, "
              "because training never refers to their occupation")
    return items


def degenerate_items(settings: DegenerateSettings, training: list[SentencePair]) -> list[Item]:
    """Items of the degenerate probe: words of all frequencies that have a clear translation.

    A smaller corpus may have fewer such words. Raises UserError when it has none.
    """
    clear = _clear_translations(training)
    if not clear:
        raise UserError("no source word of the training pairs has a clear translation to tell "
                        "related answers by; enlarge the corpus or leave features.degenerate out")
    chosen = np.unique(np.linspace(0, len(clear) - 1, settings.words).round().astype(int))
    return [{"id": f"degenerate/{word}/{count}", "condition": "degenerate",
             "cluster": f"degenerate/{word}",
             "source": " ".join([word] * count), "reference": "", "translation": translation}
            for word, translation in (clear[number] for number in chosen)
            for count in settings.repeats]


def _clear_translations(pairs: list[SentencePair]) -> list[tuple[str, str]]:
    """(source word, its translation), the most frequent first.

    Words in at least `FREQUENT` sentences whose Dice coefficient with the translation,
    2 n(both) / (n(source) + n(target)) with n counting sentences, is at least `CLEAR`; the
    translation is in at most `COMMON` of the sentences.
    """
    sources, source_words = _occurrences([pair.source for pair in pairs])
    targets, target_words = _occurrences([pair.target for pair in pairs])
    source_counts, target_counts = sources.sum(axis=0), targets.sum(axis=0)
    found = []
    for number in np.argsort(-source_counts, kind="stable"):
        if source_counts[number] < FREQUENT:
            break
        both = sources[:, [number]].T @ targets
        dice = 2 * both.toarray()[0] / (source_counts[number] + target_counts)
        best = int(dice.argmax())
        if dice[best] >= CLEAR and target_counts[best] <= COMMON * len(pairs):
            found.append((source_words[number], target_words[best]))
    return found


def _occurrences(sentences: list[str]) -> tuple[sparse.csc_array, list[str]]:
    """Which of the words, in the order of first use, each sentence has: 0 or 1, [sentences, words].
    """
    numbers: dict[str, int] = {}
    rows, columns = [], []
    for row, sentence in enumerate(sentences):
        for word in dict.fromkeys(words_in(sentence)):
            rows.append(row)
            columns.append(numbers.setdefault(word, len(numbers)))
    shape = (len(sentences), len(numbers))
    return sparse.csc_array((np.ones(len(rows)), (rows, columns)), shape=shape), list(numbers)
