"""LibriSpeech's tree: real and synthetic speech through one reader, and every kind of damage."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from pydantic import ValidationError
from scipy.signal import resample_poly

from pipeline.audio.front_end import LogMel, frames_of
from pipeline.corpora import librispeech
from pipeline.corpora.librispeech import Settings, prepare, utterances
from pipeline.corpora.twins import speech_twin
from pipeline.corpora.twins.espeak import Voice, speak
from pipeline.errors import UserError
from pipeline.storage.files import read_json

TWIN: dict[str, Any] = {
    "seed": 7, "drawn": 1000, "vocabulary": 200, "words": [3, 8], "accents": ["en-us"],
    "pitch": [30, 70], "words_per_minute": [200, 300],
    "subsets": {
        "train-twin": {"utterances": 5, "variants": ["m1", "f1"], "condition": None},
        "test-twin-other": {"utterances": 3, "variants": ["m2"], "condition": {
            "snr_db": [10.0], "reverberation": [0.2, 0.4], "direct_to_reverberant_db": 10.0}}}}


def settings(**changes: Any) -> Settings:
    return Settings.model_validate({"module": "librispeech", "parts": [], "twin": TWIN | changes})


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("twin")
    prepare(settings(), directory, None)
    return directory


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Two utterances of one chapter; the folder of the chapter."""
    chapter = tmp_path / "LibriSpeech" / "dev" / "84" / "121123"
    chapter.mkdir(parents=True)
    for index in range(2):
        soundfile.write(chapter / f"84-121123-000{index}.flac", np.zeros(1600), 16_000)
    (chapter / "84-121123.trans.txt").write_text(
        "84-121123-0001 AND  THEN\n84-121123-0000 GO DO YOU HEAR\n")
    return chapter


def test_reader_sorts_by_id_and_takes_the_speaker_from_it(tree: Path) -> None:
    found = utterances(tree.parents[3], "dev")
    assert [(item.id, item.speaker, item.text) for item in found] == [
        ("84-121123-0000", "84", "GO DO YOU HEAR"), ("84-121123-0001", "84", "AND THEN")]
    assert [item.path for item in found] == sorted(tree.glob("*.flac"))


def without_audio(chapter: Path) -> None:
    (chapter / "84-121123-0001.flac").unlink()


def without_transcript(chapter: Path) -> None:
    (chapter / "84-121123.trans.txt").write_text("84-121123-0000 GO\n")


def without_transcripts_file(chapter: Path) -> None:
    (chapter / "84-121123.trans.txt").unlink()


def with_empty_file(chapter: Path) -> None:
    (chapter / "84-121123-0001.flac").write_bytes(b"")


def with_no_samples(chapter: Path) -> None:
    soundfile.write(chapter / "84-121123-0001.flac", np.zeros(0), 16_000)


def with_text_for_audio(chapter: Path) -> None:
    (chapter / "84-121123-0001.flac").write_bytes(b"not found" * 100)


def with_line_without_words(chapter: Path) -> None:
    (chapter / "84-121123.trans.txt").write_text("84-121123-0000 GO\n84-121123-0001 \n")


def with_line_of_another_chapter(chapter: Path) -> None:
    (chapter / "84-121123.trans.txt").write_text("84-121123-0000 GO\n84-99-0001 AND\n")


def with_two_transcripts(chapter: Path) -> None:
    (chapter / "84-121123.trans.txt").write_text("84-121123-0000 GO\n84-121123-0000 NO\n")


def with_other_encoding(chapter: Path) -> None:
    (chapter / "84-121123.trans.txt").write_bytes(b"84-121123-0000 G\xd6\n")


@pytest.mark.parametrize("damage, message", [
    (without_audio, r"84-121123-0001\.flac does not exist, but .* has a transcript of it"),
    (without_transcript, r"84-121123-0001\.flac: audio without a transcript"),
    (without_transcripts_file, r"84-121123-0000\.flac: audio without a transcript"),
    (with_empty_file, r"84-121123-0001\.flac: empty audio"),
    (with_no_samples, r"84-121123-0001\.flac: empty audio"),
    (with_text_for_audio, r"84-121123-0001\.flac cannot be read as audio"),
    (with_line_without_words, r"84-121123\.trans\.txt, line 2: expected an utterance of 84-121123"),
    (with_line_of_another_chapter, r"84-121123\.trans\.txt, line 2: expected an utterance of"),
    (with_two_transcripts, r"\.trans\.txt, line 2: a second transcript of 84-121123-0000.* line 1"),
    (with_other_encoding, r"84-121123\.trans\.txt, line 1: byte 17 of the line is not UTF-8"),
])
def test_damage_is_named(tree: Path, damage: Callable[[Path], None], message: str) -> None:
    damage(tree)
    with pytest.raises(UserError, match=message):
        utterances(tree.parents[3], "dev")


def test_a_missing_subset_is_named_with_those_that_exist(tree: Path) -> None:
    with pytest.raises(UserError, match="test-clean does not exist; subsets here: dev"):
        utterances(tree.parents[3], "test-clean")


def test_all_seven_published_parts_have_address_size_and_checksum() -> None:
    published = {name: file for name, file in librispeech.FILES.items() if file.url}
    assert set(published) == {"dev-clean", "dev-other", "test-clean", "test-other",
                              "train-clean-100", "train-clean-360", "train-other-500"}
    for name, file in published.items():
        assert file.url == f"https://www.openslr.org/resources/12/{name}.tar.gz"
        assert file.size and file.sha256 and len(file.sha256) == 64


def test_the_twin_is_what_its_settings_say(twin: Path) -> None:
    train, other = utterances(twin, "train-twin"), utterances(twin, "test-twin-other")
    assert [item.id for item in train] == [
        "10001-1-0000", "10001-1-0001", "10001-1-0002", "10002-1-0000", "10002-1-0001"]
    assert [item.id for item in other] == ["10003-1-0000", "10003-1-0001", "10003-1-0002"]
    texts = [item.text for item in train + other]
    assert len(set(texts)) == len(texts), "no sentence is heard twice"
    for text in texts:
        assert 3 <= len(text.split()) <= 8 and text.replace(" ", "").isalpha() and text.isupper()
    speakers = (twin / "LibriSpeech" / "SPEAKERS.TXT").read_text().splitlines()
    assert [line.split(" | ")[:2] for line in speakers[1:]] == [
        ["10001", "train-twin"], ["10002", "train-twin"], ["10003", "test-twin-other"]]
    minutes = sum(soundfile.info(item.path).duration for item in other) / 60
    assert float(speakers[3].split(" | ")[2]) == pytest.approx(minutes, abs=0.005)


def test_the_twin_is_16_khz_mono_pcm(twin: Path) -> None:
    for item in utterances(twin, "train-twin"):
        info = soundfile.info(item.path)
        assert (info.samplerate, info.channels, info.subtype) == (16_000, 1, "PCM_16")
        assert np.abs(soundfile.read(item.path)[0]).max() == pytest.approx(0.5, abs=1e-3)


def test_the_same_settings_give_the_same_bytes_and_another_seed_others(
        twin: Path, tmp_path: Path) -> None:
    def digests(directory: Path) -> dict[str, str]:
        return {str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
                for path in sorted(directory.rglob("*")) if path.is_file()}

    speak("something else before", Voice("en-us", "m3", 50, 50, 200))
    prepare(settings(), tmp_path / "again", None)
    assert digests(tmp_path / "again") == digests(twin)
    prepare(settings(seed=8), tmp_path / "seed", None)
    other = digests(tmp_path / "seed")
    assert not set(other.values()) & set(digests(twin).values())


def test_generating_again_leaves_nothing_of_before(tmp_path: Path) -> None:
    stale = tmp_path / "LibriSpeech" / "train-twin" / "10009" / "1" / "10009-1-0000.flac"
    stale.parent.mkdir(parents=True)
    stale.write_bytes(b"of other settings")
    prepare(settings(), tmp_path, None)
    assert len(utterances(tmp_path, "train-twin")) == 5
    assert sorted(path.name for path in (tmp_path / "LibriSpeech").iterdir()) == [
        "SPEAKERS.TXT", "test-twin-other", "train-twin"]


def test_phoneme_times_lie_in_the_audio(twin: Path) -> None:
    for item in utterances(twin, "train-twin") + utterances(twin, "test-twin-other"):
        chapter = item.id.rsplit("-", 1)[0]
        times = read_json(item.path.parent / f"{chapter}.phonemes.json")[item.id]
        onsets = [onset for _, onset in times]
        assert onsets == sorted(onsets) and onsets[0] >= 0
        assert onsets[-1] <= soundfile.info(item.path).duration + 1e-4
        assert len(onsets) > 2 * len(item.text.split())


def test_the_other_condition_has_its_noise_and_a_decaying_tail() -> None:
    """A click in a room: direct path, then a tail of the stated energy, then noise of 10 dB."""
    condition = speech_twin.Condition(
        snr_db=[30.0], reverberation=[0.3, 0.3], direct_to_reverberant_db=6.0)
    click = np.zeros(16_000)
    click[1000] = 1.0
    random = np.random.default_rng(0)
    wet = np.mean([speech_twin._recorded(click, condition, random)**2 for _ in range(200)], axis=0)
    wet /= wet[1000]
    noise = wet[:900].mean()
    tail = wet[1001:1001 + 4800] - noise
    assert tail.sum() == pytest.approx(10 ** -0.6, rel=0.05)
    assert noise == pytest.approx((1 + 10 ** -0.6) / len(click) / 1000, rel=0.05)
    # 60 dB in 0.3 s is 20 dB in 0.1 s.
    ratio = tail[:400].sum() / tail[1600:2000].sum()
    assert 10 * np.log10(ratio) == pytest.approx(20, abs=1)


def test_resampling_keeps_the_speech() -> None:
    voice = Voice("en-us", "m1", 50, 50, 200)
    samples = speak("she sells fish", voice).samples
    low = speech_twin._resampled(samples)
    assert len(low) == pytest.approx(len(samples) * 16_000 / 22_050, abs=1)
    back = resample_poly(low, 441, 320)[: len(samples)]
    assert np.corrcoef(back, samples[: len(back)])[0, 1] > 0.99


@pytest.mark.parametrize("changes, message", [
    ({"parts": [], "twin": None}, "the corpus would be empty"),
    ({"parts": ["test-clean", "test-clean-47"], "twin": None}, "choose one of them"),
    ({"parts": ["test-klean"], "twin": None}, "test-clean"),
    ({"parts": [], "twin": TWIN | {"subsets": TWIN["subsets"] | {
        "dev": {"utterances": 1, "variants": ["m1"], "condition": None}}}},
     "'m1' is heard in train-twin and in dev"),
    ({"parts": [], "twin": TWIN | {"accents": ["en-us", "en", "en-029"]}},
     "train-twin has more speakers than utterances"),
], ids=["empty", "overlap", "unknown part", "shared speaker", "silent speaker"])
def test_settings_that_make_no_sense_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Settings.model_validate({"module": "librispeech"} | changes)


def test_no_sentence_comes_twice_and_all_words_are_common() -> None:
    twin = settings(drawn=4000, vocabulary=150).twin
    texts = speech_twin._texts(twin, 300)
    assert len(set(texts)) == len(texts) == 300
    assert len({word for text in texts for word in text.split()}) <= 150


def test_too_small_a_vocabulary_is_named() -> None:
    with pytest.raises(UserError, match="raise twin.drawn or twin.vocabulary"):
        speech_twin._texts(settings(vocabulary=10).twin, 100)


def test_the_real_utterances_lie_beside_the_twin_and_become_frames(
        mirror: Path, tmp_path: Path) -> None:
    """47 utterances of LibriSpeech's test-clean, 221 s by two speakers, as they were published."""
    prepare(Settings.model_validate({
        "module": "librispeech", "parts": ["test-clean-47"], "twin": TWIN}), tmp_path, mirror)
    found = utterances(tmp_path, "test-clean")
    assert len(found) == 47 and {item.speaker for item in found} == {"237", "1089"}
    assert sum(soundfile.info(item.path).duration for item in found) == pytest.approx(221, abs=1)
    first = next(item for item in found if item.id == "1089-134686-0000")
    assert first.text.startswith("HE HOPED THERE WOULD BE STEW FOR DINNER")
    assert len(utterances(tmp_path, "train-twin")) == 5
    front_end = LogMel(kind="log-mel", sample_rate=16_000, window="hamming", frame_ms=25.0,
                       hop_ms=10.0, dft_points=400, mels=40, low_hz=20.0, high_hz=7600.0, deltas=0)
    frames = frames_of(front_end, first.path)
    assert frames.shape == (1 + (soundfile.info(first.path).frames - 400) // 160, 40)
    energies = frames.mean(axis=1)
    assert np.ptp(energies) > 5, "speech, and pauses in which the power is e^5 times less"
