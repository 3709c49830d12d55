"""The rules of the generated English, each with its verb-final order.

Built so that a string has one derivation: noun phrases branch to the right only (a noun has one
prepositional phrase or one relative clause, never both), prepositions that modify nouns differ
from those that modify verbs, and relative clauses take no adjunct at their end.

What an n-gram cannot see: verbs agree with a subject in front of prepositional phrases and
relative clauses ("the keys that the man near the doors holds are old"); `if` is answered by
`then`, `either` by `or`, `neither` by `nor`; himself, his and he agree with the subject, whose
name or occupation may stand far back.

The verb-final side marks the topic (wa), the subject of a relative clause (ga), the object (o)
and the receiver (ni), puts modifiers before nouns and has one pronoun for he and she.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.corpora.twins.grammar.invented import Inventor
from pipeline.corpora.twins.grammar.lexicon import OCCUPATIONS, Lexicon, Verb, plural, verb, zipf
from pipeline.corpora.twins.grammar.synchronous import Grammar, Word

_HEAD = ("number", "gender")


@dataclass(frozen=True)
class Kind:
    """A class of noun phrases that behave alike: number, person or thing, gender of pronouns.

    `he` is the probability that a pronoun for it is masculine (persons in the singular only).
    """

    name: str
    weight: float
    plural: bool
    person: bool
    he: float | None

    @property
    def number(self) -> str:
        return "p" if self.plural else "s"


def _occupation_kind(share: float) -> str:
    return f"he{round(100 * share)}"


def kinds(lexicon: Lexicon) -> list[Kind]:
    """Men, women, occupations by their share of masculine pronouns, persons, a thing, things."""
    known = lexicon.occupations.split()
    weights = dict(zip(known, zipf(known), strict=True))
    total = sum(weights.values())
    shares = sorted({OCCUPATIONS[noun] for noun in known})
    occupations = [Kind(_occupation_kind(share), 0.22 / total * sum(
        weight for noun, weight in weights.items() if OCCUPATIONS[noun] == share),
        False, True, share) for share in shares]
    return [Kind("man", 0.14, False, True, 1.0), Kind("woman", 0.14, False, True, 0.0),
            *occupations, Kind("friend", 0.05, False, True, 0.5),
            Kind("persons", 0.20, True, True, None),
            Kind("thing", 0.13, False, False, None), Kind("things", 0.13, True, False, None)]


def build(lexicon: Lexicon) -> Grammar:
    """The grammar over a lexicon."""
    grammar = Grammar("TOP")
    found = kinds(lexicon)
    _sentences(grammar, found)
    for kind in found:
        _noun_phrases(grammar, kind)
        _predicates(grammar, kind)
    _objects(grammar, found)
    for number in "sp":
        _verb_groups(grammar, number)
        _person_cores(grammar, number)
    _closed_classes(grammar)
    _open_classes(grammar, lexicon, found)
    return grammar


def _sentences(grammar: Grammar, found: list[Kind]) -> None:
    grammar.add("TOP", 0.86, "new:S", "1")
    grammar.add("TOP", 0.14, "if/IN>pair new:S then/RB<pair new:S", "moshi 2 nara 4")
    for kind in found:
        grammar.add("S", kind.weight, f"NP[{kind.name}] VP[{kind.name}]", "1 wa 2")


def _noun_phrases(grammar: Grammar, kind: Kind) -> None:
    """Subjects (NP), objects (NPO), subjects of relative clauses (NPI), inside a PP (NPP)."""
    name, number = kind.name, kind.number
    for symbol, plain, pp, clause in (("NP", 0.46, 0.28, 0.26), ("NPO", 0.78, 0.15, 0.07),
                                      ("NPI", 0.72, 0.24, 0.04), ("NPP", 0.84, 0.16, 0.0)):
        head = f"{symbol}[{name}]"
        if kind.he in (0.0, 1.0):
            grammar.add(head, 1.2, f"NAME[{name}]", "1")
        if symbol in ("NP", "NPI") and name in ("man", "woman", "persons"):
            grammar.add(head, 0.25 if kind.plural else 0.8, f"PRONOUN[{name}]", "1")
            if kind.plural:
                grammar.add(head, 0.20, "new:NPS and/CC>number,gender new:NPS", "1 to 3")
        grammar.add(head, plain, f"DET.{number} NB[{name}]", "1 2")
        grammar.add(head, pp, f"DET.{number} NB[{name}] new:PP", "3 1 2")
        if clause:
            grammar.add(head, clause, f"DET.{number} NB[{name}] RC[{name}]", "3 1 2")
    grammar.add(f"NB[{name}]", 0.82, f"N[{name}]", "1")
    adjective = "JJ.person" if kind.person else "JJ.thing"
    grammar.add(f"NB[{name}]", 0.18, f"{adjective} NB[{name}]", "1 2")
    _relative_clauses(grammar, kind)


def _relative_clauses(grammar: Grammar, kind: Kind) -> None:
    clause, number = f"RC[{kind.name}]", kind.number
    grammar.add(clause, 0.5, "that/WDT new:RO.person" if kind.person else "that/WDT new:RO.thing",
                "2")
    if kind.person:
        for weight, rest, order in (
                (0.22, f"V[thing,{number}] new:NPO.thing", "3 o 2"),
                (0.14, f"V[person,{number}] new:NPO.person", "3 o 2"),
                (0.08, f"V[plain,{number}]", "2"),
                (0.06, f"BE.{number} JJ.person", "3 2")):
            grammar.add(clause, weight, f"who/WP {rest}", order)
    else:
        grammar.add(clause, 0.25, f"that/WDT BE.{number} JJ.thing", "3 2")
        grammar.add(clause, 0.25, f"that/WDT V[standing,{number}] LOC new:NPL", "4 3 2")


# A core with a pronoun for the subject (herself, her car) among the cores of persons.
_GENDERED = 0.18


def _genders(kind: Kind) -> list[tuple[str, float]]:
    """Whose pronouns stand for a person, and how often."""
    if kind.he is None:
        return [("persons", 1.0)]
    return [(name, share) for name, share in (("man", kind.he), ("woman", 1 - kind.he)) if share]


def _cores(kind: Kind) -> list[tuple[float, str, str]]:
    """Cores of a kind, and as which kind the subject is known after them.

    The first pronoun settles the gender of an engineer; those that follow it agree.
    """
    if not kind.person:
        return [(1.0, f"PLAIN[{kind.name}]", kind.name)]
    return [(1 - _GENDERED, f"PLAIN.{kind.number}", kind.name),
            *((_GENDERED * share, f"GENDERED[{name}]", name) for name, share in _genders(kind))]


def _predicates(grammar: Grammar, kind: Kind) -> None:
    """VP: cores (verb and objects), joined or with adjuncts."""
    name = kind.name
    vp = f"VP[{name}]"
    for share, core, known in _cores(kind):
        grammar.add(f"CORE[{name}]", share, core, "1")
        for weight, children, order in (
                (0.54, core, "1"),
                (0.16, f"{core} ADJUNCT", "2 1"),
                (0.07, f"either/CC>pair {core} or/CC<pair CORE[{known}]", "dochira 2 matawa 4"),
                (0.03, f"neither/CC>pair {core} nor/CC<pair CORE[{known}]", "izure 2 mata 4 nai"),
                (0.04, f"{core} and/CC CORE[{known}]", "1 soshite 3")):
            grammar.add(vp, share * weight, children, order)
        if kind.person:
            grammar.add(vp, share * 0.10, f"{core} SUB[{known}]", "2 1")
            grammar.add(vp, share * 0.03, f"{core} ADJUNCT SUB[{known}]", "3 2 1")
    if not kind.person:
        _thing_cores(grammar, kind)
        return
    grammar.add(vp, 0.07, f"V[saying,{kind.number}] that/IN new:S", "3 to 1")
    for gender, share in _genders(kind):
        clause = f"JOINER PRONOUN[{gender}] CORE[{gender}]"
        grammar.add(f"SUB[{name}]", 0.8 * share, clause, "2 wa 3 1")
        grammar.add(f"SUB[{name}]", 0.2 * share, f"{clause} ADJUNCT", "2 wa 4 3 1")


def _thing_cores(grammar: Grammar, kind: Kind) -> None:
    n = kind.number
    for weight, children, order in (
            (0.46, f"BE.{n} JJ.thing", "2 1"),
            (0.16, f"BE.{n} PASSIVE by/IN new:NPO.person", "4 niyotte 2 1"),
            (0.10, f"BE.{n} PASSIVE", "2 1"),
            (0.18, f"V[standing,{n}]", "1"),
            (0.10, "MODAL be/VB JJ.thing", "3 naru 1")):
        grammar.add(f"PLAIN[{kind.name}]", weight, children, order)


def _person_cores(grammar: Grammar, number: str) -> None:
    for weight, children, order in (
            (0.28, f"V[thing,{number}] new:NPO.thing", "2 o 1"),
            (0.14, f"V[person,{number}] new:NPO.person", "2 o 1"),
            (0.14, f"V[plain,{number}]", "1"),
            (0.09, f"V[motion,{number}] DIRECTION", "2 1"),
            (0.08, f"V[giving,{number}] new:NPO.thing to/TO new:NPO.person", "4 ni 2 o 1"),
            (0.15, f"BE.{number} JJ.person", "2 1"),
            (0.06, f"V[person,{number}] PRONOUN.object", "2 o 1"),
            (0.06, f"V[wishing,{number}] to/TO VB.thing new:NPO.thing", "4 o 3 1")):
        grammar.add(f"PLAIN.{number}", weight, children, order)
    for gender in ("persons",) if number == "p" else ("man", "woman"):
        for weight, children, order in (
                (0.35, f"V[person,{number}] REFLEXIVE[{gender}]", "2 o 1"),
                (0.45, f"V[thing,{number}] POSSESSIVE[{gender}] new:N.thing", "2 3 o 1"),
                (0.20, f"V[touching,{number}] POSSESSIVE[{gender}] BODY", "2 3 o 1")):
            grammar.add(f"GENDERED[{gender}]", weight, children, order)


def _objects(grammar: Grammar, found: list[Kind]) -> None:
    """Noun phrases of any kind, and what modifies a verb or a noun."""
    for kind in found:
        sort = "person" if kind.person else "thing"
        grammar.add(f"NPO.{sort}", kind.weight, f"NPO[{kind.name}]", "1")
        grammar.add("NPO", kind.weight, f"NPO[{kind.name}]", "1")
        # The number of a noun in a PP is independent of the head's: it misleads who counts words.
        grammar.add("PP.object", kind.weight, f"NPP[{kind.name}]", "1")
        if kind.person:
            for sort in ("thing", "person"):
                grammar.add(f"RO.{sort}", kind.weight,
                            f"NPI[{kind.name}] V[{sort},{kind.number}]", "1 ga 2")
            if not kind.plural:
                grammar.add("NPS", kind.weight, f"DET.s N[{kind.name}]", "1 2")
            if kind.he in (0.0, 1.0):
                grammar.add("NPS", 2 * kind.weight, f"NAME[{kind.name}]", "1")
        else:
            grammar.add("N.thing", kind.weight, f"N[{kind.name}]", "1")
    grammar.add("PP", 1.0, "PREPOSITION PP.object", "2 1")
    grammar.add("NPL", 0.8, "DET.s N.place", "1 2")
    grammar.add("NPL", 0.2, "DET.s JJ.thing N.place", "1 2 3")
    grammar.add("ADJUNCT", 0.34, "RB.manner", "1")
    grammar.add("ADJUNCT", 0.26, "LOC new:NPL", "2 1")
    grammar.add("ADJUNCT", 0.22, "COMPANION new:NPO", "2 1")
    grammar.add("ADJUNCT", 0.18, "on/IN DAY", "2 hi")


_VERB_CLASSES = ("thing", "person", "plain", "motion", "giving", "saying", "wishing", "touching",
                 "standing")


def _verb_groups(grammar: Grammar, number: str) -> None:
    """Finite verbs of either number; all but past tense and modals agree with the subject."""
    tag = "VBP" if number == "p" else "VBZ"
    for name in _VERB_CLASSES:
        group = f"V[{name},{number}]"
        for weight, children, order in (
                (0.33, f"{tag}.{name}", "1"),
                (0.07, f"RB.often {tag}.{name}", "1 2"),
                (0.22, f"VBD.{name}", "1"),
                (0.12, f"MODAL VB.{name}", "2 1"),
                (0.13, f"HAVE.{number} VBN.{name}", "2 1"),
                (0.13, f"BE.{number} VBG.{name}", "2 1")):
            grammar.add(group, weight, children, order)


def _closed_classes(grammar: Grammar) -> None:
    def words(symbol: str, text: str, needs: str = "", carries: tuple[str, ...] = ()) -> None:
        """`weight word/tag=translation` items, apart by commas."""
        items = []
        for item in text.split(", "):
            weight, entry = item.split(" ", 1)
            form, meaning = entry.split("=")
            spelling, tag = form.split("/")
            items.append((float(weight), Word(spelling, tag, meaning, needs, carries)))
        grammar.add_words(symbol, items)

    words("BE.s", "0.7 is/VBZ=iru, 0.3 was/VBD=ita", needs="number", carries=("number",))
    words("BE.p", "0.7 are/VBP=iru, 0.3 were/VBD=ita", needs="number", carries=("number",))
    words("HAVE.s", "1 has/VBZ=aru", needs="number", carries=("number",))
    words("HAVE.p", "1 have/VBP=aru", needs="number", carries=("number",))
    words("DET.s", "55 the/DT=sono, 20 a/DT=hitotsuno, 10 this/DT=kono, 8 every/DT=dono, "
                   "7 another/DT=betsuno")
    words("DET.p", "50 the/DT=sono, 12 these/DT=kono, 13 some/DT=ikurakano, 10 many/JJ=ookuno, "
                   "9 two/CD=futatsuno, 6 three/CD=mittsuno")
    words("PRONOUN.object", "40 him/PRP=kano, 40 her/PRP=kano, 20 them/PRP=karera")
    for kind, subject, possessive, reflexive, meaning in (
            ("man", "he", "his", "himself", "kano"), ("woman", "she", "her", "herself", "kano"),
            ("persons", "they", "their", "themselves", "karera")):
        words(f"PRONOUN[{kind}]", f"1 {subject}/PRP={meaning}", needs="gender", carries=_HEAD)
        words(f"POSSESSIVE[{kind}]", f"1 {possessive}/PRP$={meaning}no", needs="gender",
              carries=_HEAD)
        words(f"REFLEXIVE[{kind}]", f"1 {reflexive}/PRP=jishin", needs="gender", carries=_HEAD)


def _open_classes(grammar: Grammar, lexicon: Lexicon, found: list[Kind]) -> None:
    invent = Inventor()
    _nouns(grammar, lexicon, invent, found)
    for name in _VERB_CLASSES:
        _verbs(grammar, name, [verb(entry) for entry in
                               getattr(lexicon, f"{name}_verbs").split()], invent)
    for symbol, listed, tag in (
            ("JJ.person", lexicon.person_adjectives, "JJ"),
            ("JJ.thing", lexicon.thing_adjectives, "JJ"), ("RB.manner", lexicon.manner, "RB"),
            ("RB.often", lexicon.often, "RB"), ("DIRECTION", lexicon.directions, "RB"),
            ("MODAL", lexicon.modals, "MD"), ("PREPOSITION", lexicon.noun_prepositions, "IN"),
            ("COMPANION", lexicon.companions, "IN"), ("LOC", lexicon.locations, "IN"),
            ("DAY", lexicon.days, "NNP"), ("JOINER", lexicon.joiners, "IN"),
            ("N.place", lexicon.places, "NN"), ("BODY", lexicon.body, "NN")):
        grammar.add_words(symbol, _ranked(
            [Word(text, tag, invent(f"{text}/{tag}")) for text in listed.split()]))


def _nouns(grammar: Grammar, lexicon: Lexicon, invent: Inventor, found: list[Kind]) -> None:
    """N[kind] and NAME[kind], which carry number and gender."""
    nouns = {"man": lexicon.men, "woman": lexicon.women, "friend": lexicon.friends,
             "thing": lexicon.things, "things": lexicon.things}
    persons = " ".join((lexicon.friends, lexicon.occupations, lexicon.men, lexicon.women))
    frequency = dict(zip(lexicon.occupations.split(), zipf(lexicon.occupations.split()),
                         strict=True))
    for kind in found:
        if kind.plural:
            listed = (persons if kind.person else lexicon.things).split()
            words = [Word(plural(noun), "NNS", invent(f"{noun}/N") + "tachi", carries=_HEAD)
                     for noun in listed]
            grammar.add_words(f"N[{kind.name}]", _ranked(words))
        elif kind.name in nouns:
            words = [Word(noun, "NN", invent(f"{noun}/N"), carries=_HEAD)
                     for noun in nouns[kind.name].split()]
            grammar.add_words(f"N[{kind.name}]", _ranked(words))
        else:
            grammar.add_words(f"N[{kind.name}]", (
                (weight, Word(noun, "NN", invent(f"{noun}/N"), carries=_HEAD))
                for noun, weight in frequency.items() if OCCUPATIONS[noun] == kind.he))
    for name, names in (("man", lexicon.men_names), ("woman", lexicon.women_names)):
        grammar.add_words(f"NAME[{name}]", _ranked(
            [Word(text, "NNP", invent(f"{text}/N"), carries=_HEAD) for text in names.split()]))


def _verbs(grammar: Grammar, name: str, listed: list[Verb], invent: Inventor) -> None:
    """VBZ.name, VBP.name ... and, of verbs that take a thing, PASSIVE."""
    stems = [invent(f"{verb.VB}/V") for verb in listed]
    for tag, form, ending in (("VBZ", "VBZ", "ru"), ("VBP", "VB", "ru"), ("VBD", "VBD", "ta"),
                              ("VB", "VB", "su"), ("VBN", "VBN", "te"), ("VBG", "VBG", "chu")):
        number = ("number",) if tag in ("VBZ", "VBP") else ()
        grammar.add_words(f"{tag}.{name}", _ranked(
            [Word(getattr(verb, form), tag, stem + ending, "".join(number), number)
             for verb, stem in zip(listed, stems, strict=True)]))
    if name == "thing":
        grammar.add_words("PASSIVE", _ranked(
            [Word(verb.VBN, "VBN", stem + "rare") for verb, stem in
             zip(listed, stems, strict=True)]))


def _ranked(words: list[Word]) -> Iterator[tuple[float, Word]]:
    """Words in order of rank with Zipf's weights."""
    return zip(zipf(words), words, strict=True)
