"""The chorale process: it composes pieces, and knows the exact probability of what it plays.

A step is the set of pitches that sound for a quarter note. The chords of `phrases` sound one after
the other in the voices that `voicing` leads; a chord may be held for a second step, a passing note
may take a step between two chords, the last chord of a phrase is held, and a breath, a step without
a note, may follow it.

What is heard does not tell the key or the place in the phrase, but given those and the last voicing
the next step has a probability, so the process is a hidden Markov model and the forward algorithm
(Baum et al. 1970) gives the probability of each step after all those before it.
"""

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Literal, NamedTuple

import numpy as np

from pipeline.corpora.twins.harmony.chords import chord
from pipeline.corpora.twins.harmony.phrases import Form, Place
from pipeline.corpora.twins.harmony.voicing import Choice, Voices, leading, passing, voicings

Heard = tuple[int, ...]  # MIDI pitches of a step, ascending


class State(NamedTuple):
    """What decides how a piece goes on.

    `voices` sound, or sounded before the breath; `passing`: they are where the passing note, which
    sounds, leads to.
    """

    phase: Literal["sounds", "held", "passing", "ends", "breath"]
    place: Place
    voices: Voices


Beliefs = dict[State, float]


@dataclass(frozen=True)
class Chorales:
    """A style: the form of its pieces, and the probabilities of held chords and so on."""

    form: Form
    hold: float
    passing: float
    breath: float

    def compose(self, random: Random) -> list[Heard]:
        """One piece."""
        place = _drawn(random, self.form.openings())
        state = _voiced(random, place, voicings(chord(place.key, place.numeral)))
        heard = [state.voices]
        while not self.over(state):
            step, state = self._play(state, random)
            heard.append(step)
        return heard

    def nats(self, piece: list[Heard]) -> list[float]:
        """Negative log-probability of each step from the second on, given all before it.

        That a step exists is not predicted: its probability is that among the pieces which have
        not ended. Raises ValueError for a piece that the process cannot play.
        """
        beliefs: Beliefs = {}
        for share, place in self.form.openings():
            choice = voicings(chord(place.key, place.numeral))
            beliefs[State("sounds", place, piece[0])] = share * _probability(choice, piece[0])
        losses = []
        for number, heard in enumerate(piece[1:], start=2):
            lasting = {state: share for state, share in beliefs.items()
                       if share > 0 and not self.over(state)}
            before = sum(lasting.values())
            beliefs = self.after(lasting, heard)
            likelihood = sum(beliefs.values())
            if likelihood == 0:
                raise ValueError(f"step {number}, {heard}: the process cannot play this")
            losses.append(math.log(before) - math.log(likelihood))
            beliefs = {state: share / likelihood for state, share in beliefs.items()}
        return losses

    def over(self, state: State) -> bool:
        return state.phase == "ends" and self.form.ends_piece(state.place)

    def after(self, beliefs: Beliefs, heard: Heard) -> Beliefs:
        """p(state after it, heard), from p(state before it)."""
        found: defaultdict[State, float] = defaultdict(float)
        for state, share in beliefs.items():
            stay, held = self._stay(state)
            if stay and heard == _held_sound(held):
                found[held] += share * stay
            if stay < 1:
                for probability, following in self._moves(state, heard):
                    found[following] += share * (1 - stay) * probability
        return dict(found)

    def _stay(self, state: State) -> tuple[float, State]:
        """How probable it is that no new chord begins, and the state after such a step."""
        phase, place, _ = state
        if phase == "passing":
            return 1.0, state._replace(phase="sounds")
        if phase == "sounds" and self.form.ends_phrase(place):
            return 1.0, state._replace(phase="ends")
        if phase == "sounds":
            return self.hold, state._replace(phase="held")
        if phase == "ends":
            return self.breath, state._replace(phase="breath")
        return 0.0, state

    def _choice(self, state: State, place: Place) -> Choice:
        """The voicings that the chord of the next place can have."""
        before = chord(state.place.key, state.place.numeral)
        return leading(before, state.voices, chord(place.key, place.numeral))

    def _passing(self, state: State, after: Voices) -> list[Heard]:
        """The passing notes that can sound on the way to a chord; none between phrases."""
        inside = state.phase in ("sounds", "held")
        return passing(state.place.key, state.voices, after) if inside else []

    def _play(self, state: State, random: Random) -> tuple[Heard, State]:
        """A step and the state after it."""
        stay, held = self._stay(state)
        if random.random() < stay:
            return _held_sound(held), held
        place = _drawn(random, self.form.following(state.place))
        following = _voiced(random, place, self._choice(state, place))
        between = self._passing(state, following.voices)
        if between and random.random() < self.passing:
            return random.choice(between), following._replace(phase="passing")
        return following.voices, following

    def _moves(self, state: State, heard: Heard) -> Iterator[tuple[float, State]]:
        """The states after a new chord, or the passing note before it, is heard."""
        moved = [voice for voice, (old, new) in enumerate(zip(state.voices, heard, strict=False))
                 if old != new] if len(heard) == len(state.voices) else []
        for share, place in self.form.following(state.place):
            choice = self._choice(state, place)
            direct = share * _probability(choice, heard)
            if direct:
                through = self.passing if self._passing(state, heard) else 0.0
                yield direct * (1 - through), State("sounds", place, heard)
            if len(moved) != 1:
                continue
            table, probabilities = choice
            for row in np.flatnonzero(np.abs(table[:, moved[0]] - heard[moved[0]]) <= 2):
                goal = tuple(table[row].tolist())
                between = self._passing(state, goal)
                if heard in between:
                    yield (share * probabilities[row] * self.passing / len(between),
                           State("passing", place, goal))


def _held_sound(after: State) -> Heard:
    """What sounds when no new chord begins: nothing in a breath."""
    return () if after.phase == "breath" else after.voices


def _drawn(random: Random, places: list[tuple[float, Place]]) -> Place:
    return random.choices([place for _, place in places], [share for share, _ in places])[0]


def _voiced(random: Random, place: Place, choice: Choice) -> State:
    table, probabilities = choice
    (row,) = random.choices(range(len(table)), probabilities.tolist())
    return State("sounds", place, tuple(table[row].tolist()))


def _probability(choice: Choice, heard: Heard) -> float:
    """Of one voicing."""
    table, probabilities = choice
    if len(heard) != table.shape[1]:
        return 0.0
    return float(probabilities[(table == heard).all(axis=1)].sum())
