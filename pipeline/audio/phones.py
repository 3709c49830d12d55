"""The sounds of English as a recogniser counts them: 39 phones of ARPAbet, and their classes.

The phones are those of the CMU Pronouncing Dictionary without its stress marks (Weide 1998; ARPAbet
is Shoup's alphabet of 1980), one set for all English speech, however a corpus writes its own.

A decision tree that ties the states of phones in context asks what stands to the left and to the
right of a phone (Young, Odell and Woodland 1994, Tree-Based State Tying for High Accuracy Acoustic
Modelling). `CLASSES` are the sets that it may ask about: the manners and places of articulation,
voice, and height, backness and rounding of vowels (Ladefoged and Johnson, A Course in Phonetics,
chapters 1 and 2, for American English). A diphthong counts where it begins; where it moves to is a
class of its own. Single phones are no classes here; whoever grows a tree asks about each anyway.
"""

SILENCE = "SIL"

VOWELS = ("AA", "AE", "AH", "AO", "AW", "AY", "EH", "ER", "EY", "IH", "IY", "OW", "OY", "UH", "UW")
CONSONANTS = ("B", "CH", "D", "DH", "F", "G", "HH", "JH", "K", "L", "M", "N", "NG", "P", "R", "S",
              "SH", "T", "TH", "V", "W", "Y", "Z", "ZH")
PHONES = tuple(sorted(VOWELS + CONSONANTS))

CLASSES: dict[str, tuple[str, ...]] = {
    "vowel": VOWELS,
    "consonant": CONSONANTS,
    # Manner of articulation.
    "stop": ("B", "D", "G", "K", "P", "T"),
    "affricate": ("CH", "JH"),
    "fricative": ("DH", "F", "HH", "S", "SH", "TH", "V", "Z", "ZH"),
    "sibilant": ("CH", "JH", "S", "SH", "Z", "ZH"),
    "obstruent": ("B", "CH", "D", "DH", "F", "G", "HH", "JH", "K", "P", "S", "SH", "T", "TH", "V",
                  "Z", "ZH"),
    "nasal": ("M", "N", "NG"),
    "liquid": ("L", "R"),
    "glide": ("W", "Y"),
    "approximant": ("L", "R", "W", "Y"),
    "sonorant consonant": ("L", "M", "N", "NG", "R", "W", "Y"),
    # Voice.
    "voiced obstruent": ("B", "D", "DH", "G", "JH", "V", "Z", "ZH"),
    "voiceless": ("CH", "F", "HH", "K", "P", "S", "SH", "T", "TH"),
    "voiced stop": ("B", "D", "G"),
    "voiceless stop": ("K", "P", "T"),
    "voiced fricative": ("DH", "V", "Z", "ZH"),
    "voiceless fricative": ("F", "HH", "S", "SH", "TH"),
    # Place of articulation.
    "labial": ("B", "F", "M", "P", "V", "W"),
    "bilabial": ("B", "M", "P", "W"),
    "labiodental": ("F", "V"),
    "dental": ("DH", "TH"),
    "alveolar": ("D", "L", "N", "R", "S", "T", "Z"),
    "palato-alveolar": ("CH", "JH", "SH", "ZH"),
    "coronal": ("CH", "D", "DH", "JH", "L", "N", "R", "S", "SH", "T", "TH", "Z", "ZH"),
    "velar": ("G", "K", "NG"),
    "dorsal": ("G", "K", "NG", "W", "Y"),
    # Vowels.
    "high vowel": ("IH", "IY", "UH", "UW"),
    "mid vowel": ("AH", "EH", "ER", "EY", "OW"),
    "low vowel": ("AA", "AE", "AO", "AW", "AY", "OY"),
    "front vowel": ("AE", "EH", "EY", "IH", "IY"),
    "central vowel": ("AH", "AW", "AY", "ER"),
    "back vowel": ("AA", "AO", "OW", "OY", "UH", "UW"),
    "high front vowel": ("IH", "IY"),
    "high back vowel": ("UH", "UW"),
    "rounded vowel": ("AO", "OW", "OY", "UH", "UW"),
    "lax vowel": ("AE", "AH", "EH", "IH", "UH"),
    "tense vowel": ("AA", "AO", "AW", "AY", "ER", "EY", "IY", "OW", "OY", "UW"),
    "diphthong": ("AW", "AY", "EY", "OW", "OY"),
    "ends high and front": ("AY", "EY", "IY", "OY", "Y"),
    "ends high and back": ("AW", "OW", "UW", "W"),
    "rhotic": ("ER", "R"),
}
