"""A small world whose stories take one, two or three facts to answer a question about it.

People walk between places, take objects there and drop them. Three kinds of questions, as in the
first three tasks of Weston et al. 2015 ("Towards AI-Complete Question Answering: A Set of
Prerequisite Toy Tasks"):

1. Where is Mary?  The last place that she went to.
2. Where is the milk?  Who took it, or dropped it, and where that person was.
3. Where was the milk before the kitchen?  Who carries it, and that person's last two places.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

PEOPLE = ("Mary", "John", "Sandra", "Daniel", "Julie", "Bill")
PLACES = ("kitchen", "garden", "office", "bathroom", "hallway", "bedroom")
OBJECTS = ("milk", "football", "apple", "book")
_WALKS = ("went to", "moved to", "journeyed to", "travelled to")
_TAKES = ("took", "got", "grabbed")
_DROPS = ("dropped", "discarded", "left")


@dataclass(frozen=True)
class Question:
    """A question; `facts` are the numbers of the lines that together give the answer."""

    text: str
    answer: str
    facts: list[int]


Line = str | Question


@dataclass(frozen=True)
class Cast:
    """How many people, places and objects a world has, and how many facts a story."""

    people: int
    places: int
    objects: int
    facts: int


def stories(kind: int, cast: Cast, random: Random) -> Iterator[list[Line]]:
    """Stories without end whose questions take `kind` facts, each with one question or more."""
    while True:
        story = _World(kind, cast, random).story()
        if any(isinstance(line, Question) for line in story):
            yield story


@dataclass
class _Person:
    name: str
    place: str | None = None
    walk: int = 0  # line of the walk to `place`
    before: str | None = None
    walk_before: int = 0


@dataclass
class _Thing:
    """`holder` has it, or else it lies at `place`; `known` are the facts that say where."""

    name: str
    holder: _Person | None = None
    place: str | None = None
    taken: int = 0  # line of the last taking
    known: list[int] = field(default_factory=list)


class _World:

    def __init__(self, kind: int, cast: Cast, random: Random) -> None:
        self.kind = kind
        self.cast = cast
        self.random = random
        self.people = [_Person(name) for name in PEOPLE[: cast.people]]
        self.places = PLACES[: cast.places]
        self.things = [_Thing(name) for name in OBJECTS[: cast.objects]]
        self.lines: list[Line] = []

    def story(self) -> list[Line]:
        """Facts, with a question after every second one that allows it."""
        for fact in range(1, self.cast.facts + 1):
            self._act()
            if fact % 2 == 0 and (questions := self._questions()):
                self.lines.append(self.random.choice(questions))
        return self.lines

    @property
    def _number(self) -> int:
        """Of the line that comes next."""
        return len(self.lines) + 1

    def _act(self) -> None:
        """Let somebody walk, take or drop; in a story about people alone everybody walks."""
        handling = self._takes_and_drops() if self.kind > 1 else []
        if handling and self.random.random() < 0.5:
            person, thing = self.random.choice(handling)
            self._drop(person, thing) if thing.holder else self._take(person, thing)
        else:
            self._walk(self.random.choice(self._walkers()))

    def _walkers(self) -> list[_Person]:
        """Half of the time, if there are any, those whose walk moves an object too."""
        carriers = [person for person in self.people
                    if any(thing.holder is person for thing in self.things)]
        return carriers if carriers and self.random.random() < 0.5 else self.people

    def _takes_and_drops(self) -> list[tuple[_Person, _Thing]]:
        """Nobody takes a thing in a place that it is not known to be in, or before walking."""
        return [(person, thing) for person in self.people for thing in self.things
                if person.place and (thing.holder is person if thing.holder
                                     else thing.place in (None, person.place))]

    def _walk(self, person: _Person) -> None:
        place = self.random.choice([place for place in self.places if place != person.place])
        person.before, person.walk_before = person.place, person.walk
        person.place, person.walk = place, self._number
        self.lines.append(f"{person.name} {self.random.choice(_WALKS)} the {place}.")

    def _take(self, person: _Person, thing: _Thing) -> None:
        thing.holder, thing.place, thing.taken = person, None, self._number
        self.lines.append(f"{person.name} {self.random.choice(_TAKES)} the {thing.name}.")

    def _drop(self, person: _Person, thing: _Thing) -> None:
        thing.holder, thing.place = None, person.place
        thing.known = sorted([person.walk, self._number])
        self.lines.append(f"{person.name} {self.random.choice(_DROPS)} the {thing.name}.")

    def _questions(self) -> list[Question]:
        if self.kind == 1:
            return [Question(f"Where is {person.name}?", person.place, [person.walk])
                    for person in self.people if person.place]
        if self.kind == 2:
            return [self._where(thing) for thing in self.things if thing.holder or thing.place]
        return [self._where_before(thing, thing.holder) for thing in self.things
                if thing.holder and thing.holder.before and thing.holder.walk > thing.taken]

    def _where(self, thing: _Thing) -> Question:
        holder = thing.holder
        place = holder.place if holder else thing.place
        facts = sorted([holder.walk, thing.taken]) if holder else thing.known
        return Question(f"Where is the {thing.name}?", str(place), facts)

    def _where_before(self, thing: _Thing, holder: _Person) -> Question:
        """A thing was taken where its holder was, or came along: the holder's path is its own."""
        return Question(f"Where was the {thing.name} before the {holder.place}?",
                        str(holder.before),
                        sorted([holder.walk_before, thing.taken, holder.walk]))
