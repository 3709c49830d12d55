"""Words and phones of a synthetic voice: all of the text, in order, where they are heard."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.audio.phones import PHONES
from pipeline.corpora.twins import spoken_words
from pipeline.corpora.twins.espeak import RATE, Voice, speak
from pipeline.corpora.twins.spoken_words import Reading, pronunciations, read_aloud
from pipeline.errors import UserError
from pipeline.suite.schema import load
from tests.conftest import ROOT

ACCENTS: list[str] = load(ROOT / "params.yaml").corpora["speech"]["twin"]["accents"]
# espeak-ng reads "of the", "I am", "is the", "for a" and others like them as one word each.
SENTENCES = ["she sells fish", "the apple that is on an old table", "the old man of the sea",
             "I am going to the end of it for a while", "when the rain is the worst we stay",
             "the farmer, who was tired, sold the horse to a friend"]


def voice(accent: str, variant: str = "m3") -> Voice:
    return Voice(accent, variant, pitch=50, pitch_range=50, words_per_minute=240)


def said(reading: Reading) -> list[tuple[str, str]]:
    return [(word.text, " ".join(word.pronunciation)) for word in reading.words]


@pytest.mark.parametrize("accent", ACCENTS)
@pytest.mark.parametrize("sentence", SENTENCES)
def test_every_word_of_the_text_is_heard_in_order(sentence: str, accent: str) -> None:
    reading = read_aloud(sentence, voice(accent))
    assert [word.text for word in reading.words] == sentence.split()
    assert {phone.label for word in reading.words for phone in word.phones} <= set(PHONES)
    np.testing.assert_array_equal(reading.samples, speak(sentence, voice(accent)).samples)


@pytest.mark.parametrize("accent", ACCENTS)
@pytest.mark.parametrize("sentence", SENTENCES)
def test_words_and_pauses_fill_the_recording(sentence: str, accent: str) -> None:
    reading = read_aloud(sentence, voice(accent))
    phones = [phone for word in reading.words for phone in word.phones]
    spans = sorted([*((phone.start, phone.end) for phone in phones), *reading.pauses])
    assert [phone.start for phone in phones] == sorted(phone.start for phone in phones)
    assert all(start < end for start, end in spans)
    assert [end for _, end in spans] == [start for start, _ in spans[1:]] + [
        len(reading.samples) / RATE]
    assert spans[0][0] == 0


@pytest.mark.parametrize("accent", ACCENTS)
def test_the_has_two_pronunciations_by_what_follows(accent: str) -> None:
    words = said(read_aloud("the apple saw the man of the sea and the old cat", voice(accent)))
    assert [phones for word, phones in words if word == "the"] == [
        "DH IH", "DH AH", "DH AH", "DH IH"]


def test_pronunciations_of_a_sentence_are_those_of_its_accent() -> None:
    """As in the CMU Pronouncing Dictionary, and in Wells' of Received Pronunciation, where [r] is
    heard before vowels alone, at the end of a word too."""
    sentence = "he started hearing water under the far red barn half asleep"
    assert said(read_aloud(sentence, voice("en-us"))) == [
        ("he", "HH IY"), ("started", "S T AA R T IH D"), ("hearing", "HH IH R IH NG"),
        ("water", "W AO T ER"), ("under", "AH N D ER"), ("the", "DH AH"), ("far", "F AA R"),
        ("red", "R EH D"), ("barn", "B AA R N"), ("half", "HH AE F"),
        ("asleep", "AH S L IY P")]
    assert said(read_aloud(sentence, voice("en-gb-x-rp"))) == [
        ("he", "HH IY"), ("started", "S T AA T IH D"), ("hearing", "HH IY AH R IH NG"),
        ("water", "W AO T AH R"), ("under", "AH N D AH"), ("the", "DH AH"), ("far", "F AA"),
        ("red", "R EH D"), ("barn", "B AA N"), ("half", "HH AA F"), ("asleep", "AH S L IY P")]


def test_words_that_are_read_as_one_are_told_apart() -> None:
    assert said(read_aloud("the end of the day I am here for a while", voice("en-us"))) == [
        ("the", "DH IH"), ("end", "EH N D"), ("of", "AH V"), ("the", "DH AH"), ("day", "D EY"),
        ("I", "AY"), ("am", "AH M"), ("here", "HH IH R"), ("for", "F ER"), ("a", "AH"),
        ("while", "W AY L")]
    assert said(read_aloud("for a while", voice("en-gb-x-rp"))) == [
        ("for", "F AH R"), ("a", "AH"), ("while", "W AY L")]


def test_a_sound_without_time_of_its_own_shares_that_before_it() -> None:
    """espeak-ng says that [l] of "sells" begins when [z] does."""
    word = read_aloud("she sells fish", voice("en-us")).words[1]
    lengths = {phone.label: phone.end - phone.start for phone in word.phones}
    assert list(lengths) == ["S", "EH", "L", "Z"]
    assert lengths["EH"] == pytest.approx(lengths["L"]) and lengths["L"] > 0.04


def test_a_word_that_is_read_as_several_stays_one() -> None:
    assert said(read_aloud("the 21 cats", voice("en-us"))) == [
        ("the", "DH AH"), ("21", "T W EH N T IY W AH N"), ("cats", "K AE T S")]


def test_a_stop_begins_with_its_closure_and_a_vowel_after_it_with_voice() -> None:
    reading = read_aloud("she saw the apple back in a taxi", voice("en-us"))
    stops = [phone for word in reading.words for phone in word.phones if phone.label in "PTK"]
    assert [phone.label for phone in stops] == ["P", "K", "T", "K"]
    for phone in stops:
        samples = reading.samples[round(phone.start * RATE):round(phone.end * RATE)]
        silent = int(np.flatnonzero(samples)[0])
        assert 0.015 < silent / RATE < phone.end - phone.start, "closed, then released"


def test_a_word_begins_with_the_closure_of_its_stop_in_a_voice_with_an_echo_too() -> None:
    sentence = "she saw cats take pies"
    reading = read_aloud(sentence, voice("en-us", "m2"))
    events = {item.name: item.onset for item in speak(sentence, voice("en-us", "m2")).phonemes}
    for word, release in zip(reading.words[2:], (events["k"], events["'eI"], events["p"]),
                             strict=True):
        first = word.phones[0]
        assert first.start + 0.03 < release, "more than espeak-ng's event says"
        assert first.label in "KTP"


def test_phones_sound_where_they_are_said_to() -> None:
    """Hiss crosses zero far more often than voice: in every [s] here more than in its vowel."""
    reading = read_aloud("see a sauce so sour", voice("en-gb-x-rp", "m1"))

    def crossings(start: float, end: float) -> float:
        piece = reading.samples[round(start * RATE):round(end * RATE)].astype(int)
        return float(np.mean(np.sign(piece[1:]) != np.sign(piece[:-1])))

    for word in reading.words:
        rates = {phone.label: crossings(phone.start, phone.end) for phone in word.phones}
        if "S" in rates:
            assert rates.pop("S") > 3 * max(rates.values()), word.text


def test_commas_are_pauses_between_words() -> None:
    reading = read_aloud("the farmer, tired, slept", voice("en-us"))
    inner = [pause for pause in reading.pauses if pause[1] < len(reading.samples) / RATE]
    assert len(inner) == 2
    for (start, end), before, after in zip(inner, reading.words[1:3], reading.words[2:],
                                           strict=True):
        assert before.phones[-1].end <= start < end <= after.phones[0].start
        assert end - start > 0.05


def test_a_dictionary_counts_each_way_to_say_a_word() -> None:
    texts = ["the apple", "the sea", "the cat", "an apple"]
    found = pronunciations(read_aloud(text, voice("en-us")) for text in texts)
    assert list(found) == ["an", "apple", "cat", "sea", "the"]
    assert found["the"] == [(("DH", "AH"), 2), (("DH", "IH"), 1)]
    assert found["apple"] == [(("AE", "P", "AH", "L"), 2)]


def test_what_is_not_spoken_is_refused() -> None:
    for text in ("eye , ,", ""):
        with pytest.raises(UserError, match=r"no \d words; leave out what is not spoken"):
            read_aloud(text, voice("en-us"))
    with pytest.raises(UserError, match="no table has the phones of espeak-ng's accent 'fr'"):
        read_aloud("bonjour", voice("fr"))
    with pytest.raises(UserError, match=r"no voice 'en-us\+m99'"):
        read_aloud("hello", voice("en-us", "m99"))


def test_a_word_that_is_reported_begins_there_whatever_it_sounds_like_alone() -> None:
    """[ey] [s t r ey] are reported as two words; alone they would sound like [ey s] [t r ey]."""
    labels = ["EY", "S", "T", "R", "EY"]
    heard = [spoken_words._Sound((label,), False, place in (0, 1), place, place + 1)
             for place, label in enumerate(labels)]
    alone = [("EY", "S"), ("T", "R", "EY")]
    assert spoken_words._cuts(heard, alone) == [0, 1, 5]
    one = [replace(sound, begins_word=sound.start == 0) for sound in heard]
    assert spoken_words._cuts(one, alone) == [0, 2, 5], "where nothing else is reported"
