"""Checkpoints: whole at every instant, checked before use, and the way on when one is damaged."""

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from pipeline.errors import UserError
from pipeline.stops import Stopped
from pipeline.systems import training
from pipeline.systems.base import Run
from pipeline.systems.resume import elapsed_seconds, latest
from tests.damage import cut_byte, files_in, flip_bit
from tests.systems.test_training import Interrupted, ToySystem, settings, train
from tests.trials import trials

ROOT = Path(__file__).resolve().parents[2]
EPOCHS = 2
# Overshoots, so the first epochs are the best, and patience ends it.
WILD: dict[str, Any] = {"epochs": 30, "learning_rate": 3.0}


@pytest.fixture(autouse=True)
def short_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "SEGMENT_BATCHES", 7)


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[dict]]:
    """Weights and curve of a training that nobody interrupts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "SEGMENT_BATCHES", 7)
        return train(tmp_path_factory.mktemp("straight"), epochs=EPOCHS)


def in_child(action: Callable[[], object]) -> int:
    """Do it in a forked process; the signal that ended that, as a negative number, or its code."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        action()
    finally:
        os._exit(0)


def killed_at_touch(work: Path, number: int) -> int:
    """Train until the `number`th time that anything in `work` is opened, renamed or removed."""
    touched = 0

    def watch(event: str, arguments: tuple) -> None:
        nonlocal touched
        if event.startswith(("open", "os.")) and any(
                str(argument).startswith(str(work)) for argument in arguments):
            touched += 1
            if touched == number:
                os.kill(os.getpid(), signal.SIGKILL)

    def training_to_kill() -> None:
        sys.addaudithook(watch)
        train(work, **WILD)
        with (work.parent / "touches").open("w") as file:
            file.write(str(touched))

    return in_child(training_to_kill)


@pytest.mark.fuzz
def test_a_kill_at_any_touch_of_a_file_changes_nothing(tmp_path: Path) -> None:
    """Before each open, rename and removal: no checkpoint is lost, and the end is the same.

    The best epoch is not the last one, so its weights must outlive later checkpoints.
    """
    straight = train(tmp_path / "straight", **WILD)
    assert killed_at_touch(tmp_path / "whole", 10**9) == 0
    touches = int((tmp_path / "touches").read_text())
    assert touches > 100
    for number in random.Random(0).sample(range(1, touches + 1), trials(10, touches)):
        work = tmp_path / str(number)
        assert killed_at_touch(work, number) == -signal.SIGKILL
        taken = latest(work)
        assert not (taken and taken.damages), number
        assert train(work, **WILD) == straight, number
        shutil.rmtree(work)


def interrupted(work: Path, stop_at: int) -> Path:
    """A training that ends in its midst, and the folder with what it has left."""
    system = ToySystem(settings(epochs=EPOCHS), {}, stop_at=stop_at)
    with pytest.raises(Interrupted):
        system.fit(Path("."), Run(seed=1, work=work))
    return work


@pytest.mark.parametrize("damage", [flip_bit, cut_byte])
def test_damage_to_any_file_of_the_newest_is_said_and_the_one_before_taken_up(
        tmp_path: Path, straight: tuple[str, list[dict]], capfd: pytest.CaptureFixture[str],
        damage: Callable[[Path, random.Random], None]) -> None:
    work = interrupted(tmp_path / "whole", stop_at=30)
    newest = latest(work)
    assert newest
    names = [path.name for path in files_in(newest.folder)]
    assert sorted(names) == ["best.pt", "last.ckpt", "progress.json", "seal.json"]
    for name in names:
        copy = tmp_path / f"damaged {name}"
        shutil.copytree(work, copy)
        damage(copy / newest.folder.name / name, random.Random(name))
        capfd.readouterr()
        assert train(copy, epochs=EPOCHS) == straight
        said = capfd.readouterr().out.splitlines()
        [warning] = [line for line in said if line.startswith("warning: ")]
        assert str(copy / newest.folder.name / name) in warning and "to train from" not in warning
        assert warning.endswith("; going on from the checkpoint before")


def test_a_missing_file_of_a_checkpoint_is_damage(tmp_path: Path,
                                                  straight: tuple[str, list[dict]]) -> None:
    for name in ("best.pt", "last.ckpt", "progress.json", "seal.json"):
        work = interrupted(tmp_path / name, stop_at=30)
        newest = latest(work)
        assert newest
        (newest.folder / name).unlink()
        before = latest(work)
        assert before and before.folder < newest.folder and name in before.damages[0]
        assert train(work, epochs=EPOCHS) == straight


@pytest.mark.parametrize("name", ["best.pt", "last.ckpt", "progress.json", "seal.json"])
def test_where_every_checkpoint_is_damaged_the_remedy_is_said(tmp_path: Path, name: str) -> None:
    work = interrupted(tmp_path, stop_at=30)
    for folder in work.glob("checkpoint-*"):
        flip_bit(folder / name, random.Random(1))
    for reader in (latest, elapsed_seconds, train):
        with pytest.raises(UserError, match=rf"{name}.*remove .*{work} to train from the start"):
            reader(work)


def test_two_checkpoints_are_kept(tmp_path: Path) -> None:
    work = interrupted(tmp_path, stop_at=30)
    assert len(list(work.iterdir())) == len(list(work.glob("checkpoint-*"))) == 2


def test_a_training_that_patience_has_ended_is_not_taken_further(tmp_path: Path) -> None:
    """Its stage may have been killed after the last checkpoint, before the model was saved."""
    first = train(tmp_path, **WILD)
    assert len(first[1]) < 30
    assert train(tmp_path, **WILD) == first


def test_seconds_of_killed_attempts_add_up(tmp_path: Path) -> None:
    work = interrupted(tmp_path, stop_at=30)
    earlier = elapsed_seconds(work)
    ToySystem(settings(epochs=EPOCHS), {}).fit(
        Path("."), Run(seed=1, work=work, earlier_seconds=earlier + 1000))
    assert elapsed_seconds(work) > 1000 + earlier


def stop_in_child(work: Path, name: signal.Signals, batch: int) -> NoReturn:
    """In a child: train, told to stop by a signal at a batch; the process ends with its code."""
    system = ToySystem(settings(epochs=EPOCHS), {})
    original = system.loss

    def loss(data: dict) -> tuple:
        if system.training and system.batches_seen == batch:
            os.kill(os.getpid(), name)
        return original(data)

    system.loss = loss  # type: ignore[method-assign]
    try:
        system.fit(Path("."), Run(seed=1, work=work))
    except Stopped as stopped:
        os.write(sys.stderr.fileno(), stopped.remark.encode())
        os._exit(int(str(stopped.code)))
    os._exit(0)


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_to_stop_ends_a_training_with_its_code_and_a_line(
        tmp_path: Path, straight: tuple[str, list[dict]], capfd: pytest.CaptureFixture[str],
        name: signal.Signals) -> None:
    for batch in (3, 20, 31):
        work = tmp_path / str(batch)
        assert in_child(lambda work=work, batch=batch: stop_in_child(work, name, batch)
                        ) == 128 + name
        said = capfd.readouterr()
        assert said.err == "the same command goes on from the last checkpoint"
        assert train(work, epochs=EPOCHS) == straight


def test_the_handlers_of_others_stay(tmp_path: Path) -> None:
    """A hang-up that is ignored (nohup) stays ignored, and after a training all is as before."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        names = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
        handlers = [signal.getsignal(name) for name in names]
        system = ToySystem(settings(epochs=1), {})
        original = system.loss

        def loss(data: dict) -> tuple:
            os.kill(os.getpid(), signal.SIGHUP)
            return original(data)

        system.loss = loss  # type: ignore[method-assign]
        system.fit(Path("."), Run(seed=1, work=tmp_path))
        assert [signal.getsignal(name) for name in names] == handlers
    finally:
        signal.signal(signal.SIGHUP, before)


STAGE = """
import sys
from pathlib import Path
from pipeline.ending import run_command
from pipeline.systems import training
from tests.systems.test_training import train
training.SEGMENT_BATCHES = 7
run_command(lambda: train(Path(sys.argv[1]), epochs=100000, patience=0))
"""


def test_a_whole_process_ends_with_143(tmp_path: Path) -> None:
    """From outside, at whatever it does: 143 and a line, no traceback, a whole checkpoint."""
    process = subprocess.Popen([sys.executable, "-c", STAGE, str(tmp_path)], cwd=ROOT,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout and process.stdout.readline().startswith("epoch 1/")
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate()
    assert process.returncode == 143
    assert errors == "stopped: terminated; the same command goes on from the last checkpoint\n"
    taken = latest(tmp_path)
    assert taken is None or not taken.damages


def test_weights_of_the_best_epoch_come_back_after_a_kill(tmp_path: Path) -> None:
    """The best epoch lies before the kill, and no later one is better."""
    whole, curve = train(tmp_path / "whole", **WILD)
    losses = [point["validation_loss"] for point in curve]
    best = losses.index(min(losses)) + 1
    assert best < len(losses)
    system = ToySystem(settings(**WILD), {}, stop_at=20 * best + 10)
    with pytest.raises(Interrupted):
        system.fit(Path("."), Run(seed=1, work=tmp_path / "killed"))
    assert train(tmp_path / "killed", **WILD) == (whole, curve)


def test_a_checkpoint_of_other_libraries_is_not_gone_on_from(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "_LIBRARIES", {"lightning": "1.0", "torch": "1.0"})
        interrupted(tmp_path / "killed", stop_at=30)
        finished = train(tmp_path / "finished", epochs=EPOCHS)
    with pytest.raises(UserError, match="written with lightning 1.0, torch 1.0, .*remove the"):
        train(tmp_path / "killed", epochs=EPOCHS)
    assert train(tmp_path / "finished", epochs=EPOCHS) == finished


def test_all_of_a_checkpoint_is_written_through_beside_its_place(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each file, the folder of them, and the folder's own name; nothing passes through TMPDIR."""
    through: list[str] = []
    original = os.fsync

    def fsync(descriptor: int) -> None:
        through.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        original(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    work = tmp_path / "work"
    train(work, epochs=1)
    newest = latest(work)
    assert newest
    part = work / f".{newest.folder.name}.part"
    last = through[max(index for index, path in enumerate(through) if "last.ckpt" in path):]
    places = [next(index for index, path in enumerate(last) if path.startswith(f"{part}/")
                   and name in path) for name in ("last.ckpt", "best.pt", "progress", "seal")]
    assert places == sorted(places)
    rest = last[places[-1] + 1 :]
    assert rest[: rest.index(str(work)) + 1][-2:] == [str(part), str(work)]
