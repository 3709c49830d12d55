"""Pictures of aligners: what they draw is what was answered, and every axis says what it is."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import matplotlib.image
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from pipeline.audio.frames import Frames
from pipeline.storage.files import read_json
from pipeline.tasks.alignment import figures
from pipeline.tasks.alignment.shared.error_pictures import (
    MISSING,
    confused,
    confusion,
    errors,
    rounds,
    signed_errors,
)
from pipeline.tasks.alignment.shared.spoken import Clock

GOLD = {"phones": [("SIL", 0.0, 0.1), ("N", 0.1, 0.2), ("OW", 0.2, None), ("S", None, 0.4),
                   ("SIL", 0.4, 0.5)]}
ROUNDS = [{"epoch": epoch, "round": epoch // 3, "divergence": 3.0 / epoch, "median_ms": 20.0,
           "within_20": 50.0 + epoch} for epoch in range(1, 8)]


def labelled(figure: Figure) -> bool:
    """Whether every axis has its words, and every picture its title."""
    FigureCanvasAgg(figure).draw()
    axes = [one for one in figure.axes if one.get_label() != "<colorbar>"]
    bars = [one for one in figure.axes if one.get_label() == "<colorbar>"]
    return (all(one.get_ylabel() for one in axes) and figure.get_suptitle()
            and all(one.get_xlabel() for one in axes if one.get_subplotspec().is_last_row())
            and all(bar.get_ylabel() for bar in bars))


def test_errors_have_a_sign_and_what_is_missing_is_none() -> None:
    found = signed_errors([GOLD, GOLD], [(["SIL", "N", "OW", "S", "SIL"],
                                          [0.0, 0.13, 0.19, 0.3, 0.4]),
                                         (["SIL", "N", "S", "SIL"], [0.0, 0.1, 0.2, 0.45])])
    # Of the second answer S, which is nearer to OW than to S is unknown, so it stands for itself.
    np.testing.assert_allclose(found, [30, -10, 0, 0, np.nan, 50], atol=1e-9)


def test_the_histogram_is_of_all_boundaries_and_the_curve_of_those_within() -> None:
    late = np.array([-12.0, 3.0, 4.0, 40.0, 150.0, np.nan, 0.0, 1.0])
    figure = errors({"constrained": late}, "aligner")
    left, right = figure.axes
    step, = left.patches
    data = step.get_data()  # type: ignore[attr-defined]
    shares = dict(zip(data.edges[:-1], data.values, strict=True))
    assert {edge: share for edge, share in shares.items() if share} == {
        -15.0: 12.5, 0.0: 50.0, 40.0: 12.5}
    curve = right.lines[0]
    within = dict(zip(np.asarray(curve.get_xdata()), np.asarray(curve.get_ydata()), strict=True))
    assert [within[limit] for limit in (0, 3, 20, 40, 100)] == [12.5, 37.5, 62.5, 75.0, 75.0]
    label, = [text.get_text() for text in figure.legends[0].get_texts()]
    assert label == "constrained (25.0 % farther off or missing)"
    assert labelled(figure)


def test_confusions_are_counted_by_pairs_without_silences() -> None:
    names, counts = confused([GOLD], [(["SIL", "T", "OW", "S", "S", "SIL"],
                                       [0.0, 0.1, 0.2, 0.25, 0.3, 0.4])])
    assert names == ["N", "OW", "S", "T", MISSING]
    found = {(names[row], names[column]): counts[row, column]
             for row, column in zip(*np.nonzero(counts), strict=True)}
    assert found == {("N", "T"): 1, ("OW", "OW"): 1, ("S", "S"): 1, (MISSING, "S"): 1}
    names, counts = confused([GOLD], [(["SIL", "OW", "S", "SIL"], [0.0, 0.2, 0.3, 0.4])])
    assert counts[names.index("N"), names.index(MISSING)] == 1


def test_a_row_of_confusions_adds_up_to_all_of_a_phone() -> None:
    counts = np.array([[3.0, 1.0, 0.0], [0.0, 2.0, 2.0], [0.0, 0.0, 0.0]])
    figure = confusion(["N", "S", MISSING], counts, "aligner:free")
    shown = np.asarray(figure.axes[0].images[0].get_array())
    np.testing.assert_allclose(shown, [[75, 25, 0], [0, 50, 50], [0, 0, 0]])
    assert "aligner:free" in figure.get_suptitle() and labelled(figure)


def test_rounds_are_curves_with_a_line_where_data_were_aligned_again() -> None:
    figure = rounds(ROUNDS, "Rounds")
    assert [axes.get_ylabel() for axes in figure.axes] == [
        "divergence,\nnats a frame", "median error,\nms", "boundaries\nwithin 20 ms, %"]
    for axes, name in zip(figure.axes, ("divergence", "median_ms", "within_20"), strict=True):
        curve, *changes = axes.lines
        np.testing.assert_allclose(np.asarray(curve.get_ydata()), [one[name] for one in ROUNDS])
        assert [np.asarray(line.get_xdata())[0] for line in changes] == [2.5, 5.5]
    assert labelled(figure)
    untimed = [{**one, "median_ms": None, "within_20": None} for one in ROUNDS]
    assert len(rounds(untimed, "Rounds").axes) == 1


class Knows:
    """Scores in which each phone is most probable while it sounds, by the known times."""

    def __init__(self, features: Path, gold: dict[str, Any]) -> None:
        self.spec = read_json(features / "fit/spec.json")
        self.rounds = ROUNDS
        self._items = read_json(features / "test/test.items.json")
        self._gold = gold

    def test_scores(self, data: Path, utterance: int) -> np.ndarray:
        frames = len(Frames(data, "test")[utterance])
        found = self._gold[self._items[utterance]["id"]]["phones"]
        starts = [*Clock.read(self.spec).starts([begin for _, begin, _ in found], frames), frames]
        scores = np.full((frames, len(self.spec["phones"])), 3.0)
        for place, (label, _, _) in enumerate(found):
            scores[starts[place] : starts[place + 1], self.spec["phones"].index(label)] += 5
        return scores

    def pictures(self, test: Path, place: int) -> Iterator[tuple[str, Figure]]:
        figure = Figure()
        axes = figure.subplots()
        axes.plot([place], color="black")
        axes.set(title="own", xlabel="x", ylabel="y")
        yield "own", figure


@pytest.fixture
def drawn(features: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[
        tuple[Path, dict[str, Any]]]:
    """The pictures of a system that knows the times, and what its table was drawn from."""
    gold = read_json(features / "test/gold.json")
    items = read_json(features / "test/test.items.json")
    told: dict[str, Any] = {}
    real = figures.table

    def kept(log_probs: Any, names: Any, paths: Any, title: str, hop: float) -> Figure:
        told.update(log_probs=log_probs, names=names, paths=paths, title=title, hop=hop)
        return real(log_probs, names, paths, title, hop)

    monkeypatch.setattr(figures, "table", kept)
    right = [{"id": item["id"], "phones": item["phones"],
              "begins": [begin for _, begin, _ in gold[item["id"]]["phones"]]} for item in items]
    wrong = [{**one, "phones": [one["phones"][0], "UW", *one["phones"][2:]]} for one in right]
    system: Any = Knows(features, gold)
    figures.draw(system, {"constrained": right, "free": wrong}, features / "test", tmp_path)
    yield tmp_path, told


def test_a_system_has_its_pictures(drawn: tuple[Path, dict[str, Any]]) -> None:
    folder, _ = drawn
    assert {path.name for path in folder.iterdir()} == {
        "errors.png", "confusion.png", "table.png", "rounds.png", "own.png"}
    for path in folder.iterdir():
        picture = matplotlib.image.imread(path)
        assert picture.std() > 0.01 and max(picture.shape) > 300


def test_the_table_is_that_of_an_utterance_of_middle_length_and_its_path_the_known_one(
        drawn: tuple[Path, dict[str, Any]], features: Path) -> None:
    _, told = drawn
    items = read_json(features / "test/test.items.json")
    item, = [one for one in items if told["title"].endswith(f"{one['id']}, “{one['text']}”")]
    lengths = sorted(one["frames"] for one in items if one["id"].startswith("clean/"))
    assert item["frames"] == lengths[len(lengths) // 2] == len(told["log_probs"])
    np.testing.assert_array_equal(told["paths"]["best path"], told["paths"]["known times"])
    # Phones stand in their order, a separator between equal neighbours; scores are probabilities.
    assert [name for place, name in enumerate(told["names"])
            if name != "SIL" or place in (0, len(told["names"]) - 1)] == item["phones"]
    assert told["log_probs"].max() < 0 and told["hop"] == 0.01


def test_noise_is_in_no_picture(features: Path, tmp_path: Path) -> None:
    gold = read_json(features / "test/gold.json")
    answers = [{"id": item["id"], "phones": ["SIL", *["UW"] * (len(item["phones"]) - 1)]
                if item["id"].startswith("other/") else item["phones"],
                "begins": [begin for _, begin, _ in gold[item["id"]]["phones"]]}
               for item in read_json(features / "test/test.items.json")]
    nobody: Any = SimpleNamespace()
    figures.draw(nobody, {"free": answers}, features / "test", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["errors.png"]


def test_who_knows_neither_scores_nor_rounds_has_errors_alone(features: Path,
                                                              tmp_path: Path) -> None:
    gold = read_json(features / "test/gold.json")
    answers = [{"id": item["id"], "phones": item["phones"],
                "begins": [begin for _, begin, _ in gold[item["id"]]["phones"]]}
               for item in read_json(features / "test/test.items.json")]
    nobody: Any = SimpleNamespace()
    figures.draw(nobody, {"constrained": answers}, features / "test", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["errors.png"]
