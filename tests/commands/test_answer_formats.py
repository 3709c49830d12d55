"""`unrolled predict --format`: what a recogniser heard and when, as files of other programs."""

import contextlib
import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.commands.answer_formats import task_formats
from pipeline.commands.main import run
from pipeline.errors import UserError
from pipeline.modules import task_module, tasks
from pipeline.storage import predictions
from pipeline.tasks.asr.systems.bilstm_ctc import BilstmCtc
from pipeline.tasks.asr.systems.bilstm_ctc import Settings as CtcSettings
from pipeline.tasks.tagging.systems.most_frequent import MostFrequentTag, Settings
from tests.conftest import ROOT
from tests.tasks.asr.test_bilstm_ctc import SETTINGS
from tests.tasks.asr.timed import SPEC, install, record, save

TONES = ((0.2, 0.5), (0.7, 0.9))
CTM_LINE = re.compile(r"(\S+) 1 (\d+\.\d{3}) (\d+\.\d{3}) (\S+) (\d\.\d{3})")
SRT_BLOCK = re.compile(r"(\d+)\n(\d\d:\d\d:\d\d,\d{3}) --> (\d\d:\d\d:\d\d,\d{3})\n(.*)\n\n")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Systems that hear with times and without, and one that hears nothing."""
    folder = tmp_path_factory.mktemp("models")
    with pytest.MonkeyPatch.context() as patch:
        system = install(patch)
        save(system, folder / "timed")
        save(system, folder / "gaps", frame_ms=5.0, dft_points=80, mels=4)
        BilstmCtc(CtcSettings.model_validate(SETTINGS), SPEC).save(folder / "ctc")
        MostFrequentTag(Settings(track="t", model="most_frequent"),
                        {"forms": ["dog"], "counts": [1], "tags": ["NN"]}).save(folder / "tagger")
        yield folder


@pytest.fixture
def folder(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a recording, one without speech, and links to the systems."""
    for model in models.iterdir():
        (tmp_path / model.name).symlink_to(model)
    record(tmp_path / "said.wav", *TONES)
    record(tmp_path / "silent.wav", seconds=0.8)
    (tmp_path / "text.txt").write_text("dog\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def output(*arguments: str) -> str:
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        run(["predict", *arguments])
    return shown.getvalue()


def refusal(*arguments: str) -> str:
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown), pytest.raises(UserError) as caught:
        run(["predict", *arguments])
    assert "\n" not in str(caught.value) and shown.getvalue() == ""
    return str(caught.value)


def near(found: list[tuple[float, float]], wanted: tuple[tuple[float, float], ...]) -> bool:
    """A frame of 25 ms that holds a part of a tone is loud, and frames begin 10 ms apart."""
    return len(found) == len(wanted) and all(
        abs(begin - first) <= 0.035 and abs(end - last) <= 0.035
        for (begin, end), (first, last) in zip(found, wanted, strict=True))


def ctm_lines(text: str) -> list[tuple[str, float, float, str, str]]:
    lines = [CTM_LINE.fullmatch(line) for line in text.splitlines()]
    assert all(lines)
    return [(found[1], float(found[2]), float(found[2]) + float(found[3]), found[4], found[5])
            for found in lines if found]


def intervals(text: str) -> dict[str, list[tuple[float, float, str]]]:
    """The tiers of a TextGrid, read as Praat reads it: by its numbers and strings in their order,
    whatever stands between them.
    """
    found = iter(re.findall(r'"(?:[^"]|"")*"|<exists>|(?<![\w\[])\d+(?:\.\d+)?(?![\w\]])', text))
    assert [next(found), next(found)] == ['"ooTextFile"', '"TextGrid"']
    start, end, exists, tiers = (next(found) for _ in range(4))
    assert (float(start), exists) == (0, "<exists>")
    grid = {}
    for _ in range(int(tiers)):
        kind, name, first, last, count = (next(found) for _ in range(5))
        assert (kind, first, last) == ('"IntervalTier"', start, end)
        grid[name[1:-1]] = tier = [
            (float(next(found)), float(next(found)), next(found)[1:-1].replace('""', '"'))
            for _ in range(int(count))]
        assert [tier[0][0], tier[-1][1]] == [0, float(end)]
        assert all(left[1] == right[0] for left, right in zip(tier, tier[1:], strict=False))
    assert next(found, None) is None
    return grid


def test_words_are_written_with_their_times_and_confidences(folder: Path) -> None:
    lines = ctm_lines(output("timed", "said.wav", "--format", "ctm"))
    assert [(line[0], line[3], line[4]) for line in lines] == [("said", "TONE", "0.123")] * 2
    assert near([line[1:3] for line in lines], TONES)
    said = [word for word in intervals(output("timed", "said.wav", "--format", "textgrid"))[
        "words"] if word[2]]
    assert [(round(begin, 3), round(end, 3)) for begin, end, _ in said] == [
        (line[1], pytest.approx(line[2])) for line in lines]
    blocks = SRT_BLOCK.findall(output("timed", "said.wav", "--format", "srt"))
    assert [(number, text) for number, _, _, text in blocks] == [("1", "TONE TONE")]
    assert blocks[0][1].startswith("00:00:00,") and blocks[0][1] < blocks[0][2]


def test_words_are_in_json_and_csv_and_not_in_text(folder: Path) -> None:
    (row,) = map(json.loads, output("timed", "said.wav", "--format", "json").splitlines())
    assert row["hypothesis"] == "TONE TONE" and row["seconds"] == 1.0
    assert near([(word["begin"], word["end"]) for word in row["words"]], TONES)
    assert [word["confidence"] for word in row["words"]] == [0.123457] * 2
    (found,) = csv.DictReader(io.StringIO(output("timed", "said.wav", "--format", "csv")))
    assert json.loads(found["words"]) == row["words"]
    assert output("timed", "said.wav") == "said.wav\tTONE TONE\n"
    (row,) = map(json.loads, output("timed", "silent.wav", "--format", "json").splitlines())
    assert row["words"] == [] and row["hypothesis"] == ""
    (row,) = map(json.loads, output("ctc", "said.wav", "--format", "json").splitlines())
    assert "words" not in row


def test_words_can_be_kept_as_predictions(folder: Path, tmp_path: Path) -> None:
    """The form of `words` is one that a table of predictions holds, with some of them empty."""
    kept = [{"id": "a", "hypothesis": "YES", "words": [
        {"word": "YES", "begin": 0.5, "end": 0.75, "confidence": 0.5}]},
        {"id": "b", "hypothesis": "", "words": []}]
    predictions.write(tmp_path / "kept.parquet", kept)
    assert predictions.read(tmp_path / "kept.parquet") == kept


def test_a_recording_without_speech_gives_a_file_without_words(folder: Path) -> None:
    assert output("timed", "silent.wav", "--format", "ctm") == ""
    assert output("timed", "silent.wav", "--format", "srt") == ""
    assert intervals(output("timed", "silent.wav", "--format", "textgrid")) == {
        "words": [(0.0, 0.8, "")]}
    output("timed", "silent.wav", "--format", "srt", "--out", "silent.srt")
    assert (folder / "silent.srt").read_bytes() == b""


def test_a_word_up_to_the_end_of_a_recording_ends_with_it(folder: Path) -> None:
    """Frames of 5 ms begin 10 ms apart, so the last one stands for more than there is."""
    record(folder / "loud.wav", (0.0, 0.506), seconds=0.506)
    (row,) = map(json.loads, output("gaps", "loud.wav", "--format", "json").splitlines())
    assert row["words"][0]["end"] == 0.51
    assert intervals(output("gaps", "loud.wav", "--format", "textgrid"))["words"] == [
        (0.0, 0.506, "TONE")]


def test_ctm_of_several_recordings_is_one_file(folder: Path) -> None:
    record(folder / "more/my talk.wav", (0.1, 0.4))
    names = ("said.wav", "silent.wav", "more")
    shown = output("timed", *names, "--format", "ctm")
    assert [line[0] for line in ctm_lines(shown)] == ["said", "said", "my\\u0020talk"]
    (folder / "all.ctm").write_text("old")
    assert output("timed", *names, "--format", "ctm", "--out", "all.ctm") == ""
    assert (folder / "all.ctm").read_text() == shown
    (folder / "each").mkdir()
    output("timed", *names, "--format", "ctm", "--out", "each")
    each = {path.name: path.read_text() for path in (folder / "each").iterdir()}
    assert set(each) == {"said.ctm", "silent.ctm", "my talk.ctm"}
    assert each["said.ctm"] + each["silent.ctm"] + each["my talk.ctm"] == shown


@pytest.mark.parametrize(("form", "suffix"), [("srt", ".srt"), ("textgrid", ".TextGrid")])
def test_each_recording_has_a_file_of_its_own(form: str, suffix: str, folder: Path) -> None:
    record(folder / "talks/a.b.wav", (0.1, 0.4))
    for out in ("new", "talks"):  # made, and there: beside the recordings
        for _ in range(2):  # what an earlier call has written is replaced
            output("timed", "said.wav", "silent.wav", "talks", "--format", form, "--out", out)
        written = {path.name: path.read_text() for path in (folder / out).iterdir()
                   if path.suffix == suffix}
        assert written == {
            f"{Path(name).stem}{suffix}": output("timed", name, "--format", form)
            for name in ("said.wav", "silent.wav", "talks/a.b.wav")}
    output("timed", "talks", "--format", form, "--out", "one")
    assert [path.name for path in (folder / "one").iterdir()] == [f"a.b{suffix}"]
    output("timed", "said.wav", "--format", form, "--out", "file")
    assert (folder / "file").read_text() == output("timed", "said.wav", "--format", form)


def test_several_recordings_are_not_mixed(folder: Path) -> None:
    for out in ([], ["--out", "-"]):
        assert "these are 2 files" in refusal("timed", "said.wav", "silent.wav", "--format", "srt",
                                              *out)
    (folder / "file").write_text("kept")
    assert "is no folder" in refusal("timed", "said.wav", "silent.wav", "--format", "srt", "--out",
                                     "file")
    assert (folder / "file").read_text() == "kept"


@pytest.mark.parametrize("form", ["ctm", "srt"])
def test_answers_that_would_have_one_name_are_refused(form: str, folder: Path) -> None:
    record(folder / "other/Said.flac", (0.1, 0.4))
    for names in (("said.wav", "other"), ("said.wav", "said.wav")):
        message = refusal("timed", *names, "--format", form, "--out", "new")
        assert message.startswith("said.wav and ") and "would be called 'said'" in message.lower()
    assert not (folder / "new").exists()


def test_nothing_is_written_where_a_recording_cannot_be_answered(folder: Path) -> None:
    (folder / "text.wav").write_text("no sound")
    (folder / "there").mkdir()
    (folder / "there/said.srt").write_text("old")
    record(folder / "long.wav", *TONES, seconds=3.5)
    for out in ("there", "new"):
        for name, message in (("text.wav", "cannot be read as audio"), ("long.wav", "too long")):
            assert message in refusal("timed", "said.wav", name, "--format", "srt", "--out", out)
    assert (folder / "there/said.srt").read_text() == "old"
    assert [path.name for path in (folder / "there").iterdir()] == ["said.srt"]
    assert not (folder / "new").exists()
    refusal("timed", "said.wav", "long.wav", "--format", "ctm")  # and nothing is shown


def test_places_that_are_taken_are_refused(folder: Path) -> None:
    before = sorted(folder.rglob("*"))
    for names in (["said.wav"], ["said.wav", "silent.wav"]):
        for out in ("timed", "timed/new"):
            assert "lies in the folder of a trained system" in refusal(
                "timed", *names, "--format", "srt", "--out", out)
        assert "make the folder first" in refusal(
            "timed", *names, "--format", "srt", "--out", "none/deep")
    assert "is a file to answer as well" in refusal(
        "timed", "said.wav", "--format", "srt", "--out", "said.wav")
    assert sorted(folder.rglob("*")) == before
    (folder / "srts/said.srt").mkdir(parents=True)
    assert "said.srt" in refusal("timed", "said.wav", "silent.wav", "--format", "srt", "--out",
                                 "srts")
    assert not (folder / "srts/silent.srt").exists()


@pytest.mark.parametrize("form", ["ctm", "srt", "textgrid"])
def test_a_system_without_times_says_why(form: str, folder: Path) -> None:
    message = refusal("ctc", "said.wav", "--format", form, "--out", "new")
    assert message.startswith("said.wav: this system tells what was said, not when")
    assert "without a dictionary" in message and "ask a system that searches with one" in message
    assert not (folder / "new").exists()


def test_a_task_or_format_that_there_is_not_is_named_beside_those_that_there_are(
        folder: Path) -> None:
    message = refusal("tagger", "text.txt", "--format", "srt")
    assert message == ("--format srt: answers of tagger, whose task is tagging, cannot be written "
                       "so; there are text, csv, json; for systems of alignment ctm, textgrid; for "
                       "systems of asr ctm, srt, textgrid")
    assert "there is no format 'SRT'" in refusal("timed", "said.wav", "--format", "SRT")


def test_every_format_of_a_task_is_known_to_the_command() -> None:
    declared = {task: list(own.FORMATS) for task in tasks()
                if hasattr(own := task_module(task, "own"), "FORMATS")}
    assert task_formats() == declared and declared["asr"] == ["ctm", "srt", "textgrid"]
    shown = (ROOT / "README.md").read_text("utf-8")
    assert all(f"`{name}`" in shown for names in declared.values() for name in names)
