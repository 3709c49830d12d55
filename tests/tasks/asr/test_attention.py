"""The speller learns a tiny corpus; its loss, search and scores are those computed by hand."""

import itertools
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from pipeline.audio.frames import Frames
from pipeline.drawing.items import read_items
from pipeline.errors import UserError
from pipeline.nn.ctc import collapse, prefix_n_best
from pipeline.storage.files import read_json
from pipeline.systems.base import Run
from pipeline.tasks.asr.scoring import METRICS, score
from pipeline.tasks.asr.shared import attention_pictures, ranking
from pipeline.tasks.asr.shared.grids import Tried
from pipeline.tasks.asr.shared.ranking import Hypothesis, Ranking, Weights
from pipeline.tasks.asr.shared.spelled import END, NOTHING, Spelled, spelled
from pipeline.tasks.asr.systems.attention import (
    AttentionRecogniser,
    Settings,
    ctc_log_probabilities,
    longest,
)
from tests.lettering import lettering
from tests.tasks.asr.drawing import drawn_twice

SETTINGS = {
    "track": "asr", "model": "attention", "dropout": 0.1, "input_noise": 0.1, "tempo": 0.0,
    "time_masks": 1, "time_mask_frames": 2, "feature_masks": 1, "feature_mask_width": 1,
    "batch_utterances": 6, "hidden": 16, "strides": [2, 2], "cell": "lstm-torch", "embedding": 8,
    "decoder_hidden": 32, "attention_hidden": 16, "filters": 4, "reach": 3,
    "label_smoothing": 0.1, "sampling": 0.0, "sorted_epochs": 2, "ctc_weight": 0.3, "ctc_after": 1,
    "ranking": {"beam": 4, "order": 3, "language_weights": [0.0, 0.01],
                  "ctc_weights": [0.0, 0.3], "alternatives": 3},
    "training": {"epochs": 20, "optimizer": "adam", "learning_rate": 0.015, "schedule": "cosine",
                 "warmup_steps": 20, "weight_decay": 0.0, "gradient_clip": 1.0, "patience": 0},
    "variants": {"greedy": {"search": "greedy", "language_model": "none"},
                 "beam": {"search": "beam", "language_model": "characters"}},
}
JOINT = {"search": "joint", "language_model": "characters", "ctc_beam": 6, "least_posterior": 0.0}
WITH_JOINT = {"variants": SETTINGS["variants"] | {"joint": JOINT}}
WITHOUT_CTC = {"ctc_weight": 0.0, "ranking": SETTINGS["ranking"] | {"ctc_weights": [0.0]}}


class Silent:
    """A language model that says nothing."""

    def start(self) -> int:
        return 0

    def extend(self, states: np.ndarray, symbols: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.zeros(len(states)), states

    def finish(self, states: np.ndarray) -> np.ndarray:
        return np.zeros(len(states))


def new(features: Path, **changes) -> AttentionRecogniser:
    torch.manual_seed(0)
    return AttentionRecogniser(Settings.model_validate(SETTINGS | changes),
                               read_json(features / "fit" / "spec.json"))


@pytest.fixture(scope="module")
def fitted(features: Path, tmp_path_factory: pytest.TempPathFactory) -> AttentionRecogniser:
    system = new(features, **WITH_JOINT)
    system.fit(features / "fit", Run(seed=1, work=tmp_path_factory.mktemp("work")))
    return system


@pytest.mark.parametrize("variant", ["greedy", "beam", "joint"])
def test_a_tiny_corpus_is_learnt(fitted: AttentionRecogniser, features: Path,
                                 variant: str) -> None:
    answers = list(fitted.predict(features / "test", fitted.settings.variants[variant]))
    assert score(answers, features / "test").score(METRICS["wer"]) < 10


def test_it_looks_from_the_beginning_to_the_end(fitted: AttentionRecogniser,
                                                features: Path) -> None:
    frames, items = Frames(features / "test", "test"), read_json(features / "test/test.items.json")
    ids = {symbol: number for number, symbol in enumerate(fitted.spec["symbols"], start=1)}
    for index, item in enumerate(items):
        letters = [ids[letter] for letter in item["reference"]]
        weights = fitted.attention(frames[index], letters)
        assert weights.shape == (len(letters) + 1, -(-len(frames[index]) // 4))
        np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-5)
        centres = weights @ np.arange(weights.shape[1])
        assert np.corrcoef(centres, np.arange(len(centres)))[0, 1] > 0.9


@pytest.mark.parametrize("variant", ["beam", "joint"])
def test_alternatives_are_other_texts_the_best_first(fitted: AttentionRecogniser, features: Path,
                                                     variant: str) -> None:
    for answer in fitted.predict(features / "test", fitted.settings.variants[variant]):
        listed = answer["alternatives"]
        assert 1 <= len(listed) <= 3 and listed[0]["text"] == answer["hypothesis"]
        assert len({one["text"] for one in listed}) == len(listed)
        scores = [one["score"] for one in listed]
        assert scores == sorted(scores, reverse=True)
    greedy = next(fitted.predict(features / "test", fitted.settings.variants["greedy"]))
    assert set(greedy) == {"id", "hypothesis"}


def test_a_loaded_system_answers_the_same(fitted: AttentionRecogniser, features: Path,
                                          tmp_path: Path) -> None:
    fitted.save(tmp_path)
    loaded = AttentionRecogniser.load(tmp_path)
    transcripts = [item["text"] for item in read_json(features / "fit/train.items.json")]
    assert loaded.transcripts == transcripts == read_json(tmp_path / "texts.json")["transcripts"]
    assert loaded.tried == fitted.tried and loaded.tried.keys() == {"beam", "joint"}
    words = sum(len(item["text"].split()) for item in read_json(features / "fit/valid.items.json"))
    for pairs in loaded.tried.values():
        assert {pair.words for pair in pairs} == {words} and len(pairs) == 4
    for variant in fitted.settings.variants.values():
        assert (list(loaded.predict(features / "test", variant))
                == list(fitted.predict(features / "test", variant)))


def test_a_joint_search_scores_the_texts_of_both_by_both(features: Path) -> None:
    """Of an untrained system, whose decoder and CTC agree on nothing."""
    system = new(features, **WITH_JOINT)
    system.transcripts = ["A", "A B"]
    utterance = Frames(features / "test", "test")[0]
    with system.answering():
        batch = {"frames": torch.from_numpy(utterance.copy())[None],
                 "lengths": torch.tensor([len(utterance)])}
        memory, emissions, _ = system.hear(batch["frames"], batch["lengths"])
        assert emissions is not None
        written = system.search(memory, longest(batch["lengths"]), 4)[0]
        heard = prefix_n_best([emissions[0].numpy()], Silent(), 6, 0.0, 6)[0]
        texts = [one.tokens for one in written]
        texts += [list(one.symbols) for one in heard if list(one.symbols) not in texts]
        assert 4 < len(texts) <= 10
        expected = []
        for letters in texts:
            state, total = system.decoder.start(memory), 0.0
            for before, after in zip([system.start, *letters], [*letters, END], strict=True):
                logs, state = system.step(torch.tensor([before]), memory, state)
                total += float(logs[0, after])
            expected.append((system.text(letters), len(letters), total,
                             ctc_log_probabilities(emissions[0], [letters])[0]))
    [found] = system.hypotheses([utterance], system.settings.variants["joint"])
    assert [(one.text, one.letters) for one in found] == [one[:2] for one in expected]
    np.testing.assert_allclose([(one.decoder, one.ctc) for one in found],
                               [one[2:] for one in expected], rtol=1e-4)
    [alone] = system.hypotheses([utterance], system.settings.variants["beam"])
    assert [one.text for one in alone] == [one.text for one in found[:4]]


@pytest.mark.parametrize(("changes", "message"), [
    (WITHOUT_CTC | WITH_JOINT, "variants.joint searches with CTC, which ctc_weight 0 leaves out"),
    ({"variants": {"joint": JOINT, "both": JOINT}}, "one joint search has weights of its own")])
def test_a_joint_search_needs_ctc_and_stands_alone(features: Path, changes: dict,
                                                   message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        new(features, **changes)


def test_padding_changes_nothing(fitted: AttentionRecogniser, features: Path) -> None:
    frames = Frames(features / "test", "test")
    utterances = [frames[index] for index in range(len(frames))]
    assert len({len(one) for one in utterances}) > 4
    together = fitted.greedy(utterances)
    assert together == [fitted.greedy([one])[0] for one in utterances]
    assert any(together)


@pytest.mark.parametrize("changes", [{}, WITHOUT_CTC])
def test_loss_is_that_of_letters_ends_and_alignments(features: Path, changes: dict) -> None:
    system = new(features, **changes).eval()
    found = Spelled(features / "fit", "valid", system.spec["symbols"], 8, seed=0)
    with torch.no_grad():
        total, terms = system.loss(found.load(found.plan(0)[0]))
        each = 0.0
        for index, letters in enumerate(found.targets):
            batch = {"frames": torch.from_numpy(found.frames[index].copy())[None]}
            memory, emissions, _ = system.hear(batch["frames"],
                                               torch.tensor([len(batch["frames"][0])]))
            state = system.decoder.start(memory)
            for before, after in zip([system.start, *letters], [*letters, END], strict=True):
                logs, state = system.step(torch.tensor([before]), memory, state)
                each -= float(logs[0, after])
            if emissions is not None:
                each -= 0.3 * ctc_log_probabilities(emissions[0], [letters])[0]
    assert terms == sum(len(item["text"]) + 1 for item in found.items)
    assert float(total) == pytest.approx(each, rel=1e-5)


def test_letters_are_smoothed_in_training_alone(features: Path) -> None:
    still = {"dropout": 0.0, "input_noise": 0.0, "time_masks": 0, "feature_masks": 0,
             **WITHOUT_CTC}
    system = new(features, **still)
    found = Spelled(features / "fit", "valid", system.spec["symbols"], 8, seed=0)
    batch = found.load(found.plan(0)[0])
    with torch.no_grad():
        plain = float(system.eval().loss(batch)[0])
        smoothed = float(system.train().loss(batch)[0])
        memory, _, _ = system.hear(batch["frames"], batch["lengths"])
        logs, _, _ = system.spell(batch["inputs"], memory, system.decoder.start(memory))
    even = -float(logs[batch["outputs"] != NOTHING].mean(dim=-1).sum())
    assert smoothed == pytest.approx(0.9 * plain + 0.1 * even, rel=1e-5)


@pytest.mark.parametrize("changes", [{"sampling": 0.5}, WITHOUT_CTC,
                                     {"cell": "gru-torch", "strides": [1, 3]}])
def test_every_parameter_gets_a_gradient(features: Path, changes: dict) -> None:
    system = new(features, **changes).train()
    batches = system.batches(features / "fit", "train", seed=0)
    system.loss(batches.load(batches.plan(0)[0]))[0].backward()
    silent = [name for name, parameter in system.named_parameters()
              if parameter.grad is None or not parameter.grad.any()]
    assert not silent


def test_beam_search_finds_the_best_of_all_texts(features: Path) -> None:
    """Of an untrained system, whose texts are all about as probable."""
    system = new(features)
    system.spec["symbols"] = [" ", "A", "B", "C"]
    utterance = Frames(features / "test", "test")[0]
    with system.answering():
        batch = {"frames": torch.from_numpy(utterance.copy())[None],
                 "lengths": torch.tensor([len(utterance)])}
        memory, _, _ = system.hear(batch["frames"], batch["lengths"])
        found = system.search(memory, torch.tensor([3]), 400)[0]
        scores = {}
        for letters in (text for size in range(4)
                        for text in itertools.product(range(1, 5), repeat=size)):
            inputs, outputs = spelled([list(letters)], system.start)
            logs, _, _ = system.spell(inputs, memory, system.decoder.start(memory))
            scores[letters] = float(logs[0].gather(1, outputs[0][:, None]).sum())
    assert len(scores) == 85
    assert {tuple(one.tokens) for one in found} == set(scores)
    assert [one.log_probability for one in found] == pytest.approx(
        sorted(scores.values(), reverse=True), rel=1e-5)
    assert all(one.log_probability == pytest.approx(scores[tuple(one.tokens)], rel=1e-5)
               for one in found)


def test_ctc_sums_over_all_alignments() -> None:
    torch.manual_seed(3)
    emissions = torch.randn(5, 3).log_softmax(dim=-1)
    totals: dict[tuple[int, ...], float] = {}
    for path in itertools.product(range(3), repeat=5):
        chance = math.exp(sum(float(emissions[step, kind]) for step, kind in enumerate(path)))
        text = tuple(collapse(np.array(path)))
        totals[text] = totals.get(text, 0.0) + chance
    texts = [[], [1], [1, 2], [1, 1, 2]]
    expected = [math.log(totals[tuple(text)]) for text in texts]
    assert ctc_log_probabilities(emissions, texts) == pytest.approx(expected, rel=1e-4)
    # Four equal letters need seven steps: no alignment, and still a number.
    assert ctc_log_probabilities(emissions, [[1, 1, 1, 1]]) == [-1e4]


def test_a_hypothesis_scores_as_the_formula_says() -> None:
    one = Hypothesis("AB", 2, decoder=-3.0, ctc=-5.0, language=-7.0)
    assert one.score(Weights(0.0, 0.0)) == -1.5
    assert one.score(Weights(0.1, 0.25)) == pytest.approx((0.75 * -3 + 0.25 * -5) / 2 - 0.7)
    assert Hypothesis("", 0, -3.0, 0.0, -1.0).score(Weights(1.0, 0.0)) == -4.0


def test_the_weights_with_the_fewest_word_errors_are_chosen() -> None:
    grid = Ranking(beam=2, order=2, language_weights=[0.0, 0.5, 1.0], ctc_weights=[0.0, 0.5, 1.0],
                     alternatives=2)
    # The decoder prefers the wrong text, CTC the right one from a share above 1/3 on.
    found = [Hypothesis("A C", 3, -3.0, -12.0, -1.0), Hypothesis("A B", 3, -6.0, -6.0, -1.0)]
    tried = ranking.try_all(grid, [found], ["A B"])
    assert {(pair["ctc"], pair.errors, pair.words) for pair in tried} == {
        (0.0, 1, 2), (0.5, 0, 2), (1.0, 0, 2)}
    assert ranking.chosen(grid, tried) == Weights(0.5, 0.5)
    assert ranking.chosen(grid, [Tried({"language": 1.0, "ctc": 0.0}, 3, 4),
                                 Tried({"language": 0.0, "ctc": 1.0}, 2, 4)]) == Weights(0.0, 1.0)
    assert ranking.chosen(grid, []) == Weights(0.5, 0.5)
    best = ranking.ranked([*found, Hypothesis("A B", 4, -5.0, -5.0, -1.0)], Weights(0.0, 1.0))
    assert [(one.text, one.letters) for one in best] == [("A B", 4), ("A C", 3)]


def test_transcripts_begin_with_a_start_and_close_with_an_end() -> None:
    inputs, outputs = spelled([[3, 1], [2]], start=5)
    assert inputs.tolist() == [[5, 3, 1], [5, 2, END]]
    assert outputs.tolist() == [[3, 1, END], [2, END, NOTHING]]


def test_the_first_epochs_begin_with_the_shortest(features: Path) -> None:
    system = new(features)
    train, valid = (system.batches(features / "fit", split, seed=0) for split in ("train", "valid"))
    means = [[float(train.frames.lengths[batch.items].mean()) for batch in train.plan(epoch)]
             for epoch in range(3)]
    assert means[0] == sorted(means[0]) and means[1] == sorted(means[1])
    assert means[2] != sorted(means[2])
    assert valid.sorted_epochs == 0 and valid.tempo == 0


def test_odd_recordings_are_answered(fitted: AttentionRecogniser, features: Path) -> None:
    width = fitted.spec["dimension"]
    for frames in (np.zeros((1, width), np.float32), np.zeros((300, width), np.float32)):
        (letters,) = fitted.greedy([frames])
        assert len(letters) <= int(longest(torch.tensor([len(frames)])))
        (found,) = fitted.hypotheses([frames], fitted.settings.variants["beam"])
        best = ranking.ranked(found, Weights(0.01, 0.3))
        assert best and math.isfinite(best[0].score(Weights(0.01, 0.3)))


def test_settings_that_do_not_fit_are_named(features: Path) -> None:
    with pytest.raises(ValidationError, match="ctc_after is at most the number of strides, 2"):
        Settings.model_validate(SETTINGS | {"ctc_after": 3})
    with pytest.raises(ValidationError, match=r"ranking\.ctc_weights is \[0\.0\]"):
        Settings.model_validate(SETTINGS | {"ctc_weight": 0.0})
    with pytest.raises(UserError, match="needs"):
        new(features, strides=[8, 2]).batches(features / "fit", "train", seed=0)
    new(features, strides=[8, 2], **WITHOUT_CTC).batches(features / "fit", "train", seed=0)


def test_figures_are_drawn_and_repeatable(fitted: AttentionRecogniser, features: Path,
                                          tmp_path: Path,
                                          monkeypatch: pytest.MonkeyPatch) -> None:
    texts = lettering(monkeypatch)
    written = drawn_twice(fitted, features / "test", tmp_path / "a")
    assert {"attention.png", "places.png", "oracle.png"} <= set(written)
    assert read_items(tmp_path / "a").keys() == {"attention"}
    assert f"{read_items(tmp_path / 'a')['attention']}:" in texts["attention"]


def test_the_attention_picture_has_each_letter_beside_its_weights() -> None:
    weights = np.eye(3, 5)
    picture = attention_pictures.attention(np.ones((18, 2)), weights, 4, "A ", "title")
    above, below = picture.axes[:2]
    assert [label.get_text() for label in below.get_yticklabels()] == ["A", "␣", "end"]
    image = below.images[0]
    assert np.array_equal(np.asarray(image.get_array()), weights)
    assert list(image.get_extent()) == [0, 20, 3, 0]  # five steps of four frames each
    assert list(above.images[0].get_extent()) == [0, 18, 0, 2]
    assert below.get_xlim() == (0, 18)


def test_letters_that_are_not_heard_are_counted_by_their_place() -> None:
    letters, wrong = attention_pictures.wrong_by_place(["ABC", "AB", "B"], ["ABD", "B", "XB"])
    assert letters.tolist() == [3, 2, 1]
    assert wrong.tolist() == [1, 0, 1]
    bars = attention_pictures.errors_by_place(["ABCDEFG"], ["ABXDE"]).axes[0].patches
    assert [bar.get_height() for bar in bars] == pytest.approx([20, 100])
