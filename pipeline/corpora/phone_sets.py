"""How corpora write sounds, and the 39 phones of `pipeline.audio.phones` that these are.

- espeak-ng's mnemonics, as its phoneme events give them (its `docs/phonemes.md`): Kirshenbaum's
  ASCII alphabet, with a symbol for each vowel of Wells' lexical sets (Accents of English, 1982), so
  that one dictionary serves all accents. What such a symbol sounds like hangs on the accent: `A@`
  of "start" ends in [r] in `en-us` and does not in `en-gb-x-rp`. The tables say what is heard, in
  the nearest of the 39; LOT is AA everywhere, although it is rounded in Britain.
- SAMPA (Wells 1997) as the EMU project labels Australian English, of which a label may be two
  phones that run into each other (`d_b`); its phonetic tier also writes these as one (`db`), and
  labels aspiration (`H`) and voiceless beginnings of nasals and approximants (`On`).
- AN4's phones are 33 of the 39, and `SIL`.

A symbol may be several phones, or none: what is heard then belongs to the phone before it.
"""

from collections.abc import Mapping

from pipeline.errors import UserError
from pipeline.storage.words import words_in

Table = Mapping[str, tuple[str, ...]]


def _table(text: str) -> dict[str, tuple[str, ...]]:
    """A table from entries `SYMBOL=PHONE+PHONE`; nothing after `=` is no phone."""
    pairs = (entry.split("=") for entry in words_in(text))
    return {symbol: tuple(phone for phone in phones.split("+") if phone)
            for symbol, phones in pairs}


# English as it is common to all accents, then without [r] after vowels.
_CONSONANTS = _table(
    "p=P b=B t=T d=D k=K g=G t[=T d[=D t#=T t2=T d#=T ?=T tS=CH dZ=JH "
    "f=F v=V v#=V T=TH D=DH s=S z=Z z#=S z/2=Z S=SH Z=ZH h=HH x=K X=K C=HH "
    "m=M n=N n^=N N=NG m-=AH+M n-=AH+N N-=AH+NG l-=AH+L @L=AH+L "
    "l=L l/=L l/2=L l^=L r=R r-=R r/=R w=W w#=W j=Y ;=")
_VOWELS = _table(
    "I=IH I2=IH I#=IH I2#=IH i=IY i:=IY e=EH E=EH E2=EH E#=EH e#=EH e:=EY eI=EY "
    "a=AE a2=AE a/=AE aa=AE a#=AH a#2=AH @=AH @-=AH @2=AH @5=AH @#=AH V=AH 3:=ER IR=ER VR=ER "
    "0=AA 0#=AA 02=AA A:=AA A#=AA A~=AA+N O2=AO O=AO O:=AO O~=AO+N o=OW o:=OW oU=OW oU#=OW "
    "U=UH u=UW u:=UW aI=AY aI2=AY OI=OY aU=AW i@=IY+AH aI@=AY+AH aU@=AW+AH")
_NO_R = _table("3=AH A@=AA O@=AO o@=AO U@=UH+AH i@3=IY+AH e@=EH+AH aI3=AY+AH")
_BRITISH = {**_CONSONANTS, **_VOWELS, **_NO_R, "O2": ("AA",)}
_AMERICAN = {**_CONSONANTS, **_VOWELS, **_table(
    "3=ER A@=AA+R O@=AO+R o@=AO+R U@=UH+R i@3=IH+R e@=EH+R aI3=AY+ER 02=AH")}

ESPEAK: dict[str, Table] = {
    "en": _BRITISH,  # the voice of en-gb
    "en-us": _AMERICAN,
    "en-us-nyc": {**_BRITISH, "O2": ("AO",)},
    "en-gb-x-rp": {**_BRITISH, **_table("aa=AA U@=AO")},
    # [r] follows its vowels as a symbol of its own, but for CURE.
    "en-gb-scotland": {**_BRITISH, **_table("U@=UH+R i@3=IH e@=EH")},
    "en-gb-x-gbclan": {**_BRITISH, "V": ("UH",)},
    "en-gb-x-gbcwmd": {**_BRITISH, **_table("V=UH e@=ER")},
    "en-029": _BRITISH,
}

SAMPA: Table = _table(
    "p=P b=B t=T d=D k=K g=G tS=CH dZ=JH f=F v=V T=TH D=DH s=S z=Z S=SH Z=ZH h=HH m=M n=N N=NG "
    "l=L r=R w=W j=Y I=IH i:=IY E=EH A=AE V=AH @=AH @:=ER O=AA o:=AO U=UH u:=UW ai=AY ei=EY "
    "oi=OY au=AW @u=OW "
    "H= NH= Om= On= Or= Ow= dH=D db=D+B kt=K+T pt=P+T zs=Z+S")

_STRESS = "',%="


def is_pause(mnemonic: str) -> bool:
    """Whether an espeak-ng mnemonic is silence."""
    return not mnemonic or mnemonic.startswith("_")


def from_espeak(mnemonic: str, accent: str) -> tuple[str, ...]:
    """The phones of an espeak-ng mnemonic, with or without its stress marks, in an accent.

    Raises UserError for an accent or a mnemonic that the tables lack.
    """
    if accent not in ESPEAK:
        raise UserError(f"no table has the phones of espeak-ng's accent {accent!r}; known: "
                        f"{', '.join(ESPEAK)}")
    symbol = mnemonic.lstrip(_STRESS)
    if symbol not in ESPEAK[accent]:
        raise UserError(f"no table says which phone espeak-ng's {mnemonic!r} is in {accent}; add "
                        "it to pipeline/corpora/phone_sets.py")
    return ESPEAK[accent][symbol]


def from_sampa(label: str, place: str) -> tuple[str, ...]:
    """The phones of a label in SAMPA; `_` joins those that run into each other.

    Raises UserError naming `place` for a label that the table lacks.
    """
    phones: list[str] = []
    for part in label.split("_"):
        if part not in SAMPA:
            raise UserError(f"{place}: {label[:40]!r} is no label in SAMPA that is known here; "
                            "mend it")
        phones += SAMPA[part]
    return tuple(phones)
