"""Figures of a tagger: which tags it confuses, what it thinks of pairs of tags, and its errors."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipeline.storage.files import read_json, write_text
from pipeline.storage.png import save_png
from pipeline.storage.predictions import Prediction, aligned
from pipeline.systems.base import System
from pipeline.tasks.tagging.shared.tagger import Tagger
from pipeline.tasks.tagging.shared.text import Text

TAGS_SHOWN = 30
CONFUSIONS = 25
SENTENCES = 20


def draw(system: System, predictions: dict[str, list[Prediction]], test: Path,
         directory: Path) -> None:
    """Write confusion-<variant>.png and errors-<variant>.txt, and transitions.png if it has any."""
    items, text = read_json(test / "items.json"), Text.read(test, "test")
    expected = [tag for item in items for tag in item["tags"]]
    for variant, answers in predictions.items():
        found = [tag for answer in aligned(answers, [item["id"] for item in items])
                 for tag in answer["tags"]]
        save_png(_confusion(expected, found), directory / f"confusion-{variant}.png", dpi=110)
        write_text(directory / f"errors-{variant}.txt",
                   _errors(expected, found, items, text, system.spec["tags"]))
    if isinstance(system, Tagger) and (scores := system.transition_scores()) is not None:
        save_png(_transitions(*scores, system.spec["tags"]), directory / "transitions.png", dpi=110)


def _confusion(expected: list[str], found: list[str]) -> Figure:
    """Share of each found tag among the words of each correct tag, the most frequent tags."""
    shown = [tag for tag, _ in Counter(expected).most_common(TAGS_SHOWN)]
    places = {tag: place for place, tag in enumerate(shown)}
    counts = np.zeros((len(shown), len(shown)))
    for (right, given), count in Counter(zip(expected, found, strict=True)).items():
        if right in places and given in places:
            counts[places[right], places[given]] = count
    totals = np.array([expected.count(tag) for tag in shown])
    figure = Figure(figsize=(2 + 0.25 * len(shown),) * 2, layout="constrained")
    axes = figure.subplots()
    # The square root shows what happens to one word in a hundred.
    image = axes.imshow(np.sqrt(counts / totals[:, None]), cmap="gray_r", vmin=0, vmax=1)
    axes.set_xticks(range(len(shown)), shown, rotation=90)
    axes.set_yticks(range(len(shown)), shown)
    axes.set(xlabel="tag given", ylabel="correct tag")
    bar = figure.colorbar(image, ax=axes, shrink=0.6, ticks=np.sqrt([0, 0.01, 0.1, 0.5, 1]))
    bar.ax.set_yticklabels(["0", "1 %", "10 %", "50 %", "100 %"])
    return figure


def _transitions(what: str, scores: NDArray[np.float64], tags: list[str]) -> Figure:
    """Scores of a tag (column) after a tag (row), with a sentence's beginning and end."""
    figure = Figure(figsize=(2 + 0.25 * len(scores),) * 2, layout="constrained")
    axes = figure.subplots()
    if what == "probability":
        image = axes.imshow(scores, cmap="gray_r", vmin=0, vmax=1)
    else:
        largest = float(np.abs(scores).max())
        image = axes.imshow(scores, cmap="RdBu", vmin=-largest, vmax=largest)
    axes.set_xticks(range(len(scores)), [*tags, "(end)"], rotation=90)
    axes.set_yticks(range(len(scores)), [*tags, "(begin)"])
    axes.set(xlabel="next tag", ylabel="tag")
    figure.colorbar(image, ax=axes, shrink=0.6, label=what)
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
