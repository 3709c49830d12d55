"""Recordings of one's own and their texts: aligned as in the suite, or refused."""

import contextlib
import io
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from praatio import textgrid

from pipeline.audio.frames import Frames
from pipeline.commands.main import run
from pipeline.corpora import librispeech
from pipeline.errors import UserError
from pipeline.storage.files import read_json
from pipeline.systems.base import Run
from pipeline.tasks.alignment import own
from pipeline.tasks.alignment.features import Settings as FeatureSettings
from pipeline.tasks.alignment.features import extract
from pipeline.tasks.alignment.systems.given import Given, Settings
from pipeline.tasks.contract import OwnFile, Trained
from tests.tasks.alignment.raw import write_raw
from tests.tasks.alignment.toned import FEATURES, RATE, SAID, Times, sound, spoken

SETTINGS = {
    "track": "alignment", "model": "given", "divergence": "all-frames", "hidden": 16, "layers": 1,
    "dropout": 0.0, "input_noise": 0.1, "batch_utterances": 5, "prior_scale": 0.0,
    "training": {"epochs": 12, "optimizer": "adam", "learning_rate": 0.02, "schedule": "cosine",
                 "warmup_steps": 5, "weight_decay": 0.0, "gradient_clip": 1.0, "patience": 0},
    "variants": {"constrained": {"search": "constrained"}, "free": {"search": "time-synchronous"}},
}


@pytest.fixture(scope="module")
def model(features: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a system that has learnt the tones."""
    torch.manual_seed(0)
    system = Given(Settings.model_validate(SETTINGS), read_json(features / "fit/spec.json"))
    system.artefacts = features / "fit/artefacts"
    system.fit(features / "fit", Run(seed=1, work=tmp_path_factory.mktemp("work")))
    folder = tmp_path_factory.mktemp("models") / "given"
    system.save(folder, features / "fit/artefacts")
    return folder


def trained(features: Path) -> Trained:
    return Trained(read_json(features / "fit/spec.json"), features / "fit/artefacts")


def quiet(words: list[str], seed: int = 0) -> tuple[np.ndarray, Times]:
    """A recording with 150 ms of quiet around its words, whose times are given."""
    random = np.random.default_rng(seed)
    phones, edges = spoken(words, random)
    length = phones[-1][2]
    samples = sound([("SIL", 0.0, 0.15), *((label, begin + 0.15, end + 0.15)
                                           for label, begin, end in phones),
                     ("SIL", length + 0.15, length + 0.3)], random)
    return samples, [(word, begin + 0.15, end + 0.15) for word, begin, end in edges]


def told(files: list[Path]) -> list[OwnFile]:
    """Recordings with what is said in the texts beside them."""
    return [OwnFile(str(path), path, path.with_suffix(".txt").read_text("utf-8").strip())
            for path in files]


@pytest.mark.parametrize("changes", [{}, {"normalise": "utterance"}, {"margins": None},
                                     {"front_end": {**FEATURES["front_end"], "kind": "mfcc",
                                                    "coefficients": 5, "deltas": 1}}])
def test_frames_and_phones_are_those_of_the_features(changes: dict, corpus: Path,
                                                     tmp_path: Path) -> None:
    settings = FeatureSettings.model_validate({**FEATURES, **changes})
    for part in ("fit", "test", "own"):
        (tmp_path / part).mkdir()
    extract(settings, corpus, librispeech, tmp_path / "fit", tmp_path / "test")
    files = write_raw(tmp_path / "test", tmp_path / "raw", corpus, settings)
    own.prepare(told(files), trained(tmp_path), tmp_path / "own")
    for name in ("test.frames.npy", "test.offsets.npy"):
        assert (tmp_path / "own" / name).read_bytes() == (tmp_path / "test" / name).read_bytes()
    kept = ("text", "frames", "seconds")
    found, wanted = (read_json(tmp_path / part / "test.items.json") for part in ("own", "test"))
    assert [[item[name] for name in kept] for item in found] == [
        [item[name] for name in kept] for item in wanted]
    assert [item["phones"][1:-1] for item in found] == [
        [phone for phone in item["phones"] if phone != "SIL"] for item in wanted]


def test_the_test_recordings_are_aligned_as_in_the_suite(model: Path, features: Path,
                                                         corpus: Path, tmp_path: Path) -> None:
    files = write_raw(features / "test", tmp_path / "raw", corpus,
                      FeatureSettings.model_validate(FEATURES))
    items = own.prepare(told(files), trained(features), tmp_path)
    system = Given.load(model)
    variant = system.settings.variants["constrained"]
    expected = list(system.predict(features / "test", variant))
    found = list(system.predict(tmp_path, variant))
    assert [(one["phones"], one["begins"]) for one in found] == [
        (one["phones"], one["begins"]) for one in expected]
    wanted = read_json(features / "test/test.items.json")
    for item, one, prediction in zip(items, wanted, found, strict=True):
        rows = list(own.present(item, prediction, trained(features)))
        ends = [*prediction["begins"][1:], one["seconds"]]
        assert [(row["word"], row["begin"], row["end"]) for row in rows] == [
            (word, round(prediction["begins"][first], 3), round(ends[first + count - 1], 3))
            for word, first, count in one["words"]]
        assert [phone["phone"] for row in rows for phone in row["phones"]] == one["phones"][1:-1]


@pytest.fixture
def folder(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a link to the system."""
    (tmp_path / "given").symlink_to(model)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def output(*arguments: str) -> str:
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        run(["predict", *arguments])
    return shown.getvalue()


@pytest.mark.parametrize(("name", "rate", "channels"), [
    ("a.wav", 44_100, 2), ("a.flac", 16_000, 1), ("a.ogg", 48_000, 2)])
def test_words_are_found_where_they_are_said(name: str, rate: int, channels: int,
                                             folder: Path) -> None:
    samples, edges = quiet(["TWO", "NO", "SEE"])
    places = np.arange(0, len(samples), RATE / rate)
    heard = np.interp(places, np.arange(len(samples)), samples)
    soundfile.write(folder / name, np.repeat(heard[:, None], channels, axis=1), rate)
    lines = output("given", name, "--text", "“Two” -- no, see!").splitlines()
    assert len(lines) == 3
    for line, (word, begin, end) in zip(lines, edges, strict=True):
        file, found_begin, found_end, found = line.split("\t")
        assert (file, found.upper()) == (name, word)
        assert abs(float(found_begin) - begin) <= 0.02 and abs(float(found_end) - end) <= 0.02


def test_praat_tools_read_words_and_phones(folder: Path) -> None:
    samples, edges = quiet(["KNEE", "TEA"])
    soundfile.write("my.wav", samples, RATE)
    run(["predict", "given", "my.wav", "--text", "knee tea", "--format", "textgrid", "--out",
         "my.TextGrid"])
    grid = textgrid.openTextgrid("my.TextGrid", includeEmptyIntervals=False)
    assert list(grid.tierNames) == ["words", "phones"]
    assert grid.maxTimestamp == pytest.approx(len(samples) / RATE, abs=0.0005)
    words, phones = (grid.getTier(name).entries for name in ("words", "phones"))
    assert [one.label for one in words] == ["knee", "tea"]
    assert [one.label for one in phones] == ["N", "IY", "T", "IY"]
    for found, (_, begin, end) in zip(words, edges, strict=True):
        assert abs(found.start - begin) <= 0.02 and abs(found.end - end) <= 0.02
    # A word is as long as its phones.
    assert [(words[0].start, words[0].end), (words[1].start, words[1].end)] == [
        (phones[0].start, phones[1].end), (phones[2].start, phones[3].end)]


def test_several_recordings_have_a_list_and_one_ctm(folder: Path) -> None:
    for name, words in (("a", ["NO", "TWO"]), ("b", ["SEE"])):
        soundfile.write(f"{name}.wav", quiet(words)[0], RATE)
    Path("texts.txt").write_text("b see\na no two\n")
    lines = output("given", "a.wav", "b.wav", "--texts", "texts.txt", "--format", "ctm")
    found = [re.fullmatch(r"(\S+) 1 (\d+\.\d{3}) (\d+\.\d{3}) (\S+)", line)
             for line in lines.splitlines()]
    assert [(one[1], one[4]) for one in found if one] == [("a", "no"), ("a", "two"), ("b", "see")]


def record(path: Path, seconds: float, loud: float = 0.5) -> Path:
    time = np.arange(round(seconds * RATE)) / RATE
    soundfile.write(path, loud * np.sin(2 * np.pi * 1000 * time), RATE)
    return path


@pytest.mark.parametrize(("text", "seconds", "loud", "message"), [
    (None, 1.0, 0.5, "my.wav: nobody says what is said in it; give it by --text"),
    ("", 1.0, 0.5, "my.wav: its text has no word"),
    (" -- … ", 1.0, 0.5, "my.wav: its text has no word"),
    ("no xyzzyx two", 1.0, 0.5, "my.wav: its text has the word 'xyzzyx', which neither"),
    ("no 12 two", 1.0, 0.5, r"the word '12', .*\(numbers in words\)"),
    ("a joyful noise", 1.0, 0.5, "my.wav: the word 'a' has the sound AH, which the system never"),
    ("no two", 0.06, 0.5, r"my.wav: the 6 sounds of its text do not fit in 0\.06 s"),
    ("no two", 1.0, 0.0, "my.wav: nobody speaks in it, for nothing is louder than -70 dB"),
    ("no two", own.LONGEST + 1, 0.5, "my.wav: 121 s; give recordings of at most 120 s"),
])
def test_what_cannot_be_aligned_is_refused(text: str | None, seconds: float, loud: float,
                                           message: str, features: Path, tmp_path: Path) -> None:
    file = OwnFile("my.wav", record(tmp_path / "x.wav", seconds, loud), text)
    with pytest.raises(UserError, match=message):
        own.prepare([file], trained(features), tmp_path)


def test_equal_neighbours_need_a_frame_between_them(features: Path, tmp_path: Path) -> None:
    # 6 sounds and, between the two of IY and IY in "see eat", no more than 6 frames.
    file = OwnFile("my.wav", record(tmp_path / "x.wav", 0.075), "see eat")
    with pytest.raises(UserError, match="my.wav: the 6 sounds of its text do not fit in"):
        own.prepare([file], trained(features), tmp_path)
    file = OwnFile("my.wav", record(tmp_path / "x.wav", 0.085), "see eat")
    assert len(own.prepare([file], trained(features), tmp_path)) == 1
    assert len(Frames(tmp_path, "test")[0]) == 7


def test_a_search_that_is_not_told_leaves_out_what_it_did_not_find(features: Path,
                                                                   tmp_path: Path) -> None:
    file = OwnFile("my.wav", record(tmp_path / "x.wav", 1.0), "no two")
    item, = own.prepare([file], trained(features), tmp_path)
    rows = list(own.present(item, {"phones": ["SIL", "T", "UW", "SIL"],
                                   "begins": [0.0, 0.5, 0.6, 0.7]}, trained(features)))
    assert rows == [{"file": "my.wav", "seconds": 1.0, "word": "two", "begin": 0.5, "end": 0.7,
                     "phones": [{"phone": "T", "begin": 0.5, "end": 0.6},
                                {"phone": "UW", "begin": 0.6, "end": 0.7}]}]
    with pytest.raises(UserError, match="my.wav: none of the words of its text was heard"):
        list(own.present(item, {"phones": ["SIL"], "begins": [0.0]}, trained(features)))


def test_words_that_the_corpus_lacks_are_said_as_cmu_says_them(features: Path,
                                                               tmp_path: Path) -> None:
    assert "EAT" not in SAID
    item, = own.prepare([OwnFile("my.wav", record(tmp_path / "x.wav", 1.0), "Eat, no!")],
                        trained(features), tmp_path)
    assert item["spoken"].phones == ["SIL", "IY", "T", "N", "OW", "SIL"]
    assert [word for word, _, _ in item["spoken"].words] == ["Eat", "no"]
