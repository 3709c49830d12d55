"""The chorale process: its rules as they are heard, and its probabilities by brute force."""

import math
from collections.abc import Iterator
from random import Random

import numpy as np
import pytest

from pipeline.corpora.twins.harmony.chords import Key, chord
from pipeline.corpora.twins.harmony.phrases import Form
from pipeline.corpora.twins.harmony.process import Chorales, State
from pipeline.corpora.twins.harmony.voicing import RANGES, leading, parallels, passing, voicings

C, A_MINOR = Key(0, False), Key(9, True)
FORM = Form(phrases=2, chords=4, tonics=(0, 7))
STYLE = Chorales(FORM, hold=0.2, passing=0.4, breath=0.3)
Path = tuple[float, State]


@pytest.fixture(scope="module")
def piece() -> list[tuple[int, ...]]:
    """A piece with a breath, a passing note, and a doubt about its key."""
    random = Random(4)
    while True:
        found = STYLE.compose(random)
        if () not in found:
            continue
        alive = paths(found, STYLE)
        if max(map(len, alive)) > 1 and any(
                state.phase == "passing" for after in alive for _, state in after):
            return found


def ways(state: State, style: Chorales) -> Iterator[tuple[float, tuple[int, ...], State]]:
    """All that can be heard next, by the rules as the modules' texts state them."""
    phase, place, voices = state
    if phase == "passing":
        yield 1.0, voices, State("sounds", place, voices)
        return
    last = place.position == style.form.chords - 1
    moves = 1.0
    if phase == "sounds":
        stays = 1.0 if last else style.hold
        yield stays, voices, State("ends" if last else "held", place, voices)
        moves -= stays
    if phase == "ends":
        yield style.breath, (), State("breath", place, voices)
        moves -= style.breath
    if moves == 0:
        return
    for share, after in style.form.following(place):
        table, probabilities = leading(chord(place.key, place.numeral), voices,
                                       chord(after.key, after.numeral))
        for row, probability in zip(table.tolist(), probabilities.tolist(), strict=True):
            goal, weight = tuple(row), moves * share * probability
            between = [] if last else passing(place.key, voices, goal)
            yield weight * (1 - style.passing * bool(between)), goal, State("sounds", after, goal)
            for heard in between:
                yield (weight * style.passing / len(between), heard,
                       State("passing", after, goal))


def paths(piece: list[tuple[int, ...]], style: Chorales) -> list[list[Path]]:
    """After each step, every hidden path that is heard as the piece so far, each by itself."""
    alive = [(share * float(probability), State("sounds", place, piece[0]))
             for share, place in style.form.openings()
             for row, probability in zip(*voicings(chord(place.key, place.numeral)), strict=True)
             if tuple(row.tolist()) == piece[0]]
    found = [alive]
    for step in piece[1:]:
        alive = [(weight * share, following) for weight, state in alive
                 for share, heard, following in ways(state, style) if heard == step and share]
        found.append(alive)
    return found


def test_chords_by_hand() -> None:
    assert chord(C, "V7").tones == (7, 11, 2, 5)
    assert (chord(C, "V7").bass, chord(C, "V7").leading, chord(C, "V7").seventh) == (7, 11, 5)
    assert (chord(C, "ii6").tones, chord(C, "ii6").bass) == ((2, 5, 9), 5)
    assert (chord(C, "I64").bass, chord(C, "I64").leading) == (7, None)
    assert chord(A_MINOR, "V").tones == (4, 8, 11)  # E, G sharp, B
    assert chord(A_MINOR, "vi").tones == (5, 9, 0)
    assert set(C.related()) == {Key(7, False), A_MINOR}
    assert set(A_MINOR.related()) == {Key(4, True), C}


def test_probabilities_of_all_that_can_follow_sum_to_one(piece: list[tuple[int, ...]]) -> None:
    for place in (place for _, place in FORM.openings()):
        assert sum(share for share, _ in FORM.following(place)) == pytest.approx(1)
    for length in (1, 4):
        prefix = piece[:length]
        steps = {heard for _, state in paths(prefix, STYLE)[-1]
                 for share, heard, _ in ways(state, STYLE) if share}
        assert sum(math.exp(-STYLE.nats([*prefix, heard])[-1])
                   for heard in steps) == pytest.approx(1)
    assert len(steps) > 1


def test_nats_are_those_of_all_hidden_paths(piece: list[tuple[int, ...]]) -> None:
    alive = paths(piece, STYLE)
    expected = []
    for before, after in zip(alive, alive[1:], strict=False):
        lasting = [weight for weight, state in before
                   if not (state.phase == "ends" and state.place.phrase == FORM.phrases - 1)]
        expected.append(math.log(sum(lasting) / sum(weight for weight, _ in after)))
    assert STYLE.nats(piece) == pytest.approx(expected)


def test_the_composer_scores_its_own_pieces_best() -> None:
    random = Random(8)
    pieces = [STYLE.compose(random) for _ in range(25)]
    scores = [np.mean(np.concatenate([style.nats(piece) for piece in pieces])) for style in (
        STYLE, Chorales(FORM, hold=0.5, passing=0.4, breath=0.3),
        Chorales(FORM, hold=0.2, passing=0.1, breath=0.3),
        Chorales(FORM, hold=0.2, passing=0.4, breath=0.05))]
    assert min(scores) == scores[0]


def test_a_piece_that_the_process_cannot_play_is_refused(piece: list[tuple[int, ...]]) -> None:
    with pytest.raises(ValueError, match=r"step 2, \(1, 2, 3, 4\)"):
        STYLE.nats([piece[0], (1, 2, 3, 4)])


def test_rules_of_part_writing() -> None:
    style = Chorales(Form(3, 8, tonics=(0,)), hold=0.0, passing=0.0, breath=0.2)
    random = Random(1)
    for piece in (style.compose(random) for _ in range(20)):
        sounding = [step for step in piece if step]
        assert len(sounding) == 3 * (8 + 1)
        assert {pitch % 12 for pitch in sounding[-1]} | {7} in ({0, 4, 7}, {0, 3, 7})
        assert sounding[-1][0] % 12 == 0 and sounding[-3][0] % 12 == 7 and () not in piece[-2:]
        for voices in sounding:
            assert list(voices) == sorted(set(voices))
            assert all(low <= pitch <= high
                       for pitch, (low, high) in zip(voices, RANGES, strict=True))
        for old, new in zip(sounding, sounding[1:], strict=False):
            for low in range(4):
                for high in range(low + 1, 4):
                    perfect = (old[high] - old[low]) % 12 in (0, 7)
                    same = (old[high] - old[low]) % 12 == (new[high] - new[low]) % 12
                    assert not (perfect and same and old[low] != new[low]), (old, new)


def test_parallels_by_hand() -> None:
    c_major = np.array([48, 55, 64, 72])
    table = np.array([[50, 57, 65, 74],   # fifths and octaves rise together
                      [53, 57, 65, 72],   # the octave goes, the fifth goes
                      [48, 55, 67, 76],   # the fifth below stays where it is
                      [60, 67, 64, 79]])  # a fifth moves by an octave
    assert parallels(c_major, table).tolist() == [True, False, False, True]


def test_passing_notes_by_hand() -> None:
    start = (48, 55, 64, 72)
    assert passing(C, start, (45, 57, 64, 72)) == [(47, 55, 64, 72)]  # bass C B A
    assert passing(C, start, (48, 57, 65, 72)) == []  # steps need no passing note
    assert passing(C, (48, 60, 64, 67), (48, 60, 67, 71)) == [
        (48, 60, 65, 67), (48, 60, 64, 69)]
    # From F to G sharp no tone of the scale lies between; from G sharp to B there is A.
    assert passing(A_MINOR, (45, 52, 57, 65), (45, 52, 57, 68)) == []
    assert passing(A_MINOR, (45, 52, 60, 68), (45, 52, 60, 71)) == [(45, 52, 60, 69)]


def test_leading_tones_rise_and_sevenths_fall() -> None:
    before, after = chord(C, "V7"), chord(C, "I")
    voices = (43, 53, 62, 71)  # G F D B
    table, probabilities = leading(before, voices, after)
    resolved = (table[:, 3] == 72) & (table[:, 1] == 52)
    assert probabilities[resolved].sum() > 0.7
    assert probabilities.sum() == pytest.approx(1)


def test_a_triad_may_lack_its_fifth_and_nothing_else() -> None:
    table, probabilities = voicings(chord(C, "I"))
    missing = [set((0, 4, 7)) - {pitch % 12 for pitch in voices} for voices in table.tolist()]
    assert {frozenset(tones) for tones in missing} == {frozenset(), frozenset({7})}
    without = np.array([bool(tones) for tones in missing])
    assert 0 < probabilities[without].sum() < 0.3
    for numeral in ("V7", "vi", "ii6"):
        for voices in voicings(chord(C, numeral))[0].tolist():
            classes = [pitch % 12 for pitch in voices]
            assert {*chord(C, numeral).tones} - {*classes} <= ({4} if numeral == "vi" else set())
    assert all([pitch % 12 for pitch in voices].count(11) == 1
               for voices in voicings(chord(C, "V"))[0].tolist())
