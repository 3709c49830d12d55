"""Places that commands write to: every option of every verb that takes a path."""

import contextlib
import io
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from pipeline.commands.main import app, run
from pipeline.errors import UserError
from pipeline.storage.files import write_text
from pipeline.suite.schema import load
from pipeline.systems.base import system_class
from pipeline.tasks.tagging.systems.most_frequent import MostFrequentTag, Settings
from tests.conftest import ROOT

TAGS = {"forms": ["dog", "the"], "counts": [1, 1], "tags": ["DT", "NN"]}
WORDS = {"unit": "word", "vocabulary": ["<unk>", "<eos>", "the", "cat"]}
# What a verb is given beside each of its options that takes a path. A new one belongs here.
OPTIONS: dict[tuple[str, str], list[str]] = {
    ("predict", "--out"): ["predict", "tagger", "text.txt", "--format", "csv"],
    ("create", "--out"): ["create", "writer", "--length", "3"],
    ("site", "--output"): ["site"], ("verify", "--keep"): ["verify"]}
COMPOSE = ["create", "composer", "--length", "3", "--opening", "60"]


READ = {("predict", "--texts")}  # paths that are read


def path_options() -> Iterator[tuple[str, str]]:
    for verb in app:
        if not verb.startswith("-"):
            for argument in app[verb].assemble_argument_collection():
                if "Path" in str(argument.hint):
                    yield verb, argument.name


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Systems of which one answers, one writes and one composes; nothing is trained."""
    folder = tmp_path_factory.mktemp("models")
    MostFrequentTag(Settings(track="t", model="most_frequent"), TAGS).save(folder / "tagger")
    suite = load(ROOT / "params.yaml")
    for key, name, spec in (("lm-elman", "writer", WORDS), ("music-elman", "composer", {})):
        kind = system_class(suite.task_of(key), suite.systems[key]["model"])
        kind(suite.system(key), spec).save(folder / name)
    return folder


@pytest.fixture
def folder(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: a text, and links to the systems."""
    for model in models.iterdir():
        (tmp_path / model.name).symlink_to(model)
    (tmp_path / "text.txt").write_text("the dog\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def output(*arguments: str) -> str:
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        run(arguments)
    return shown.getvalue()


def refusal(arguments: Sequence[str]) -> str:
    with pytest.raises(UserError) as caught:
        run(arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_every_option_that_takes_a_path_is_tried_here() -> None:
    assert set(path_options()) == set(OPTIONS) | READ


@pytest.mark.parametrize("given", [*OPTIONS, ("compose", "--out")], ids=" ".join)
def test_a_place_that_cannot_be_written_is_refused_and_nothing_is_left(
        given: tuple[str, str], folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    verb, option = given
    arguments = COMPOSE if verb == "compose" else OPTIONS[given]
    if verb in ("site", "verify"):
        monkeypatch.chdir(ROOT)
    (folder / "file").write_text("kept")
    (folder / "loop").symlink_to("loop")
    (folder / "text-folder").mkdir()
    places = [folder / "file/below", folder / "loop", folder / ("x" * 256)]
    places += [folder / "file"] if verb in ("compose", "site", "verify") else [
        folder / "text-folder", Path("/"), Path()]
    places += [] if verb == "verify" else [folder / "none/deep", folder / "tagger/new",
                                           Path("/dev/full")]
    if verb in ("compose", "site"):
        places.remove(folder / "tagger/new")
    before = sorted(folder.rglob("*"))
    for place in places:
        assert place.name[:20] in refusal([*arguments, option, str(place)])
    assert sorted(folder.rglob("*")) == before
    assert (folder / "file").read_text() == "kept"


@pytest.mark.parametrize("verb", ["predict", "create"])
def test_an_answer_is_the_same_on_the_screen_and_in_every_kind_of_place(
        verb: str, folder: Path) -> None:
    arguments = OPTIONS[verb, "--out"]
    shown = output(*arguments)
    assert shown and output(*arguments, "--out", "-") == shown
    assert not (folder / "-").exists()
    (folder / "link").symlink_to("target")
    (folder / "there").write_text("old")
    (folder / "there").chmod(0o600)
    for name in ("new", "link", "there"):
        output(*arguments, "--out", name)
        assert (folder / name).read_text() == shown
    assert (folder / "link").is_symlink() and (folder / "target").is_file()
    assert stat.S_IMODE((folder / "there").stat().st_mode) == 0o600
    os.mkfifo(folder / "pipe")
    heard: list[str] = []
    reader = threading.Thread(target=lambda: heard.append((folder / "pipe").read_text()))
    reader.start()
    output(*arguments, "--out", "pipe")
    reader.join(20)
    assert heard == [shown] and stat.S_ISFIFO((folder / "pipe").stat().st_mode)
    output(*arguments, "--out", "/dev/null")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_pieces_go_into_a_folder_that_is_made_or_there(folder: Path) -> None:
    for name in ("new", "there"):
        (folder / "there").mkdir(exist_ok=True)
        output(*COMPOSE, "--out", name)
        assert sorted(path.name for path in (folder / name).iterdir()) == [
            "composition-1.mid", "composition-1.wav"]
    assert "name a folder" in refusal([*COMPOSE, "--out", "-"])
    assert "no folder" in refusal([*COMPOSE, "--out", "/dev/null"])


def test_what_an_answer_is_made_from_is_not_written_over(folder: Path) -> None:
    (folder / "link").symlink_to("text.txt")
    (folder / "hard").hardlink_to(folder / "text.txt")
    (folder / "texts").mkdir()
    (folder / "texts/a.txt").write_text("the dog\n")
    write_text(folder / "params.yaml", "root: .\nsuite: ''\n")
    for name in ("text.txt", "link", "hard", "./text.txt"):
        assert "is a file to answer as well" in refusal(
            [*OPTIONS["predict", "--out"], "--out", name])
    assert "as well" in refusal(["predict", "tagger", "texts", "--out", "texts/a.txt"])
    assert "params.yaml" in refusal([*OPTIONS["predict", "--out"], "--out", "params.yaml"])
    for name in ("tagger/system.json", "tagger/new", "tagger/artefacts/x"):
        (folder / "tagger/artefacts").mkdir(exist_ok=True)
        assert "trained system" in refusal([*OPTIONS["predict", "--out"], "--out", name])
    assert (folder / "text.txt").read_text() == "the dog\n"
    output("predict", "tagger", "texts", "--out", "texts/new.csv")
    assert (folder / "texts/new.csv").read_text()


def test_an_answer_that_fails_midway_leaves_the_old_file(folder: Path) -> None:
    (folder / "out").write_text("old")
    (folder / "bad.txt").write_bytes(b"the dog\n\xff\n")
    refusal(["predict", "tagger", "text.txt", "bad.txt", "--out", "out"])
    assert (folder / "out").read_text() == "old"
    assert not list(folder.glob(".*"))


def unrolled(*arguments: str, shell: str = "", cwd: Path = ROOT,
             **environment: str) -> subprocess.CompletedProcess[bytes]:
    command = ["bash", "-c", f'"$@" {shell}', "bash", sys.executable, "-m", "pipeline", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, timeout=100,
                          env=os.environ | {"PYTHONPATH": str(ROOT)} | environment)


@pytest.mark.parametrize("argument, shell, message", [
    ("--help", ">/dev/full", b"error: standard output cannot be written (No space left on device)"),
    ("ls", ">/dev/full", b"error: standard output cannot be written (No space left on device)"),
    ("ls", ">&-", b"error: standard output is closed")])
def test_standard_output_that_takes_nothing_is_an_error(argument: str, shell: str,
                                                        message: bytes) -> None:
    done = unrolled(argument, shell=shell)
    assert done.returncode == 2
    assert done.stderr.startswith(message) and done.stderr.count(b"\n") == 1


def test_an_answer_is_the_same_bytes_whatever_the_locale(folder: Path) -> None:
    (folder / "text.txt").write_text("the café 犬\n")
    done = unrolled("predict", "tagger", "text.txt", cwd=folder, PYTHONIOENCODING="ascii")
    assert done.returncode == 0 and done.stderr == b""
    assert all(word in done.stdout.decode("utf-8") for word in ("café", "犬"))


def test_standard_input_that_is_closed_is_named(folder: Path,
                                                monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    assert refusal(["predict", "tagger", "-"]).startswith("-: standard input is closed")


def test_a_place_is_looked_at_before_anything_is_computed_for_it(folder: Path) -> None:
    assert "make the folder first" in refusal(
        ["predict", "tagger", "nowhere.txt", "--out", "none/deep"])
