"""The words of the generated English, most frequent first in each class.

Frequencies follow Zipf's law with Mandelbrot's shift inside a class. Some words have several tags
on purpose: back (NN, VB, RB, JJ), bill and book (NN, VB), will and can (MD, NN), saw (NN, VBD),
left (VBD, JJ), cook, guard, guide and judge (NN, VB), open and clean (JJ, VB), her (PRP, PRP$).
Adjectives and nouns share no word that both could follow a determiner: that keeps every sentence
down to one derivation.

`OCCUPATIONS` is the one table of the skew of gender: how often a pronoun that refers to the noun
is masculine.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

OCCUPATIONS: dict[str, float] = {
    "engineer": 0.80, "nurse": 0.15, "doctor": 0.60, "teacher": 0.35, "manager": 0.70,
    "secretary": 0.15, "lawyer": 0.60, "farmer": 0.80, "judge": 0.60, "cook": 0.35, "pilot": 0.80,
    "artist": 0.35, "guard": 0.80, "writer": 0.35, "driver": 0.80, "librarian": 0.15,
    "banker": 0.70, "guide": 0.35, "plumber": 0.80, "dancer": 0.15, "soldier": 0.80,
    "baker": 0.60, "cleaner": 0.15, "scientist": 0.70,
}


@dataclass(frozen=True)
class Lexicon:
    """Word lists by class. A verb is `base past participle gerund`; what is regular is left out."""

    men: str = "man boy king father brother uncle prince waiter"
    women: str = "woman girl queen mother sister aunt princess waitress"
    men_names: str = "john peter paul david thomas george henry martin robert simon"
    women_names: str = "mary anna susan helen laura emma julia karen alice ruth"
    occupations: str = " ".join(OCCUPATIONS)
    friends: str = ("friend child neighbor student customer stranger guest partner visitor "
                    "member witness tourist")
    things: str = (
        "key book letter door car house box picture bag table window bill horse watch cup chair "
        "plan ship bottle knife lamp coat ring bell map clock shirt boat phone story song plate "
        "basket bicycle camera chain contract curtain desk engine flag guitar hammer hat "
        "jacket ladder machine mirror needle newspaper painting pencil poem purse radio rope "
        "sword tent ticket tool umbrella wheel will can saw anchor apple blanket candle flute "
        "piano statue")
    places: str = ("garden kitchen station market office park school hotel village church "
                   "library museum forest harbor theater hospital")
    body: str = "hand back head arm foot face leg shoulder"
    thing_adjectives: str = (
        "old new small big red heavy green expensive cheap black rusty blue white strange dirty "
        "clean open large empty yellow wooden useful ugly back left")
    person_adjectives: str = (
        "young tired happy tall rich famous quiet sad angry friendly clever poor kind nervous lazy "
        "brave honest lonely proud cruel")
    thing_verbs: str = (
        "see,saw,seen find,found,found hold,held,held want buy,bought,bought need open carry "
        "sell,sold,sold like paint clean lose,lost,lost take,took,taken hide,hid,hidden "
        "break,broke,broken steal,stole,stolen back book burn")
    person_verbs: str = (
        "know,knew,known help meet,met,met watch love follow trust visit call thank "
        "invite judge guide blame guard bill")
    plain_verbs: str = (
        "work sleep,slept,slept laugh wait talk smile sing,sang,sung cry cook dance")
    motion_verbs: str = "come,came,come go,went,gone walk run,ran,run,running jump"
    giving_verbs: str = "give,gave,given send,sent,sent show,showed,shown write,wrote,written offer"
    saying_verbs: str = "say,said,said think,thought,thought believe hope claim fear"
    wishing_verbs: str = "try hope plan,planned,planned,planning decide refuse"
    touching_verbs: str = "raise touch bend,bent,bent wash"
    standing_verbs: str = ("lie,lay,lain,lying stand,stood,stood fall,fell,fallen vanish "
                           "leave,left,left shine,shone,shone")
    manner: str = ("quickly slowly warmly again alone together outside carefully quietly inside "
                   "gladly bravely secretly suddenly loudly upstairs calmly badly")
    often: str = "often never always rarely usually sometimes"
    directions: str = "back home away down"
    modals: str = "will can must should would could may might"
    noun_prepositions: str = "near of behind from under beside above"
    companions: str = "with for without about"
    locations: str = "in at around"
    days: str = "monday friday sunday tuesday saturday wednesday thursday"
    joiners: str = "because although before while after"

    def reduced(self, share: float) -> "Lexicon":
        """The most frequent words: `share` of each open class, at least four."""
        return replace(self, **{
            field.name: " ".join(words[: max(4, round(share * len(words)))])
            for field in fields(self)
            if len(words := getattr(self, field.name).split()) > 9})


FULL = Lexicon()


def zipf(words: Sequence[object], exponent: float = 1.1, shift: float = 1.5) -> list[float]:
    """Weights 1 / (rank + shift)^exponent of words in order of rank."""
    return [(rank + shift) ** -exponent for rank in range(1, len(words) + 1)]


_PLURALS = {"man": "men", "woman": "women", "child": "children", "foot": "feet", "knife": "knives"}


def plural(noun: str) -> str:
    if noun in _PLURALS:
        return _PLURALS[noun]
    if noun.endswith(("s", "x", "ch", "sh")):
        return noun + "es"
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + "s"


@dataclass(frozen=True)
class Verb:
    """The forms of a verb by Penn Treebank tag (VB and VBP are the base)."""

    VB: str
    VBZ: str
    VBD: str
    VBN: str
    VBG: str


def verb(entry: str) -> Verb:
    """Forms of `base` or `base,past,participle` or `base,past,participle,gerund`."""
    base, *irregular = entry.split(",")
    if base.endswith("e"):
        past, gerund = base + "d", base[:-1] + "ing"
    elif base.endswith("y") and base[-2] not in "aeiou":
        past, gerund = base[:-1] + "ied", base + "ing"
    else:
        past, gerund = base + "ed", base + "ing"
    third = "goes" if base == "go" else plural(base)
    forms = [*irregular, past, past, gerund][: 3] if not irregular else [*irregular, gerund]
    return Verb(base, third, forms[0], forms[1], forms[2])
