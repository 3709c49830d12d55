"""The embedded twin of LibriSpeech: what is said, by whom, when, in which condition."""

import hashlib
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from pydantic import ValidationError
from scipy.signal import resample_poly

from pipeline.audio.phones import PHONES
from pipeline.corpora.kinds import Utterance
from pipeline.corpora.librispeech import Settings, lexicon, prepare, utterances
from pipeline.corpora.twins import speech_twin
from pipeline.corpora.twins.espeak import Voice, speak
from pipeline.corpora.twins.spoken_words import read_aloud
from pipeline.errors import UserError
from pipeline.storage.files import read_json
from pipeline.suite.schema import load
from tests.conftest import ROOT

TWIN: dict[str, Any] = {
    "seed": 7, "drawn": 1000, "vocabulary": 200, "words": [3, 8],
    "accents": ["en-us", "en-gb-x-rp"], "pitch": [30, 70], "words_per_minute": [200, 300],
    "subsets": {
        "train-twin": {"utterances": 5, "variants": ["m1", "f1"], "condition": None},
        "test-twin-clean": {"utterances": 3, "variants": ["m3"], "condition": None}},
    "repeated": {"test-twin-other": {"of": "test-twin-clean", "condition": {
        "snr_db": [10.0], "reverberation": [0.2, 0.4], "direct_to_reverberant_db": 10.0}}},
    "dictionary": {"subsets": ["train-twin"], "share": 0.05}}
SUBSETS = ["train-twin", "test-twin-clean", "test-twin-other"]


def settings(**changes: Any) -> Settings:
    return Settings.model_validate({"module": "librispeech", "parts": [], "twin": TWIN | changes})


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("twin")
    prepare(settings(), directory, None)
    return directory


def test_the_twin_is_what_its_settings_say(twin: Path) -> None:
    train, other = utterances(twin, "train-twin"), utterances(twin, "test-twin-other")
    assert [item.id for item in train] == [
        "10001-1-0000", "10001-1-0001", "10001-1-0002", "10002-1-0000", "10002-1-0001"]
    assert [item.id for item in other] == ["10003-2-0000", "10003-2-0001", "10003-2-0002"]
    texts = [item.text for item in train + other]
    assert len(set(texts)) == len(texts), "no sentence is heard twice"
    for text in texts:
        assert 3 <= len(text.split()) <= 8 and text.replace(" ", "").isalpha() and text.isupper()
    speakers = (twin / "LibriSpeech" / "SPEAKERS.TXT").read_text().splitlines()
    assert [line.split(" | ")[:2] for line in speakers[1:]] == [
        ["10001", "train-twin"], ["10002", "train-twin"], ["10003", "test-twin-clean"],
        ["10003", "test-twin-other"]]
    assert [line.split("espeak-ng ")[1].split(",")[0] for line in speakers[1:]] == [
        "en-us+m1", "en-gb-x-rp+f1", "en-us+m3", "en-us+m3"], "a voice keeps to one accent"
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
        "SPEAKERS.TXT", "librispeech-lexicon.txt", *sorted(SUBSETS)]
    prepare(settings(dictionary=None, repeated={}), tmp_path / "none", None)
    (tmp_path / "none" / "LibriSpeech" / "librispeech-lexicon.txt").write_text("A\tAH\n")
    prepare(settings(dictionary=None, repeated={}), tmp_path / "none", None)
    with pytest.raises(UserError, match="does not exist; give the corpus's twin a dictionary"):
        lexicon(tmp_path / "none")


def test_a_repetition_is_the_same_words_by_the_same_voices_in_another_condition(
        twin: Path) -> None:
    clean, other = (utterances(twin, f"test-twin-{name}") for name in ("clean", "other"))
    assert len(clean) == len(other) == 3
    for one, again in zip(clean, other, strict=True):
        assert (one.speaker, one.text, one.segments) == (again.speaker, again.text, again.segments)
        assert one.id != again.id
        dry, wet = (soundfile.read(item.path)[0] for item in (one, again))
        assert len(dry) == len(wet)
        # The same speech with a tenth of noise and a tenth of reverberation.
        assert 0.8 < np.corrcoef(dry, wet)[0, 1] < 0.96


def test_gold_times_fill_the_recording(twin: Path) -> None:
    for item in [item for subset in SUBSETS for item in utterances(twin, subset)]:
        chapter = item.id.rsplit("-", 1)[0]
        gold = read_json(item.path.parent / f"{chapter}.alignment.json")[item.id]
        phones = gold["phones"]
        assert phones[0][1] == 0 and all(begin < end for _, begin, end in phones)
        assert [end for _, _, end in phones[:-1]] == [begin for _, begin, _ in phones[1:]]
        assert phones[-1][2] == pytest.approx(soundfile.info(item.path).duration, abs=1e-4)
        assert {label for label, _, _ in phones} <= {*PHONES, "SIL"}
        assert [word for word, _, _ in gold["words"]] == item.text.split()


def test_the_reader_gives_words_and_the_phones_that_they_are_made_of(twin: Path) -> None:
    """Speech is louder than pauses, and the phones of a word fill it."""
    for item in utterances(twin, "train-twin"):
        words, phones = ([segment for segment in item.segments if segment.kind == kind]
                         for kind in ("word", "phone"))
        assert [word.label for word in words] == item.text.split()
        for word in words:
            inner = [phone for phone in phones if word.start <= phone.start < word.end]
            assert (inner[0].start, inner[-1].end) == (word.start, word.end)
        samples = soundfile.read(item.path)[0]
        times = np.arange(len(samples)) / 16_000
        spoken = np.any([(phone.start <= times) & (times < phone.end) for phone in phones], axis=0)
        assert np.mean(samples[spoken]**2) > 100 * np.mean(samples[~spoken]**2)


def test_the_dictionary_says_what_training_readings_say(twin: Path) -> None:
    def pronounced(items: list[Utterance]) -> dict[str, Counter[tuple[str, ...]]]:
        found: dict[str, Counter[tuple[str, ...]]] = defaultdict(Counter)
        for item in items:
            words = [segment for segment in item.segments if segment.kind == "word"]
            for word in words:
                found[word.label][tuple(
                    segment.label for segment in item.segments if segment.kind == "phone"
                    and word.start <= segment.start < word.end)] += 1
        return found

    train = pronounced(utterances(twin, "train-twin"))
    found = lexicon(twin)
    assert found.keys() == train.keys() and list(found) == sorted(found)
    for word, ways in found.items():
        counts = [train[word][tuple(way)] for way in ways]
        assert counts == sorted(train[word].values(), reverse=True), word
    assert pronounced(utterances(twin, "test-twin-clean")).keys() - found.keys(), "never taught"


def test_a_rare_way_to_say_a_word_is_left_out_but_not_the_only_one() -> None:
    voice = Voice("en-us", "m3", 50, 50, 200)
    readings = [read_aloud(text, voice) for text in ("the sea", "the cat", "the cat", "the apple")]
    lines = speech_twin._dictionary(readings, 0.25).splitlines()
    assert lines == ["APPLE\tAE P AH L", "CAT\tK AE T", "SEA\tS IY", "THE\tDH AH", "THE\tDH IH"]
    assert speech_twin._dictionary(readings, 0.26).splitlines() == lines[:-1]
    two = [read_aloud(text, voice) for text in ("the sea", "the apple")]
    assert speech_twin._dictionary(two, 1.0).count("THE\t") == 1


def test_the_suite_has_twenty_test_speakers_and_each_voice_once() -> None:
    twin = load(ROOT / "params.yaml").corpus("speech").twin
    assert isinstance(twin, speech_twin.TwinSettings) and twin.dictionary is not None
    assert len(twin.subsets["test-twin-clean"].variants) >= 20
    assert twin.repeated["test-twin-other"].of == "test-twin-clean"
    assert twin.dictionary.subsets == ["train-twin"]


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
    ({"parts": [], "twin": TWIN | {"subsets": TWIN["subsets"] | {
        "dev": {"utterances": 1, "variants": ["m4", "m5"], "condition": None}}}},
     "dev has more speakers than utterances"),
    ({"parts": [], "twin": TWIN | {"repeated": {"other": {
        "of": "tset", "condition": TWIN["repeated"]["test-twin-other"]["condition"]}}}},
     "other repeats tset, which is no subset; choose one of train-twin, test-twin-clean"),
    ({"parts": [], "twin": TWIN | {"repeated": {
        "train-twin": TWIN["repeated"]["test-twin-other"]}}},
     "train-twin stands in subsets and in repeated"),
    ({"parts": [], "twin": TWIN | {"dictionary": {"subsets": ["test-twin-other"], "share": 0.1}}},
     "dictionary.subsets names test-twin-other, which is no subset"),
], ids=["empty", "overlap", "unknown part", "shared speaker", "silent speaker", "unknown repeated",
        "repetition of a name", "unknown teacher"])
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


def test_the_real_utterances_lie_beside_the_twin(mirror: Path, tmp_path: Path) -> None:
    prepare(Settings.model_validate({
        "module": "librispeech", "parts": ["test-clean-47"], "twin": TWIN}), tmp_path, mirror)
    found = utterances(tmp_path, "test-clean")
    assert len(found) == 47 and {item.speaker for item in found} == {"237", "1089"}
    assert sum(soundfile.info(item.path).duration for item in found) == pytest.approx(221, abs=1)
    first = next(item for item in found if item.id == "1089-134686-0000")
    assert first.text.startswith("HE HOPED THERE WOULD BE STEW FOR DINNER")
    assert len(utterances(tmp_path, "train-twin")) == 5
