"""The networks for words: what each hears of a word, where its loss sits, and who answers whom."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pipeline.audio.batching import padded
from pipeline.audio.frames import Frames
from pipeline.storage.files import read_json
from pipeline.systems.base import Run, system_class
from pipeline.tasks.words.systems.frames_lstm import frame_weights
from tests.tasks.words.toy import LABELS, SPEAKERS, write_features

OWN: dict[str, dict[str, Any]] = {
    "frames_lstm": {"hidden": 8, "layers": 1, "dial": 0.0},
    "attention_pooling": {"cell": "gru-torch", "bidirectional": True, "hidden": 6, "layers": 1,
                          "attention": 5, "query": "learnt"},
    "mean_mlp": {"hidden": 8, "layers": 1},
    "step_mlp": {"hidden": 8, "layers": 1},
    "time_delay": {"hidden": 3, "squash": "sigmoid", "evidence": "activations"}}
BLIND = ("mean_mlp", "step_mlp")
LENGTHS = torch.tensor([9, 4])


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_features(tmp_path_factory.mktemp("words"), held_out=False)


@pytest.fixture(scope="session")
def held_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_features(tmp_path_factory.mktemp("folds"), held_out=True)


def new(model: str, features: Path, **changes: Any) -> Any:
    training = {"epochs": 12, "optimizer": "adam", "learning_rate": 0.03, "schedule": "cosine",
                "warmup_steps": 0, "weight_decay": 0.0, "gradient_clip": 1.0, "patience": 0}
    kind = system_class("words", model)
    settings = kind.settings_class().model_validate({
        "track": "t", "model": model, "dropout": 0.0, "range_db": 0.0, "input_noise": 0.0,
        "tempo": 0.0, "warp": 0.0, "colour": 0.0, "time_masks": 0, "time_mask_frames": 0,
        "feature_masks": 0, "feature_mask_width": 0, "batch_utterances": 16, "training": training,
        **OWN[model], **changes})
    torch.manual_seed(2)
    return kind(settings, read_json(features / "fit" / "spec.json"))


def two_words() -> torch.Tensor:
    """Frames [2, 9, 2], the second word four frames long."""
    frames = torch.randn(2, 9, 2, generator=torch.Generator().manual_seed(1))
    frames[1, 4:] = 0.0
    return frames


def standardised(system: Any, frames: torch.Tensor) -> torch.Tensor:
    return (frames - torch.tensor(system.spec["mean"])) / torch.tensor(system.spec["deviation"])


def right(system: Any, features: Path) -> dict[str, list[bool]]:
    """Whether each test word was named, by speaker."""
    items = {item["id"]: item for item in read_json(features / "test" / "test.items.json")}
    found: dict[str, list[bool]] = {speaker: [] for speaker in SPEAKERS}
    for answer in system.predict(features / "test", None):
        item = items[answer["id"]]
        found[item["speaker"]].append(answer["label"] == item["label"])
    return found


@pytest.mark.parametrize("model", OWN)
def test_what_follows_a_word_changes_nothing(model: str, plain: Path) -> None:
    system = new(model, plain).eval()
    frames = two_words()
    found = system.bodies[0](frames, LENGTHS)
    other = torch.cat([frames, torch.zeros(2, 3, 2)], dim=1)
    other[0, 9:], other[1, 4:] = 7.0, -5.0
    torch.testing.assert_close(system.bodies[0](other, LENGTHS), found)
    torch.testing.assert_close(found.exp().sum(dim=1), torch.ones(2))


@pytest.mark.parametrize("model", OWN)
def test_order_is_learnt_by_all_that_hear_it(model: str, plain: Path, tmp_path: Path) -> None:
    system = new(model, plain)
    system.fit(plain / "fit", Run(seed=1, work=tmp_path))
    named = np.mean([one for answers in right(system, plain).values() for one in answers])
    assert named < 0.75 if model in BLIND else named > 0.95


@pytest.mark.parametrize("model", OWN)
def test_an_answer_names_the_most_probable_word(model: str, plain: Path) -> None:
    for answer in new(model, plain).predict(plain / "test", None):
        probabilities = answer["probabilities"]
        assert list(probabilities) == LABELS
        assert probabilities[answer["label"]] == max(probabilities.values())
        assert sum(probabilities.values()) == pytest.approx(1, abs=1e-5)


def test_the_lstm_answers_at_the_last_frame(plain: Path) -> None:
    system = new("frames_lstm", plain).requires_grad_(False)
    body, word = system.bodies[0], two_words()[1, :4]
    layer = body.lstm.layers[0]
    cell = torch.nn.LSTMCell(layer.input_size, layer.hidden_size)
    cell.load_state_dict({name.removesuffix("_l0"): value
                          for name, value in layer.state_dict().items()})
    state, along = None, []
    for frame in standardised(system, word):
        state = cell(frame[None], state)
        along.append((state[0][0] @ body.output.weight.T + body.output.bias).softmax(dim=0))
    found = system.answers_along(word.numpy(), "ada")
    np.testing.assert_allclose(found, torch.stack(along).detach().numpy(), atol=1e-6)
    last = body.eval()(two_words(), LENGTHS)[1].exp()
    torch.testing.assert_close(last, along[-1].detach())


@pytest.mark.parametrize(("dial", "expected"), [
    (0.0, [[0, 0, 0, 1.0], [0, 1.0, 0, 0]]),
    (1.0, [[0.25, 0.25, 0.25, 0.25], [0.5, 0.5, 0, 0]]),
    (0.6, [[0.15, 0.15, 0.15, 0.55], [0.3, 0.7, 0, 0]])])
def test_the_dial_goes_from_the_last_frame_to_all(dial: float, expected: list) -> None:
    torch.testing.assert_close(frame_weights(torch.tensor([4, 2]), 4, dial),
                               torch.tensor(expected))


def test_the_loss_on_frames_is_weighted_in_training_only(plain: Path) -> None:
    system, frames = new("frames_lstm", plain, dial=0.6), two_words()
    labels = torch.tensor([1, 0])
    along = [-np.log(system.answers_along(word[:length].numpy(), "ada"))[:, label]
             for word, length, label in zip(frames, LENGTHS, labels, strict=True)]
    weighed = sum(0.6 * losses.mean() + 0.4 * losses[-1] for losses in along)
    batch = {"frames": frames, "lengths": LENGTHS, "labels": labels, "fold": 0}
    assert float(system.train().loss(batch)[0].detach()) == pytest.approx(weighed, rel=1e-5)
    assert float(system.eval().loss(batch)[0].detach()) == pytest.approx(
        sum(losses[-1] for losses in along), rel=1e-5)


@pytest.mark.parametrize("changes", [
    {}, {"bidirectional": False}, {"cell": "lstm", "query": "last", "layers": 2}])
def test_attention_reads_the_weighted_average_of_its_states(plain: Path, changes: dict) -> None:
    system = new("attention_pooling", plain, **changes).requires_grad_(False).eval()
    body, frames = system.bodies[0], two_words()
    weights = system.attention_weights(frames[1, :4].numpy(), "ada")
    assert weights.shape == (4,) and weights.sum() == pytest.approx(1, abs=1e-6)
    states = []
    body.pooling.register_forward_hook(lambda _, inputs, __: states.append(inputs[0]))
    found = body(frames, LENGTHS)[1]
    average = torch.from_numpy(weights) @ states[0][1, :4]
    torch.testing.assert_close(found, body.output(average).log_softmax(dim=0))


def test_the_mean_is_that_of_the_words_own_frames(plain: Path) -> None:
    system = new("mean_mlp", plain).requires_grad_(False).eval()
    first, _, _, last = system.bodies[0].layers
    mean = standardised(system, two_words()[1, :4]).mean(dim=0)
    expected = last(first(mean).clamp(min=0)).log_softmax(dim=0)
    torch.testing.assert_close(system.bodies[0](two_words(), LENGTHS)[1], expected)


def test_votes_are_of_single_frames_and_are_added(plain: Path) -> None:
    system = new("step_mlp", plain).requires_grad_(False).eval()
    first, _, _, last = system.bodies[0].layers
    frames, labels = two_words(), torch.tensor([1, 0])
    votes = [last(first(standardised(system, word[:length])).clamp(min=0)).softmax(dim=1)
             for word, length in zip(frames, LENGTHS, strict=True)]
    for row, one in enumerate(votes):
        torch.testing.assert_close(system.bodies[0](frames, LENGTHS)[row].exp(), one.mean(dim=0))
    np.testing.assert_allclose(system.votes(frames[1, :4].numpy(), "ada"), votes[1].numpy(),
                               atol=1e-6)
    batch = {"frames": frames, "lengths": LENGTHS, "labels": labels, "fold": 0}
    alone = sum(-one[:, label].log().mean() for one, label in zip(votes, labels, strict=True))
    torch.testing.assert_close(system.train().loss(batch)[0], alone)


@pytest.mark.parametrize(("squash", "evidence"), [("sigmoid", "activations"), ("tanh", "squares")])
def test_the_time_delay_network_by_loops(plain: Path, squash: str, evidence: str) -> None:
    system = new("time_delay", plain, squash=squash, evidence=evidence).requires_grad_(False)
    body = system.eval().bodies[0]
    body.weight.copy_(torch.tensor([0.7, -1.3]))
    body.bias.copy_(torch.tensor([0.1, 0.4]))
    function = {"sigmoid": lambda x: 1 / (1 + math.exp(-x)), "tanh": math.tanh}[squash]
    word = standardised(system, two_words()[0]).tolist()

    def unit(below: list[list[float]], layer: Any, number: int, start: int, taps: int) -> float:
        total = float(layer.bias[number])
        for tap in range(taps):
            for feature, value in enumerate(below[start + tap]):
                total += float(layer.weight[number, feature, tap]) * value
        return function(total)

    hidden = [[unit(word, body.first, number, start, 3) for number in range(3)]
              for start in range(7)]
    above = [[unit(hidden, body.second, number, start, 5) for number in range(2)]
             for start in range(3)]
    power = 1 if evidence == "activations" else 2
    np.testing.assert_allclose(system.evidence_along(two_words()[0].numpy(), "ada"),
                               np.array(above) ** power, atol=1e-5)
    scores = np.array([0.7, -1.3]) * (np.array(above) ** power).sum(axis=0) + [0.1, 0.4]
    expected = np.exp(scores) / np.exp(scores).sum()
    np.testing.assert_allclose(body(two_words(), LENGTHS)[0].exp().numpy(), expected, atol=1e-5)


def test_waibels_network_has_the_weights_of_its_windows(plain: Path) -> None:
    system = new("time_delay", plain, hidden=8)
    spec = {**system.spec, "dimension": 16, "mean": [0.0] * 16, "deviation": [1.0] * 16,
            "labels": ["B", "D", "G"]}
    # 8 units of 3 x 16 frames' features, 3 of 5 x 8, each with a bias; a weight and a bias a class.
    assert type(system)(system.settings, spec).parameters_count == 8 * 49 + 3 * 41 + 3 * 2


@pytest.mark.parametrize("model", OWN)
def test_a_single_frame_and_many_are_answered(model: str, plain: Path) -> None:
    system = new(model, plain).eval()
    for length in (1, 700):
        found = system.bodies[0](torch.randn(1, length, 2), torch.tensor([length]))
        assert torch.isfinite(found).all()


@pytest.mark.parametrize("model", OWN)
def test_each_fold_has_a_network_that_its_speaker_cannot_alter(
        model: str, held_out: Path, tmp_path: Path) -> None:
    changed = write_features(tmp_path, held_out=True)
    frames = np.lib.format.open_memmap(changed / "fit/train.frames.npy", mode="r+")
    known = Frames(changed / "fit", "train")
    for row, item in enumerate(read_json(changed / "fit/train.items.json")):
        if item["speaker"] == "bob":
            frames[known.offsets[row] : known.offsets[row + 1]] *= -9.0
    frames.flush()
    states = []
    for folder in (held_out, changed):
        system = new(model, folder, training={**new(model, folder).settings.training.model_dump(),
                                              "epochs": 1})
        system.fit(folder / "fit", Run(seed=1, work=folder / "work" / model))
        states.append([body.state_dict() for body in system.bodies])
    for fold, speaker in enumerate(SPEAKERS):
        same = all(torch.equal(states[0][fold][name], states[1][fold][name])
                   for name in states[0][fold])
        assert same == (speaker == "bob")


def test_a_fold_is_standardised_by_its_own_frames(held_out: Path, tmp_path: Path) -> None:
    system = new("mean_mlp", held_out)
    system.fit(held_out / "fit", Run(seed=1, work=tmp_path))
    frames, items = Frames(held_out / "fit", "train"), read_json(held_out / "fit/train.items.json")
    for body, speaker in zip(system.bodies, SPEAKERS, strict=True):
        kept = np.concatenate([word for word, item in zip(frames, items, strict=True)
                               if item["speaker"] != speaker])
        np.testing.assert_allclose(body.hearing.mean.numpy(), kept.mean(axis=0), rtol=1e-5)
        np.testing.assert_allclose(body.hearing.deviation.numpy(), kept.std(axis=0), rtol=1e-4)


def test_a_speaker_is_answered_by_the_network_that_never_heard_him(held_out: Path) -> None:
    system = new("frames_lstm", held_out)
    frames = Frames(held_out / "test", "test")
    for item, answer in zip(read_json(held_out / "test/test.items.json")[:6],
                            system.predict(held_out / "test", None), strict=False):
        word = frames[int(item["id"].removeprefix("test-"))]
        batch = padded([word])
        own = system.bodies[SPEAKERS.index(item["speaker"])].eval()
        expected = own(batch["frames"], batch["lengths"])[0].exp().tolist()
        assert list(answer["probabilities"].values()) == pytest.approx(expected, abs=1e-6)
    everyone = [body(batch["frames"], batch["lengths"])[0].exp() for body in system.bodies.eval()]
    unknown = system.answers_along(word, "somebody else")[-1]
    assert unknown.tolist() == pytest.approx(torch.stack(everyone).mean(dim=0).tolist(), abs=1e-6)


def test_a_saved_system_with_folds_answers_as_before(held_out: Path, tmp_path: Path) -> None:
    system = new("time_delay", held_out)
    system.fit(held_out / "fit", Run(seed=1, work=tmp_path / "work"))
    system.save(tmp_path / "model")
    assert min(np.mean(answers) for answers in right(system, held_out).values()) > 0.9
    again = type(system).load(tmp_path / "model")
    assert list(again.predict(held_out / "test", None)) == list(
        system.predict(held_out / "test", None))
    assert again.parameters_count * 3 == sum(p.numel() for p in again.parameters())


@pytest.mark.parametrize(("model", "method", "sees"), [
    ("frames_lstm", "answers_along", 1), ("step_mlp", "votes", 1),
    ("time_delay", "evidence_along", 7)])
def test_a_picture_shows_what_is_said_where_it_is_heard(model: str, method: str, sees: int,
                                                        plain: Path) -> None:
    system = new(model, plain)
    system.spec["hop"] = 0.01
    (name, figure), = system.pictures(plain / "test", 4)
    item, word = read_json(plain / "test/test.items.json")[4], Frames(plain / "test", "test")[4]
    above, below = (axes.images[0] for axes in figure.axes[:2])
    assert name == "along" and item["id"] in figure.get_suptitle()
    np.testing.assert_array_equal(above.get_array(), word.T)
    np.testing.assert_allclose(below.get_array(),
                               getattr(system, method)(word, item["speaker"]).T)
    left, end = below.get_extent()[:2]
    assert (left, end) == pytest.approx((
        0.005 * (sees - 1), 0.01 * len(word) - 0.005 * (sees - 1)))
    bold = [label.get_text() for label in figure.axes[1].get_yticklabels()
            if label.get_fontweight() == "bold"]
    assert bold == [item["label"]]
