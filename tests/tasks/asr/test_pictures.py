"""What the figures of recognisers show follows from answers, grid and path; a small system's are
drawn."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from pipeline.audio.frames import Frames, write_frames
from pipeline.drawing.items import read_items
from pipeline.hmm.phones import Monophones, Topology
from pipeline.hmm.tying import FirstQuestion, TiedTriphones
from pipeline.scoring.item_clusters import alone, write_clusters
from pipeline.storage.files import read_json, write_json
from pipeline.storage.predictions import Prediction
from pipeline.systems.base import Run
from pipeline.tasks.asr import figures
from pipeline.tasks.asr.scoring import METRICS, score
from pipeline.tasks.asr.shared import error_pictures, model_pictures
from pipeline.tasks.asr.shared.error_pictures import of_speakers, oracle_errors
from pipeline.tasks.asr.shared.model_pictures import Grid, largest, worded
from pipeline.tasks.asr.shared.state_pictures import Part, followed
from pipeline.tasks.asr.systems import hybrid
from pipeline.tasks.asr.systems.gmm_hmm import GmmHmm, Settings
from tests.lettering import lettering
from tests.tasks.asr.weighed import pair

ITEMS = [
    {"id": "1", "condition": "clean", "speaker": "clean/bob", "reference": "one two three four"},
    {"id": "2", "condition": "clean", "speaker": "clean/amy", "reference": "one two"},
    {"id": "3", "condition": "clean", "speaker": "clean/bob", "reference": "five"},
    {"id": "4", "condition": "clean", "speaker": "clean/cat", "reference": ""},
]
# Errors: of bob 1 + 1 of 5 words and 5 of 5, of amy 1 of 2 and none.
GOOD = [{"id": "1", "hypothesis": "one two three"}, {"id": "2", "hypothesis": "one x two"},
        {"id": "3", "hypothesis": "six"}, {"id": "4", "hypothesis": "noise"}]
BAD = [{"id": "1", "hypothesis": "a b c d"}, {"id": "2", "hypothesis": "one two"},
       {"id": "3", "hypothesis": ""}, {"id": "4", "hypothesis": ""}]


def test_errors_of_speakers_are_over_all_their_words_and_sorted_by_the_mean() -> None:
    found = of_speakers(ITEMS, {"good": GOOD, "bad": BAD})
    assert found.names == ["amy", "bob"]
    np.testing.assert_allclose(found.rates, [[50, 40], [0, 100]])
    assert of_speakers(ITEMS, {"good": GOOD}).names == ["bob", "amy"]


def test_the_dots_are_the_errors_of_speakers_and_conditions_stand_apart() -> None:
    items = [*ITEMS, {"id": "5", "condition": "other", "speaker": "other/dan", "reference": "x y"}]
    answers = {"good": [*GOOD, {"id": "5", "hypothesis": "x"}],
               "bad": [*BAD, {"id": "5", "hypothesis": "z z z"}]}
    clean, other = error_pictures.speakers(items, answers, "row").axes
    assert [line.get_ydata().tolist() for line in clean.lines] == [[50, 40], [0, 100]]
    assert [line.get_ydata().tolist() for line in other.lines] == [[50], [150]]
    assert [label.get_text() for label in clean.get_xticklabels()] == ["amy", "bob"]
    assert [label.get_text() for label in other.get_xticklabels()] == ["dan"]


def listed(identity: str, *texts: str) -> Prediction:
    return {"id": identity, "hypothesis": texts[0] if texts else "one",
            "alternatives": [{"text": text, "score": -1.0} for text in texts]}


def test_the_oracle_takes_of_each_utterance_the_best_so_far() -> None:
    answers = [listed("1", "one two", "one two three", "x", "one two three four"),  # 2 1 1 0
               listed("2", "x y z", "one"),                                         # 3 1 1 1
               listed("3"),                                                         # 1 1 1 1
               listed("4", "")]                                                     # 0 0 0 0
    np.testing.assert_allclose(oracle_errors(ITEMS, answers),
                               100 * np.array([6, 3, 3, 2]) / 7)
    curve, = error_pictures.oracle(ITEMS, {"only": answers}, "row").axes[0].lines
    assert curve.get_xdata().tolist() == [1, 2, 3, 4]
    np.testing.assert_allclose(curve.get_ydata(), 100 * np.array([6, 3, 3, 2]) / 7)


# Of the two pairs with 3 errors the first tried was chosen.
TRIED = [pair(7.0, 0.0, 9, 30), pair(7.0, -10.0, 3, 30), pair(4.0, 0.0, 3, 30),
         pair(4.0, -10.0, 6, 30)]


def test_the_grid_has_rates_by_rising_weights_and_marks_the_pair_that_was_chosen() -> None:
    grid = Grid.of(TRIED)
    assert (grid.languages, grid.words) == ([4.0, 7.0], [-10.0, 0.0])
    np.testing.assert_allclose(grid.rates, [[20, 10], [10, 30]])
    assert grid.chosen == (1, 0)


def test_the_frame_of_the_heat_map_is_around_the_chosen_cell() -> None:
    axes = model_pictures.weights({"bigram": TRIED, "uniform": TRIED[:1]}, "row").axes[0]
    frame, = axes.patches
    centre = frame.get_xy() + np.array([frame.get_width(), frame.get_height()]) / 2
    np.testing.assert_allclose(centre, [0, 1])
    texts = {tuple(text.get_position()): text.get_text() for text in axes.texts}
    assert texts == {(0, 0): "20.0", (1, 0): "10.0", (0, 1): "10.0", (1, 1): "30.0"}
    assert axes.get_title() == "bigram: 10.0 %"
    assert [label.get_text() for label in axes.get_yticklabels()] == ["4", "7"]


def test_the_questions_with_the_largest_gain_are_drawn_and_say_what_is_asked() -> None:
    asked = [FirstQuestion("N", 1, "right", "vowel", 5000.0),
             FirstQuestion("T", 0, "left", "SIL", 9000.0),
             *(FirstQuestion("S", 2, "left", "nasal", float(gain)) for gain in range(30))]
    assert [question.gain for question in largest(asked)] == [9000, 5000, *range(29, 11, -1)]
    assert [worded(question) for question in asked[:2]] == [
        "N, state 2: right in 'vowel'?", "T, state 1: left is SIL?"]
    axes = model_pictures.questions(asked, "row").axes[0]
    bars = {round(bar.get_y() + bar.get_height() / 2): bar.get_width() for bar in axes.patches}
    assert (bars[0], bars[1], len(bars)) == (9, 5, 20)


def test_the_path_says_where_phones_and_words_are() -> None:
    """Two states a phone; AA is said twice in a row, across a word's end."""
    tied = Monophones.of(Topology.of(["AA", "N"], states=2, silence_states=1))
    wanted = [0, 0, 1, 2, 2, 1, 1, 2, 3, 4, 4, 0]  # tied states: SIL 0, AA 1 and 2, N 3 and 4
    scores = np.where(np.eye(5)[wanted] > 0, 0.0, -50.0)
    found = followed(scores, "a  an", {"a": [["AA"]], "an": [["N"], ["AA", "N"]]}, tied)
    assert found is not None
    assert found.phones() == [Part("SIL", 0, 2), Part("AA", 2, 5), Part("AA", 5, 8),
                              Part("N", 8, 11), Part("SIL", 11, 12)]
    assert found.words_said() == [Part("a", 2, 5), Part("an", 5, 11)]
    assert [(node.phone, node.position, start, end) for node, start, end in found.states()] == [
        ("SIL", 0, 0, 2), ("AA", 0, 2, 3), ("AA", 1, 3, 5), ("AA", 0, 5, 7), ("AA", 1, 7, 8),
        ("N", 0, 8, 9), ("N", 1, 9, 11), ("SIL", 0, 11, 12)]
    assert followed(scores[:2], "a an", {"a": [["AA"]], "an": [["N"]]}, tied) is None


LEXICON = {"no": [["N", "OW"]], "own": [["OW", "N"]], "see": [["S", "IY"]], "ease": [["IY", "S"]],
           "knees": [["N", "IY", "S"]]}
VOICES = {"N": 0, "OW": 3, "S": 6, "IY": 9}  # the first of three mel filters that each phone fills


def utterance(text: str, random: np.random.Generator) -> np.ndarray:
    """Log-mel of silence, then 9 frames for each phone, then silence."""
    phones = ["SIL", *(phone for word in text.split() for phone in LEXICON[word][0]), "SIL"]
    frames = random.normal(-9, 0.5, (9 * len(phones), 12))
    for place, phone in enumerate(phones):
        for third in range(3 if phone in VOICES else 0):
            frames[9 * place + 3 * third : 9 * place + 3 * third + 3, VOICES[phone] + third] += 8
    return frames.astype(np.float32)


@pytest.fixture(scope="module")
def features(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("features")
    random = np.random.default_rng(0)
    texts = {split: [" ".join(random.choice(list(LEXICON), random.integers(2, 5)))
                     for _ in range(count)]
             for split, count in (("train", 60), ("valid", 6), ("test", 8))}
    for part in ("fit", "test"):
        (folder / part).mkdir()
    for split, said in texts.items():
        to = folder / ("test" if split == "test" else "fit")
        write_frames(to, split, (utterance(text, random) for text in said))
        write_json(to / f"{split}.items.json", [
            {"id": f"{split}-{number}", "speaker": f"{'clean/' * (split == 'test')}{number % 3}",
             **({"reference": text, "condition": "clean"} if split == "test" else {"text": text})}
            for number, text in enumerate(said)])
    write_json(folder / "fit" / "lexicon.json", LEXICON)
    write_json(folder / "fit" / "spec.json", {"front_end": {"hop_ms": 10.0}, "dimension": 12,
                                              "mean": [0.0] * 12, "deviation": [1.0] * 12})
    write_clusters(folder / "test", alone(f"test-{number}" for number in range(8)))
    return folder


GROWTH = {"passes": 4, "gaussians": 40}
SETTINGS = {
    "track": "asr", "model": "gmm_hmm", "speakers": None,
    "acoustics": {"coefficients": 12, "monophones": GROWTH, "discriminants": None,
                  "triphones": {**GROWTH, "states": 140, "least_frames": 10}},
    "decoding": {"beam": 200.0, "most": 500, "lattice_beam": 100.0, "language_weights": [1.0, 2.0],
                 "word_scores": [-5.0, 0.0], "alternatives": 4},
    "variants": {"alone": {"language_model": "uniform"}, "bigram": {"language_model": "bigram"}},
}


def test_all_figures_of_a_small_system_are_drawn(features: Path, tmp_path: Path,
                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    system = GmmHmm(Settings.model_validate(SETTINGS), read_json(features / "fit" / "spec.json"))
    system.fit(features / "fit", Run(seed=1, work=tmp_path / "work"))
    test = features / "test"
    answers = {name: list(system.predict(test, variant))
               for name, variant in system.settings.variants.items()}
    drawn = tmp_path / "figures"
    drawn.mkdir()
    figures.draw(system, answers, test, drawn)
    assert read_items(drawn).keys() == {"states"}
    sizes = {path.name: path.stat().st_size for path in drawn.iterdir()
             if path.suffix != ".json"}
    assert set(sizes) == {"alignments_alone.txt", "alignments_bigram.txt", "speakers.png",
                          "oracle.png", "weights.png", "questions.png", "states.png"}
    assert max(sizes.values()) < 60_000
    items = read_json(test / "test.items.json")
    for found in answers.values():
        assert oracle_errors(items, found)[0] == pytest.approx(
            score(found, test).score(METRICS["wer"]))
    assert isinstance(system.known(), TiedTriphones)
    # Where nothing was answered there are no states, and those of another utterance are drawn.
    silent = read_items(drawn)["states"]
    unsaid = [{**one, "hypothesis": ""} if one["id"] == silent else one
              for one in answers["bigram"]]
    texts = lettering(monkeypatch)
    figures.draw(system, {"bigram": unsaid}, test, tmp_path / "row")
    shown = read_items(tmp_path / "row")["states"]
    assert shown != silent
    assert f"eachframeof{shown}isin" in texts["states"]
    # The path along the right words is where the sounds were put.
    found = followed(system.test_scores(test, 5), items[5]["reference"], LEXICON, system.known())
    assert found is not None
    assert found.phones()[-1].end == len(Frames(test, "test")[5])
    assert max(abs(part.start - 9 * place)
               for place, part in enumerate(found.phones())) <= 2


def test_a_network_in_the_gaussians_place_shows_its_states(features: Path,
                                                           tmp_path: Path) -> None:
    shared = {name: SETTINGS[name] for name in ("track", "acoustics", "decoding")}
    settings = hybrid.Settings.model_validate({
        **shared, "model": "hybrid", "network": {"kind": "tdnn", "hidden": 32, "dilations": [1, 2]},
        "dropout": 0.0, "input_noise": 0.0, "time_masks": 0, "time_mask_frames": 0,
        "feature_masks": 0, "feature_mask_width": 0, "batch_utterances": 8,
        "training": {"epochs": 12, "optimizer": "adam", "learning_rate": 0.01,
                     "schedule": "cosine", "warmup_steps": 5, "weight_decay": 0.0,
                     "gradient_clip": 1.0, "patience": 0},
        "variants": {"alone": {"language_model": "uniform"}}})
    torch.manual_seed(0)
    system = hybrid.Hybrid(settings, {**read_json(features / "fit" / "spec.json"),
                                      "mean": [-9.0] * 12, "deviation": [3.0] * 12})
    system.fit(features / "fit", Run(seed=1, work=tmp_path / "work"))
    test = features / "test"
    answers = {"alone": list(system.predict(test, settings.variants["alone"]))}
    figures.draw(system, answers, test, tmp_path)
    assert {path.name for path in tmp_path.glob("*.png")} == {
        "speakers.png", "oracle.png", "weights.png", "questions.png", "states.png"}
    found = followed(system.test_scores(test, 5),
                     read_json(test / "test.items.json")[5]["reference"], LEXICON, system.known())
    assert found is not None
    assert max(abs(part.start - 9 * place) for place, part in enumerate(found.phones())) <= 2


class Emits:
    """A system that hears symbol A in the whole of an utterance."""

    spec = {"front_end": {"hop_ms": 10.0}}

    def __init__(self) -> None:
        self.heard: list[np.ndarray] = []

    def emissions(self, utterances: list[np.ndarray]) -> list[np.ndarray]:
        self.heard += utterances
        return [np.log(np.full((len(one), 2), [0.1, 0.9], np.float32)) for one in utterances]

    def text(self, symbols: list[int]) -> str:
        return "A" * len(symbols)


class Follows:
    """A system with pictures of its own."""

    def pictures(self, test: Path, place: int) -> Iterator[tuple[str, Figure]]:
        yield f"place{place}", Figure()


def test_the_utterance_of_pictures_is_of_middle_length_among_those_with_words(
        tmp_path: Path) -> None:
    lengths = [9, 30, 12, 11]
    write_json(tmp_path / "test.items.json", [
        {**item, "reference": text} for item, text in zip(ITEMS, ["a", "", "b", "c"], strict=True)])
    write_frames(tmp_path, "test", (np.full((one, 3), one, np.float32) for one in lengths))
    system = Emits()
    for drawn in (system, Follows()):
        figures.draw(drawn, {"good": GOOD}, tmp_path, tmp_path)  # type: ignore[arg-type]
    assert [len(one) for one in system.heard] == [11]
    assert {path.name for path in tmp_path.glob("*.png")} == {
        "speakers.png", "spikes.png", "place3.png"}


def test_a_system_without_states_has_speakers_alone(tmp_path: Path) -> None:
    write_json(tmp_path / "test.items.json", ITEMS)
    figures.draw(object(), {"good": GOOD}, tmp_path, tmp_path)  # type: ignore[arg-type]
    assert {path.name for path in tmp_path.glob("*.png")} == {"speakers.png"}
