"""The utterance that is followed through training: its numbers, its places, and no trace of it."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.audio.frames import Frames
from pipeline.storage.files import read_json
from pipeline.systems.base import Run
from pipeline.tasks.asr.shared import training_pictures
from pipeline.tasks.asr.shared.followed import Followed, Moment
from pipeline.tasks.asr.systems.bilstm_ctc import BilstmCtc, Settings
from tests.tasks.asr.test_bilstm_ctc import SETTINGS

EPOCHS = 4
GREEDY = {"greedy": {"search": "greedy", "language_model": "none"}}


class Unwatched(BilstmCtc):
    """It follows nothing."""

    def begin_epoch(self, training: bool) -> None:
        pass


def fitted(features: Path, work: Path, kind: type[BilstmCtc] = BilstmCtc) -> BilstmCtc:
    torch.manual_seed(0)
    settings = Settings.model_validate({**SETTINGS, "variants": GREEDY, "training": {
        **SETTINGS["training"], "epochs": EPOCHS}})
    system = kind(settings, read_json(features / "fit" / "spec.json"))
    system.fit(features / "fit", Run(seed=1, work=work))
    return system


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("work")


@pytest.fixture(scope="module")
def system(features: Path, work: Path) -> BilstmCtc:
    return fitted(features, work)


def test_each_epoch_has_the_loss_of_the_middle_utterance(system: BilstmCtc,
                                                         features: Path) -> None:
    items, frames = read_json(features / "fit/valid.items.json"), Frames(features / "fit", "valid")
    found = system.followed
    assert found is not None and len(found.moments) == EPOCHS
    assert found.text == items[found.place]["text"] and found.id == items[found.place]["id"]
    length = len(frames[found.place])
    assert sum(one < length for one in frames.lengths) <= 4  # of 8
    assert sum(one > length for one in frames.lengths) <= 3
    # The weights that are left are those of the best epoch, here the last.
    emissions = torch.from_numpy(system.emissions([frames[found.place]])[0])
    letters = torch.tensor([1 + system.spec["symbols"].index(letter) for letter in found.text])
    loss = torch.nn.functional.ctc_loss(emissions, letters, torch.tensor(len(emissions)),
                                        torch.tensor(len(letters)), reduction="sum")
    assert found.moments[-1].total == pytest.approx(float(loss), rel=1e-4)
    assert found.moments[0].total > 2 * found.moments[-1].total
    for moment in found.moments:
        assert moment.best > moment.total
        flat = np.ravel(moment.places)
        assert (np.diff(flat) >= 0).all() and flat[0] >= 0 and flat[-1] <= len(emissions)


def test_following_changes_no_weight_and_draws_no_number(system: BilstmCtc, features: Path,
                                                         tmp_path: Path) -> None:
    unwatched = fitted(features, tmp_path, Unwatched)
    assert unwatched.followed is not None and not unwatched.followed.moments
    assert all(torch.equal(tensor, unwatched.tensors()[name])
               for name, tensor in system.tensors().items())
    torch.manual_seed(7)
    before = torch.random.get_rng_state()
    for learning in (True, False):
        system.train(learning)
        system.begin_epoch(training=False)
        assert all(module.training == learning for module in system.modules())
    assert system.followed is not None
    del system.followed.moments[EPOCHS:]
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.parametrize("ended", [True, False])
def test_a_training_that_was_killed_knows_all_epochs(system: BilstmCtc, features: Path,
                                                     work: Path, tmp_path: Path,
                                                     ended: bool) -> None:
    shutil.copytree(work, tmp_path / "work")
    if not ended:
        shutil.rmtree(max((tmp_path / "work").glob("checkpoint-*")))
    again = fitted(features, tmp_path / "work")
    assert again.followed == system.followed


def test_it_is_saved_as_json_and_read_back(system: BilstmCtc, tmp_path: Path) -> None:
    system.save(tmp_path)
    assert BilstmCtc.load(tmp_path).followed == system.followed
    written = read_json(tmp_path / "texts.json")["followed"]
    assert [sorted(moment) for moment in written["moments"]] == [["best", "places", "total"]] * 4
    assert written["stack"] == 2


def test_the_middle_is_among_those_that_say_anything() -> None:
    items = [{"id": str(number), "text": text} for number, text in enumerate(["A", "", "B", "C"])]
    found = Followed.middle(items, np.array([9, 5, 3, 7]), stack=2)
    assert found is not None and (found.id, found.place) == ("3", 3)
    assert Followed.middle(items[1:2], np.array([5]), stack=2) is None


def test_numbers_of_two_frames_are_those_worked_out_by_hand() -> None:
    """Blank 0.6 and A 0.4 in both frames: A has 0.24, 0.24 and 0.16, in all 0.64."""
    found = Followed("u", "A", 0, 3)
    found.see(np.log([[0.6, 0.4], [0.6, 0.4]]), [1])
    assert found.moments[0].total == pytest.approx(-np.log(0.64))
    assert found.moments[0].best == pytest.approx(-np.log(0.24))
    again = Followed("u", "A", 0, 3)
    again.take_carried(found.carried())
    assert again == found == Followed.from_json(found.to_json())


def test_curves_and_places_are_drawn_in_epochs_and_frames() -> None:
    found = Followed("u", "A B", 0, 3, [
        Moment(50.0, 60.0, [[0, 1], [2, 4], [4, 5]]), Moment(10.0, 11.0, [[1, 2], [3, 4], [6, 8]])])
    above, below = training_pictures.alignments(found).axes
    assert [line.get_ydata().tolist() for line in above.lines] == [[50, 10], [60, 11]]
    assert above.get_title() == "u: A B"
    bars = [collection.get_segments() for collection in below.collections]
    assert [[[float(x) for x, _ in bar] for bar in symbol] for symbol in bars] == [
        [[0, 3], [3, 6]], [[6, 12], [9, 12]], [[12, 15], [18, 24]]]
    assert [text.get_text() for text in below.texts] == ["A", "␣", "B"]


def test_the_smallest_example_is_drawn_with_its_sums() -> None:
    left, right = training_pictures.paths_and_strings().axes
    for axes, wanted in ((left, {"–A": 0.24, "A–": 0.24, "AA": 0.16, "––": 0.36}),
                         (right, {"“A”": 0.64, "nothing": 0.36})):
        names = [label.get_text() for label in axes.get_yticklabels()]
        assert dict(zip(names, [bar.get_width() for bar in axes.patches],
                        strict=True)) == pytest.approx(wanted)
