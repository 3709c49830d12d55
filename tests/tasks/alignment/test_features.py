"""What the features stage writes about tones whose times are known, and what it refuses."""

import shutil
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile

from pipeline.audio.frames import Frames
from pipeline.audio.phones import PHONES
from pipeline.corpora import librispeech
from pipeline.corpora.kinds import Utterance
from pipeline.errors import UserError
from pipeline.scoring.item_clusters import clusters_of
from pipeline.storage.files import read_json
from pipeline.tasks.alignment.features import Settings, extract
from pipeline.tasks.alignment.shared.spoken import Clock
from tests.tasks.alignment.toned import FEATURES, PITCH, RATE, SAID, write_corpus


def run(corpus: Path, directory: Path, reader: object = librispeech, **changes: object) -> None:
    for part in ("fit", "test"):
        (directory / part).mkdir(parents=True, exist_ok=True)
    extract(Settings.model_validate({**FEATURES, **changes}), corpus, reader,  # type: ignore[arg-type]
            directory / "fit", directory / "test")


def loudest(frames: np.ndarray) -> np.ndarray:
    """For each frame the filter that is loudest in it."""
    return np.asarray(frames).argmax(axis=1)


def filters() -> dict[str, int]:
    """The filter of each tone: centres are equally far apart on the mel scale."""
    low, high, *tones = (1127 * np.log(1 + hertz / 700)
                         for hertz in (100.0, 7000.0, *PITCH.values()))
    return {phone: round((tone - low) / (high - low) * 13) - 1
            for phone, tone in zip(PITCH, tones, strict=True)}


def test_each_phone_sounds_from_its_first_frame_to_that_of_the_next(features: Path) -> None:
    items, frames = read_json(features / "fit/train.items.json"), Frames(features / "fit", "train")
    where, right, total = filters(), 0, 0
    for item, own in zip(items, frames, strict=True):
        assert item["phones"][0] == item["phones"][-1] == "SIL" and item["starts"][0] == 0
        for phone, (begin, end) in zip(item["phones"], pairwise([*item["starts"], len(own)]),
                                       strict=True):
            assert begin < end
            if phone != "SIL":
                right += int((loudest(own[begin:end]) == where[phone]).sum())
                total += end - begin
            else:
                assert own[begin + 1 : end - 2].mean() < own[:, where["N"]].max() - 4
    # A frame at an edge holds two tones; shifted by one frame, each phone would lose one more.
    assert right / total > 0.95


def test_gold_times_are_those_of_the_corpus_behind_the_first_margin(corpus: Path,
                                                                    features: Path) -> None:
    gold = read_json(features / "test/gold.json")
    source = {item.id: item for item in librispeech.utterances(corpus, "test-clean")}
    items = [item for item in read_json(features / "test/test.items.json")
             if item["id"].startswith("clean/")]
    margins = set()
    for item in items:
        phones = [one for one in source[item["id"][6:]].segments if one.kind == "phone"]
        words = [one for one in source[item["id"][6:]].segments if one.kind == "word"]
        found = gold[item["id"]]
        before = found["phones"][1][1]
        margins.add(before)
        assert 0.05 <= before <= 0.2
        assert [label for label, _, _ in found["phones"]] == [
            "SIL", *(one.label for one in phones), "SIL"] == item["phones"]
        np.testing.assert_allclose([begin for _, begin, _ in found["phones"][1:-1]],
                                   [before + one.start for one in phones])
        assert found["phones"][-1][1] == pytest.approx(before + phones[-1].end)
        np.testing.assert_allclose([edge for _, *edges in found["words"] for edge in edges],
                                   [before + time for one in words
                                    for time in (one.start, one.end)])
        assert found["phones"][-1][2] == item["seconds"]
        assert [word for word, _, _ in item["words"]] == item["text"].split()
        assert [item["phones"][first : first + count] for _, first, count in item["words"]] == [
            SAID[word] for word in item["text"].split()]
    assert len(margins) == len({item["text"] for item in items}) > 2


def test_systems_are_not_told_times_and_training_not_of_test_items(features: Path) -> None:
    assert {path.name for path in (features / "fit").iterdir()} == {
        "artefacts", "spec.json", *(f"{split}.{kind}" for split in ("train", "valid")
                                    for kind in ("frames.npy", "offsets.npy", "items.json"))}
    items = read_json(features / "test/test.items.json")
    assert all(set(item) == {"id", "speaker", "text", "phones", "words", "frames", "seconds"}
               for item in items)
    assert [item["frames"] for item in items] == Frames(features / "test", "test").lengths.tolist()
    assert clusters_of(features / "test", [item["id"] for item in items]) == [
        item["speaker"].rpartition("/")[2] for item in items]


def test_the_spec_says_what_makes_frames_and_times_of_a_recording(features: Path) -> None:
    spec = read_json(features / "fit/spec.json")
    assert spec["phones"] == ["SIL", "IY", "N", "OW", "S", "T", "UW"]
    assert Clock.read(spec).begins([0, 10]) == pytest.approx([0.0, 0.1075])
    rows = np.asarray(Frames(features / "fit", "train").rows, np.float64)
    np.testing.assert_allclose(spec["mean"], rows.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(spec["deviation"], rows.std(axis=0), rtol=1e-6)


def test_all_phones_can_be_known(corpus: Path, tmp_path: Path) -> None:
    run(corpus, tmp_path, phones="all")
    assert read_json(tmp_path / "fit/spec.json")["phones"] == ["SIL", *PHONES]
    assert Settings.model_validate(FEATURES).smallest().phones == "all"


def test_without_margins_recordings_are_as_they_are(corpus: Path, tmp_path: Path) -> None:
    run(corpus, tmp_path, margins=None)
    item = read_json(tmp_path / "test/test.items.json")[0]
    path = librispeech.utterances(corpus, "test-clean")[0].path
    assert item["seconds"] == soundfile.info(path).duration
    assert "SIL" not in item["phones"]


def test_who_pauses_at_the_ends_gets_no_margins(tmp_path: Path) -> None:
    """A reader whose utterances have quiet around them: their times stay."""
    corpus = write_corpus(tmp_path / "corpus", {"train": 4, "dev": 2, "test-clean": 2,
                                                "test-other": 2})

    def quiet(directory: Path, subset: str) -> list[Utterance]:
        found = []
        for item in librispeech.utterances(directory, subset):
            samples, _ = soundfile.read(item.path)
            path = item.path.with_suffix(".wav")
            soundfile.write(path, np.pad(samples, RATE // 10), RATE)
            later = tuple(type(one)(one.kind, one.label, one.start + 0.1, one.end + 0.1)
                          for one in item.segments)
            found.append(Utterance(item.id, item.speaker, path, item.text, later))
        return found

    run(corpus, tmp_path, SimpleNamespace(utterances=quiet, lexicon=librispeech.lexicon),
        phones="all")
    for found in read_json(tmp_path / "test/gold.json").values():
        assert found["phones"][0][:2] == ["SIL", 0.0]
        assert found["phones"][1][1] == pytest.approx(0.1)


def test_an_utterance_without_times_has_the_phones_of_its_dictionary(tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus", {"train": 4}, timed=False)
    write_corpus(corpus, {"dev": 2, "test-clean": 2, "test-other": 2}, seed=1)
    run(corpus, tmp_path, phones="all")
    for item in read_json(tmp_path / "fit/train.items.json"):
        assert item["starts"] is None
        assert item["phones"] == ["SIL", *(phone for word in item["text"].split()
                                           for phone in SAID[word]), "SIL"]
    assert all(item["starts"] for item in read_json(tmp_path / "fit/valid.items.json"))


def test_asked_for_the_dictionarys_phones_a_test_item_has_them(tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus", {"train": 20, "dev": 2, "test-clean": 4,
                                                "test-other": 2}, pause=0.05)
    run(corpus, tmp_path, said="dictionary")
    gold = read_json(tmp_path / "test/gold.json")
    for item in read_json(tmp_path / "test/test.items.json"):
        heard = [label for label, _, _ in gold[item["id"]]["phones"]]
        assert heard.count("SIL") == 3 and item["phones"].count("SIL") == 2
        assert [phone for phone in heard if phone != "SIL"] == item["phones"][1:-1]


def test_words_of_test_items_alone_are_not_in_the_artefacts(corpus: Path, tmp_path: Path) -> None:
    def utterances(directory: Path, subset: str) -> list[Utterance]:
        found = librispeech.utterances(directory, subset)
        # Only test items speak of tea.
        return found if subset.startswith("test") else [one for one in found
                                                        if "TEA" not in one.text]

    def lexicon(directory: Path) -> dict[str, list[list[str]]]:
        return {"NO": [["N", "OW"]]}

    run(corpus, tmp_path, SimpleNamespace(utterances=utterances, lexicon=lexicon))
    assert read_json(tmp_path / "fit/artefacts/lexicon.json") == {
        word: [phones] for word, phones in SAID.items() if word != "TEA"}
    assert any("TEA" in item["text"] for item in read_json(tmp_path / "test/test.items.json"))


def test_speakers_can_have_mean_zero(corpus: Path, tmp_path: Path) -> None:
    run(corpus, tmp_path, normalise="speaker")
    frames = Frames(tmp_path / "test", "test")
    speakers = [item["speaker"] for item in read_json(tmp_path / "test/test.items.json")]
    for speaker in set(speakers):
        own = np.concatenate([frames[place] for place, name in enumerate(speakers)
                              if name == speaker])
        np.testing.assert_allclose(own.mean(axis=0), 0, atol=1e-3)


def test_recordings_of_another_rate_are_refused_or_resampled(tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus", {"train": 8, "dev": 2, "test-clean": 2,
                                                "test-other": 2})
    for path in corpus.rglob("*.flac"):
        samples, _ = soundfile.read(path)
        soundfile.write(path, np.interp(np.arange(0, len(samples), 0.8), np.arange(len(samples)),
                                        samples), 20_000)
    with pytest.raises(UserError, match="20000 samples a second, expected 16000"):
        run(corpus, tmp_path)
    run(corpus, tmp_path, resample=True)
    where, frames = filters(), Frames(tmp_path / "fit", "train")
    item = read_json(tmp_path / "fit/train.items.json")[0]
    starts = [*item["starts"], len(frames[0])]
    for place, phone in enumerate(item["phones"]):
        if phone != "SIL":
            middle = (starts[place] + starts[place + 1]) // 2
            assert loudest(frames[0][middle : middle + 1]) == [where[phone]]


def test_the_same_corpus_gives_the_same_bytes(corpus: Path, features: Path,
                                              tmp_path: Path) -> None:
    run(corpus, tmp_path)
    for path in sorted(features.rglob("*")):
        if path.is_file():
            assert path.read_bytes() == (tmp_path / path.relative_to(features)).read_bytes()


def listed(texts: dict[str, list[str]]) -> Any:
    """A reader without recordings, for what is refused before anybody hears them."""
    def utterances(directory: Path, subset: str) -> list[Utterance]:
        return [Utterance(f"{subset}{n}", "s", directory / f"{subset}{n}.wav", text)
                for n, text in enumerate(texts[subset])]

    return SimpleNamespace(utterances=utterances, lexicon=lambda _: SAID)


SUBSETS = {"train": ["NO"], "dev": ["NO"], "test-clean": ["NO"], "test-other": ["NO"]}


@pytest.mark.parametrize(("texts", "changes", "message"), [
    ({**SUBSETS, "train": []}, {}, "subset without utterances"),
    (SUBSETS, {"valid": ["train"]}, "utterance train0 is in the training data"),
    (SUBSETS, {}, "does not know when its words and phones are heard"),
])
def test_what_does_not_fit_is_refused(texts: dict[str, list[str]], changes: dict[str, Any],
                                      message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=message):
        run(tmp_path, tmp_path, listed(texts), **changes)


def test_a_phone_that_training_lacks_is_refused(corpus: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(corpus, tmp_path / "copy"))
    first = librispeech.utterances(copy, "test-clean")[0]
    times = first.path.parent / f"{first.path.stem.rpartition('-')[0]}.alignment.json"
    times.write_text(times.read_text().replace('["IY"', '["ZH"').replace('["N"', '["ZH"'))
    with pytest.raises(UserError, match="the phone 'ZH' is heard in no training utterance"):
        run(copy, tmp_path)
    run(copy, tmp_path, phones="all")


@pytest.mark.parametrize("subset", ["train", "dev", "test-clean"])
def test_a_label_that_is_no_phone_is_refused_where_all_phones_are_known(
        corpus: Path, tmp_path: Path, subset: str) -> None:
    copy = Path(shutil.copytree(corpus, tmp_path / "copy"))
    first = librispeech.utterances(copy, subset)[0]
    times = first.path.parent / f"{first.path.stem.rpartition('-')[0]}.alignment.json"
    times.write_text(times.read_text().replace('["IY"', '["QX"').replace('["N"', '["QX"'))
    with pytest.raises(UserError, match="the phone 'QX' is none of the 39 that there are, AA, "):
        run(copy, tmp_path, phones="all")


def test_more_phones_than_frames_are_refused(tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus", {"train": 4}, timed=False)
    write_corpus(corpus, {"dev": 2, "test-clean": 2, "test-other": 2}, seed=1)
    path = librispeech.utterances(corpus, "train")[0].path
    samples, _ = soundfile.read(path)
    soundfile.write(path, samples[:800], RATE)
    with pytest.raises(UserError, match=f"{path}: 6 phones do not fit in 3 frames"):
        run(corpus, tmp_path)
