"""Drawn scenes of coloured shapes, sentences about them, and whether a sentence is true of one.

Two or three things stand in different fields of a three by three grid, so of any two the one is
clearly left of, right of, above or below the other, and nothing hides anything. A sentence names
all of them: a subject, and where it is relative to each of the others. How it says so varies:
which thing is the subject, active ("follows") or passive ("is preceded by") or neither, what stands
first, synonyms, and whether a size is said. Each of these choices has a likeliest side, as people's
have, so there is one likeliest sentence of a scene.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import permutations
from random import Random
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

Shape = Literal["circle", "square", "triangle", "cross"]
Relation = Literal["left", "right", "above", "below"]
T = TypeVar("T")

GRID = 3
FIELD = 16  # pixels
SIDE = GRID * FIELD
RADII = {"small": 4, "large": 7}
COLOURS = {"red": (220, 40, 40), "green": (40, 180, 60), "blue": (50, 80, 230),
           "yellow": (230, 220, 50)}
_TINT = 15  # a colour's channels vary by as much
_DARKEST, _LIGHTEST = 0, 80  # background

_Chances = Mapping[T, int]

_NOUNS: dict[Shape, _Chances[str]] = {
    "circle": {"circle": 3, "disc": 1}, "square": {"square": 3, "box": 1},
    "triangle": {"triangle": 3, "wedge": 1}, "cross": {"cross": 3, "plus": 1}}
_SIZES: dict[str, _Chances[str]] = {  # who is small is seldom called so
    "small": {"": 8, "small": 1, "little": 1}, "large": {"large": 6, "big": 2, "": 2}}
_PLACES: dict[Relation, _Chances[str]] = {
    "left": {"left of": 3, "to the left of": 1}, "right": {"right of": 3, "to the right of": 1},
    "above": {"above": 3, "over": 1}, "below": {"below": 3, "under": 1}}
_ACTIVE: dict[Relation, str] = {
    "left": "precedes", "right": "follows", "above": "tops", "below": "carries"}
_PASSIVE: dict[Relation, str] = {
    "left": "is followed by", "right": "is preceded by", "above": "is carried by",
    "below": "is topped by"}
_FORMS = {"place": 4, "there": 2, "first": 1, "active": 1, "passive": 2}


@dataclass(frozen=True)
class Thing:
    """What stands in a field; `row` and `column` count from the upper left corner."""

    shape: Shape
    colour: str
    size: str
    row: int
    column: int

    def relations(self, other: "Thing") -> list[Relation]:
        """Where this is relative to the other: one or two words, horizontal before vertical."""
        found: list[Relation] = []
        if self.column != other.column:
            found.append("left" if self.column < other.column else "right")
        if self.row != other.row:
            found.append("above" if self.row < other.row else "below")
        return found


Scene = tuple[Thing, ...]


def is_thing(value: object) -> bool:
    """Whether a value that was read from a file is a list of the fields of a thing."""
    known: list[list[object]] = [[*_NOUNS], [*COLOURS], [*RADII], [*range(GRID)], [*range(GRID)]]
    return isinstance(value, list) and len(value) == len(known) and all(
        field in choices and not isinstance(field, bool)
        for field, choices in zip(value, known, strict=True))


def draw_scene(random: Random) -> Scene:
    """Two or three things, no two alike in shape, colour and size, in the order of reading."""
    fields = sorted(random.sample(range(GRID * GRID), random.choice([2, 2, 3])))
    looks: dict[tuple[Shape, str, str], None] = {}
    while len(looks) < len(fields):
        looks[random.choice(list(_NOUNS)), random.choice(list(COLOURS)),
              random.choice(list(RADII))] = None
    return tuple(Thing(*look, *divmod(field, GRID))
                 for look, field in zip(looks, fields, strict=True))


def picture(scene: Scene, random: Random) -> NDArray[np.uint8]:
    """The scene as pixels [SIDE, SIDE, 3]; places, tints and background vary a little."""
    pixels = np.full((SIDE, SIDE, 3), random.randint(_DARKEST, _LIGHTEST), np.uint8)
    for thing in scene:
        y, x = (field * FIELD + FIELD // 2 - random.randint(0, 1)
                for field in (thing.row, thing.column))
        colour = [min(255, max(0, channel + random.randint(-_TINT, _TINT)))
                  for channel in COLOURS[thing.colour]]
        pixels[_mask(thing.shape, RADII[thing.size], y, x)] = colour
    return pixels


def _mask(shape: Shape, radius: int, y: int, x: int) -> NDArray[np.bool_]:
    """Pixels [SIDE, SIDE] that belong to the shape with its centre at (y, x)."""
    rows, columns = np.ogrid[:SIDE, :SIDE]
    down, right = np.abs(rows - y), np.abs(columns - x)
    inside = np.maximum(down, right) <= radius
    if shape == "circle":
        return down**2 + right**2 <= (radius + 0.3) ** 2
    if shape == "triangle":
        return inside & (2 * right <= rows - y + radius)
    if shape == "cross":
        return inside & (np.minimum(down, right) <= radius // 3)
    return inside


def sentence(scene: Scene, random: Random | None) -> str:
    """A true sentence that names every thing; without `random` the likeliest choice each time."""
    form = _pick(_FORMS, random)
    if form == "first" and len(scene) > 2:
        form = "place"
    first, *rest = scene if random is None or random.random() < 0.7 \
        else random.sample(scene, len(scene))
    relations = [_relation(first, other, random) for other in rest]
    subject, *others = (_named(thing, random) for thing in (first, *rest))
    if form == "first":
        return f"{_pick(_PLACES[relations[0]], random)} {others[0]} is {subject} ."
    links = [_link(form, relation, random) for relation in relations]
    places = " and ".join(f"{link} {other}" for link, other in zip(links, others, strict=True))
    return f"there is {subject} {places} ." if form == "there" else f"{subject} {places} ."


def is_true(scene: Scene, text: str) -> bool | None:
    """Whether a sentence of the grammar is true of the scene; None for any other text.

    It is true if different things of the scene are what it names and stand where it says. Final
    punctuation may be missing.
    """
    statement = _parsed(text.strip().removesuffix(".").strip())
    if statement is None:
        return None
    things, relations = statement
    return any(
        all(_fits(thing, name) for thing, name in zip(chosen, things, strict=True))
        and all(relation in chosen[0].relations(other)
                for other, relation in zip(chosen[1:], relations, strict=True))
        for chosen in permutations(scene, len(things)))


def _pick(chances: _Chances[T], random: Random | None) -> T:
    if random is None:
        return max(chances, key=lambda choice: chances[choice])
    return random.choices(list(chances), list(chances.values()))[0]


def _relation(thing: Thing, other: Thing, random: Random | None) -> Relation:
    """One of the true relations, oftener the horizontal one."""
    horizontal, *vertical = thing.relations(other)
    return vertical[0] if vertical and random and random.random() < 0.2 else horizontal


def _named(thing: Thing, random: Random | None) -> str:
    size, noun = _pick(_SIZES[thing.size], random), _pick(_NOUNS[thing.shape], random)
    return " ".join(filter(None, ["a", size, thing.colour, noun]))


def _link(form: str, relation: Relation, random: Random | None) -> str:
    if form == "active":
        return _ACTIVE[relation]
    if form == "passive":
        return _PASSIVE[relation]
    place = _pick(_PLACES[relation], random)
    return f"is {place}" if form == "place" else place


def _meanings(words: Mapping[T, Sequence[str] | _Chances[str]]) -> dict[str, T]:
    """What each wording means."""
    return {wording: meaning for meaning, wordings in words.items() for wording in wordings
            if wording}


_SHAPE_OF = _meanings(_NOUNS)
_SIZE_OF = _meanings(_SIZES)
_PLACE_OF = _meanings(_PLACES)
_VERB_OF: dict[str, Relation] = {
    **{f"is {wording}": relation for wording, relation in _PLACE_OF.items()},
    **{wording: relation for forms in (_ACTIVE, _PASSIVE) for relation, wording in forms.items()}}
_NAME = re.compile(r"\ba (?:({}) )?({}) ({})\b".format(
    *("|".join(words) for words in (_SIZE_OF, COLOURS, _SHAPE_OF))))

_Name = tuple[str | None, str, str]  # size, colour, shape


@cache
def _parsed(text: str) -> tuple[list[_Name], list[Relation]] | None:
    """What a sentence names, the subject first, and where the subject is relative to the others."""
    lead, *parts = _NAME.split(text)
    names: list[_Name] = [(_SIZE_OF.get(size), colour, _SHAPE_OF[noun])
                          for size, colour, noun in zip(parts[::4], parts[1::4], parts[2::4],
                                                        strict=True)]
    *links, tail = [part.strip() for part in parts[3::4]] or [""]
    lead = lead.strip()
    if tail or not links:
        return None
    if lead in _PLACE_OF:
        return (names[::-1], [_PLACE_OF[lead]]) if links == ["is"] else None
    known = {"": _VERB_OF, "there is": _PLACE_OF}.get(lead, {})
    meant = [known.get(link.removeprefix("and ") if number else link)
             for number, link in enumerate(links)]
    relations = [relation for relation in meant if relation is not None]
    joined = all(link.startswith("and ") for link in links[1:])
    return (names, relations) if joined and len(relations) == len(meant) else None


def _fits(thing: Thing, name: _Name) -> bool:
    size, colour, shape = name
    return size in (None, thing.size) and (colour, shape) == (thing.colour, thing.shape)
