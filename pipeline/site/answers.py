"""What a system said about a test item, in a form that a page can show, by the answer's keys.

An answer that has none of the known keys is shown as it stands in the file.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from pipeline.site.items import Item, Timed
from pipeline.storage.predictions import Prediction

_TEXTS = ("hypothesis", "sentence", "sum", "answer")
_MOST = 60  # numbers of an answer that are shown
_CLASSES = 3


@dataclass(frozen=True)
class Part:
    """A piece of an answer; `differs` where it is not what was to be said."""

    text: str
    differs: bool = False


@dataclass(frozen=True)
class ShownAnswer:
    """An answer: words, or numbers that become bars, or what was heard when, in seconds."""

    parts: Sequence[Part] = ()
    bars: Sequence[tuple[float, str]] = ()
    times: Sequence[Timed] = ()
    note: str = ""


def shown(prediction: Prediction, item: Item | None) -> ShownAnswer:
    """An answer beside what is known of its item."""
    for name in _TEXTS:
        if name in prediction:
            return _text(prediction, str(prediction[name]), item)
    if "tags" in prediction:
        return _tags(prediction["tags"], item)
    if "probabilities" in prediction:
        return _classes(prediction["probabilities"], item)
    if "nll" in prediction:
        return _surprises(prediction["nll"], item)
    if "begins" in prediction and "phones" in prediction:
        return _phones(prediction["phones"], prediction["begins"], item)
    if "neighbours" in prediction:
        return ShownAnswer([Part(", ".join(prediction["neighbours"]))])
    rest = {name: value for name, value in prediction.items() if name != "id"}
    return ShownAnswer([Part(_cut(json.dumps(rest, ensure_ascii=False)) if rest else "no answer")])


def _text(prediction: Mapping[str, Any], text: str, item: Item | None) -> ShownAnswer:
    times = [(str(word["word"]), float(word["begin"]), float(word["end"]))
             for word in prediction.get("words", [])]
    if not text.strip():
        return ShownAnswer([Part("(nothing)")], times=times)
    return ShownAnswer(_beside(text, item.right[0]) if item and item.right else [Part(text)],
                 times=times)


def _beside(text: str, reference: str) -> list[Part]:
    """The words of a text, and whether they belong to what it shares with the reference."""
    said, wanted = text.split(), reference.split()
    if len(wanted) < 2:
        return [Part(text, text != reference and not _same_number(text, reference))]
    same = SequenceMatcher(None, said, wanted, autojunk=False).get_matching_blocks()
    kept = {place for block in same for place in range(block.a, block.a + block.size)}
    return [Part(word, place not in kept) for place, word in enumerate(said)]


def _same_number(text: str, reference: str) -> bool:
    try:
        return abs(float(text) - float(reference)) < 0.05
    except ValueError:
        return False


def _tags(tags: Sequence[str], item: Item | None) -> ShownAnswer:
    if item is None or not item.right:
        return ShownAnswer([Part(tag) for tag in tags])
    wanted = item.right[0].split()
    words = [*item.units, *[""] * len(tags)][: len(tags)]
    return ShownAnswer([Part(f"{word}/{tag}" if word else tag, tag != right)
                        for tag, right, word in zip(tags, wanted, words, strict=False)])


def _classes(probabilities: Mapping[str, float], item: Item | None) -> ShownAnswer:
    best = sorted(probabilities.items(), key=lambda pair: (-pair[1], pair[0]))[:_CLASSES]
    wrong = bool(item and item.right and best[0][0] != item.right[0])
    first, *others = [f"{name} {100 * share:.0f} %" for name, share in best]
    return ShownAnswer([Part(first, wrong)], note=", ".join(others))


def _phones(phones: Sequence[str], begins: Sequence[float], item: Item | None) -> ShownAnswer:
    """Phones that follow one another; the last one lasts as long as the recording does."""
    last = begins[-1] if item is None or item.seconds is None else max(item.seconds, begins[-1])
    return ShownAnswer(times=[(phone, float(begin), float(end)) for phone, begin, end in zip(
        phones, begins, [*begins[1:], last], strict=True)])


def _surprises(nats: Sequence[float], item: Item | None) -> ShownAnswer:
    units = item.units if item else ()
    bars = [(value, units[place] if place < len(units) else str(place + 1))
            for place, value in enumerate(nats[:_MOST])]
    worst, name = max(bars, default=(0.0, ""))
    rest = len(nats) - len(bars)
    at = f"at “{name}”" if units else f"at position {name}"
    return ShownAnswer(bars=bars, note=f"most surprised {at}, {worst:.1f} nats"
                                 + (f"; the first {len(bars)} of {len(nats)}" if rest > 0 else ""))


def _cut(text: str) -> str:
    return text if len(text) <= 400 else f"{text[:400]} …"
