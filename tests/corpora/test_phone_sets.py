"""Every symbol that a corpus writes for a sound has its phones, and no table has any other."""

import re
import tarfile
from collections.abc import Callable
from pathlib import Path

import espeakng_loader
import pytest

from pipeline.audio.phones import PHONES, SILENCE
from pipeline.corpora import an4
from pipeline.corpora.phone_sets import ESPEAK, SAMPA, from_espeak, from_sampa, is_pause
from pipeline.corpora.twins.espeak import Voice, speak
from pipeline.corpora.twins.grammar import english
from pipeline.entries import CorpusSettings
from pipeline.errors import UserError

# A word of each of Wells' lexical sets and of what English has beside them.
LEXICAL_SETS = ("kit dress trap lot strut foot bath cloth nurse fleece face palm thought goat "
                "goose price choice mouth near square start north force cure happy letter comma "
                "button bottle rhythm fire hour lower player offering hearing furry idea museum "
                "croissant loch vision church judge thing this hue what yes")


def phoneme_tables() -> dict[str, list[str]]:
    """The mnemonics that each English phoneme table of espeak-ng's `phontab` defines itself.

    A table is a header of 36 bytes (how many phonemes, which table it extends, its name at 4) and
    16 bytes a phoneme, which begin with its mnemonic; the file begins with the number of tables.
    """
    content = (Path(espeakng_loader.get_data_path()) / "phontab").read_bytes()
    tables, place = {}, 4
    for _ in range(content[0]):
        count, name = content[place], content[place + 4:place + 36].split(b"\0")[0].decode()
        begin, place = place + 36, place + 36 + 16 * count
        tables[name] = [content[start:start + 4].rstrip(b"\0").decode("latin-1")
                        for start in range(begin, place, 16)]
    assert place == len(content)
    return {name: found for name, found in tables.items() if name.startswith("en")}


@pytest.mark.parametrize("accent", ESPEAK)
def test_every_phoneme_that_english_defines_has_its_phones(accent: str) -> None:
    tables = phoneme_tables()
    assert len(tables) == 8
    for mnemonics in tables.values():
        for mnemonic in set(mnemonics) - {""}:
            assert set(from_espeak(mnemonic, accent)) <= set(PHONES)


@pytest.mark.parametrize("accent", ESPEAK)
def test_every_phoneme_of_the_twins_vocabulary_has_its_phones(accent: str) -> None:
    vocabulary = {word for item in english.generate(6000, 1, 12) for word in item.words}
    words = sorted(vocabulary) + LEXICAL_SETS.split()
    assert len(words) > 400
    found: set[str] = set()
    for start in range(0, len(words), 40):
        speech = speak(", ".join(words[start:start + 40]), Voice(accent, "m1", 50, 50, 450))
        found |= {item.name for item in speech.phonemes if not is_pause(item.name)}
    heard = {phone for mnemonic in found for phone in from_espeak(mnemonic, accent)}
    # [h] is dropped in the West Midlands, dental fricatives are stops in the Caribbean.
    silent = {"en-gb-x-gbcwmd": {"HH"}, "en-029": {"DH", "TH"}}.get(accent, set())
    assert set(PHONES) - heard <= silent


@pytest.mark.parametrize("accent, word, phones", [
    ("en-us", "start", "S T AA R T"), ("en-gb-x-rp", "start", "S T AA T"),
    ("en-us", "letter", "L EH T ER"), ("en", "letter", "L EH T AH"),
    ("en-us", "bath", "B AE TH"), ("en-gb-x-rp", "bath", "B AA TH"),
    ("en-gb-x-gbclan", "strut", "S T R UH T"), ("en-us", "button", "B AH T AH N"),
    ("en-us", "near", "N IH R"), ("en-gb-scotland", "near", "N IH R"), ("en", "near", "N IY AH"),
    ("en-gb-scotland", "nurse", "N ER S"), ("en-gb-x-rp", "poor", "P AO"),
    ("en-us", "lot", "L AA T"), ("en", "judge", "JH AH JH"), ("en-us", "happy", "HH AE P IY")])
def test_words_of_lexical_sets_sound_as_in_their_accent(
        accent: str, word: str, phones: str) -> None:
    """Wells 1982, tables of chapters 2 and 4 to 6."""
    speech = speak(word, Voice(accent, "m1", 50, 50, 300))
    assert [phone for item in speech.phonemes if not is_pause(item.name)
            for phone in from_espeak(item.name, accent)] == phones.split()


def test_stress_marks_change_nothing() -> None:
    assert from_espeak("'eI", "en-us") == from_espeak(",eI", "en-us") == ("EY",)
    assert is_pause("_:") and is_pause("") and not is_pause("'eI")


def test_what_no_table_has_is_named() -> None:
    with pytest.raises(UserError, match=r"accent 'de'; known: en, en-us"):
        from_espeak("a", "de")
    with pytest.raises(UserError, match="which phone espeak-ng's \"'y:\" is in en-us"):
        from_espeak("'y:", "en-us")
    with pytest.raises(UserError, match=r"x\.TextGrid, line 3: '2:' is no label in SAMPA"):
        from_sampa("2:", "x.TextGrid, line 3")


def test_fused_labels_are_sequences() -> None:
    assert from_sampa("d_b", "") == ("D", "B") and from_sampa("@_r", "") == ("AH", "R")
    assert from_sampa("tS", "") == ("CH",) and from_sampa("H", "") == ()


def test_every_label_of_the_australian_sentences_has_its_phones(mirror: Path) -> None:
    archive, = (mirror / "emu_ae").glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        grids = [packed.extractfile(member).read().decode() for member in packed  # type: ignore[union-attr]
                 if member.name.endswith(".TextGrid")]
    found: dict[str, set[str]] = {"Phoneme": set(), "Phonetic": set()}
    for grid in grids:
        for tier in re.split(r"item \[\d+\]:", grid)[1:]:
            name = re.findall(r'name = "(.*?)"', tier)[0]
            if name in found:
                found[name] |= set(re.findall(r'text = "(.*?)"', tier)) - {""}
    assert len(grids) == 7 and [len(labels) for labels in found.values()] == [39, 45]
    phones = {phone for labels in found.values() for label in labels
              for phone in from_sampa(label, "")}
    # Seven sentences hold no [g], "book", "voice", "house" or "vision".
    assert set(PHONES) - phones <= {"AW", "OY", "G", "UH", "ZH"}


def test_sampa_has_every_phone() -> None:
    assert {phone for phones in SAMPA.values() for phone in phones} == set(PHONES)


def test_every_phone_of_an4_is_one(real_corpus: Callable[[CorpusSettings], Path]) -> None:
    phones = an4.phones(real_corpus(an4.Settings(module="an4")))
    assert set(phones) - {SILENCE} < set(PHONES) and len(phones) == 34
