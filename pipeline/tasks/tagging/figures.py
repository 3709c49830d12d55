"""Figures of a tagger: which tags it confuses, what it thinks of pairs of tags, and its errors."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipeline.drawing.parts import title
from pipeline.drawing.saving import row_of, save
from pipeline.drawing.style import SHARES, SIGNED, Styled
from pipeline.drawing.tables import confusion
from pipeline.storage.files import read_json, write_text
from pipeline.storage.predictions import Prediction, aligned
from pipeline.systems.base import System
from pipeline.tasks.tagging.shared.tagger import Tagger
from pipeline.tasks.tagging.shared.text import Text

TAGS_SHOWN = 30
CONFUSIONS = 25
SENTENCES = 20


@Styled()
def draw(system: System, predictions: dict[str, list[Prediction]], test: Path,
         directory: Path) -> None:
    """Write confusion-<variant>.png and errors-<variant>.txt, and transitions.png if it has any."""
    items, text = read_json(test / "items.json"), Text.read(test, "test")
    expected = [tag for item in items for tag in item["tags"]]
    for variant, answers in predictions.items():
        found = [tag for answer in aligned(answers, [item["id"] for item in items])
                 for tag in answer["tags"]]
        save(_confusion(expected, found, row_of(directory, variant)), directory,
             f"confusion-{variant}")
        write_text(directory / f"errors-{variant}.txt",
                   _errors(expected, found, items, text, system.spec["tags"]))
    if isinstance(system, Tagger) and (scores := system.transition_scores()) is not None:
        save(_transitions(*scores, system.spec["tags"], row_of(directory)), directory,
             "transitions")


def _confusion(expected: list[str], found: list[str], row: str) -> Figure:
    """Share of each found tag among the words of each correct tag, the most frequent tags."""
    known = Counter(expected)
    shown = [tag for tag, _ in known.most_common(TAGS_SHOWN)]
    places = {tag: place for place, tag in enumerate(shown)}
    counts = np.zeros((len(shown), len(shown)))
    for (right, given), count in Counter(zip(expected, found, strict=True)).items():
        if right in places and given in places:
            counts[places[right], places[given]] = count
    part = f", the {len(shown)} commonest of {len(known)} tags" if len(shown) < len(known) else ""
    wrong = sum(right != given for right, given in zip(expected, found, strict=True))
    return confusion(shown, counts, f"Which tag {row} takes for which{part}: {wrong} of "
                     f"{len(expected)} words wrong", ("correct tag", "tag given"),
                     np.array([known[tag] for tag in shown]))


def _transitions(what: str, scores: NDArray[np.float64], tags: list[str], row: str) -> Figure:
    """Scores of a tag (column) after a tag (row), with a sentence's beginning and end."""
    side = 2 + 0.2 * len(scores)
    figure = Figure(figsize=(side + 0.8, side))
    axes = figure.subplots()
    if what == "probability":
        image = axes.imshow(scores, cmap=SHARES, vmin=0, vmax=1)
    else:
        largest = float(np.abs(scores).max())
        image = axes.imshow(scores, cmap=SIGNED, vmin=-largest, vmax=largest)
    axes.set_xticks(range(len(scores)), [*tags, "(end)"], rotation=90)
    axes.set_yticks(range(len(scores)), [*tags, "(begin)"])
    axes.tick_params(length=0)
    axes.set(xlabel="next tag", ylabel="tag")
    figure.colorbar(image, ax=axes, shrink=0.6, label=f"{what} of the next tag after a tag")
    title(figure, f"What {row} thinks of pairs of tags")
    return figure


def _errors(expected: list[str], found: list[str], items: list[dict[str, Any]], text: Text,
            known: list[str]) -> str:
    """The commonest confusions, tags that training never saw, and sentences with errors."""
    wrong = Counter((right, given) for right, given in zip(expected, found, strict=True)
                    if right != given)
    lines = [f"{wrong.total()} of {len(expected)} words have a wrong tag", ""]
    new = Counter(tag for tag in expected if tag not in known)
    if new:
        lines += [f"{new.total()} words have a tag that training never saw: "
                  f"{', '.join(sorted(new))}", ""]
    lines += [f"{count:6d}  {right} tagged as {given}"
              for (right, given), count in sorted(wrong.items(), key=lambda item: (
                  -item[1], item[0]))[:CONFUSIONS]]
    shown = 0
    for item, start, end in zip(items, text.offsets[:-1], text.offsets[1:], strict=True):
        right, given = expected[start:end], found[start:end]
        if right != given and shown < SENTENCES:
            shown += 1
            words = [text.forms[word] for word in text.words[start:end]]
            lines += ["", f"{item['id']}  " + " ".join(
                f"{word}/{b}" if a == b else f"{word}/[{b}, not {a}]"
                for word, a, b in zip(words, right, given, strict=True))]
    return "\n".join(lines) + "\n"
