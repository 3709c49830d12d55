"""The phone set: the 39 of the CMU Pronouncing Dictionary, and classes that can tell them apart."""

from itertools import combinations

from pipeline.audio.phones import CLASSES, CONSONANTS, PHONES, VOWELS

# The list of cmudict-0.7b.phones.
CMUDICT = ["AA", "AE", "AH", "AO", "AW", "AY", "B", "CH", "D", "DH", "EH", "ER", "EY", "F", "G",
           "HH", "IH", "IY", "JH", "K", "L", "M", "N", "NG", "OW", "OY", "P", "R", "S", "SH", "T",
           "TH", "UH", "UW", "V", "W", "Y", "Z", "ZH"]


def test_the_phones_are_those_of_cmudict() -> None:
    assert list(PHONES) == CMUDICT and len(CMUDICT) == 39
    assert len(VOWELS) == 15 and not set(VOWELS) & set(CONSONANTS)


def test_classes_hold_phones_once_and_no_two_are_the_same() -> None:
    for name, phones in CLASSES.items():
        assert set(phones) <= set(PHONES) and len(set(phones)) == len(phones) > 1, name
    sets = [frozenset(phones) for phones in CLASSES.values()]
    assert len(set(sets)) == len(sets)


def test_every_two_phones_are_told_apart_by_some_class() -> None:
    same = [(one, other) for one, other in combinations(PHONES, 2)
            if all((one in phones) == (other in phones) for phones in CLASSES.values())]
    assert same == []


def test_manners_partition_the_consonants_and_heights_the_vowels() -> None:
    def partition(whole: tuple[str, ...], *names: str) -> None:
        parts = [phone for name in names for phone in CLASSES[name]]
        assert sorted(parts) == sorted(whole)

    partition(CONSONANTS, "stop", "affricate", "fricative", "nasal", "liquid", "glide")
    partition(CONSONANTS, "obstruent", "sonorant consonant")
    partition(CLASSES["obstruent"], "voiced obstruent", "voiceless")
    partition(CLASSES["stop"], "voiced stop", "voiceless stop")
    partition(CLASSES["fricative"], "voiced fricative", "voiceless fricative")
    partition(VOWELS, "high vowel", "mid vowel", "low vowel")
    partition(VOWELS, "front vowel", "central vowel", "back vowel")
    partition(VOWELS, "lax vowel", "tense vowel")
