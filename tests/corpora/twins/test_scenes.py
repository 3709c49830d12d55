"""Scenes, pictures of them, and sentences that are true of them or not."""

from collections import Counter
from dataclasses import replace
from random import Random

import numpy as np
import pytest

from pipeline.corpora.twins.grammar import scenes
from pipeline.corpora.twins.grammar.scenes import (
    Scene,
    Thing,
    draw_scene,
    is_true,
    picture,
    sentence,
)

CIRCLE = Thing("circle", "red", "small", 0, 0)
SQUARE = Thing("square", "blue", "large", 2, 0)
CROSS = Thing("cross", "red", "large", 2, 2)
SCENE: Scene = (CIRCLE, SQUARE, CROSS)


def drawn(count: int) -> list[Scene]:
    random = Random(3)
    return [draw_scene(random) for _ in range(count)]


@pytest.mark.parametrize(("text", "verdict"), [
    ("a red circle is above a blue square .", True),
    ("a red circle is above a blue square", True),
    ("a small red disc is over a big blue box", True),
    ("a red circle is below a blue square", False),
    ("a red circle is left of a blue square", False),  # in one column
    ("a large red circle is above a blue square", False),
    ("a green circle is above a blue square", False),
    ("a red circle is above a red circle", False),  # there is only one
    ("below a red circle is a blue square", True),
    ("above a red circle is a blue square", False),
    ("there is a red plus right of a blue square and below a red disc", True),
    ("there is a red plus right of a blue square and above a red disc", False),
    ("a red cross follows a blue square and is carried by a red circle", False),
    ("a red cross follows a blue square and carries a red circle", True),
    ("a red circle precedes a red cross and tops a blue square", True),
    ("a blue square is followed by a red cross and is topped by a red circle", True),
    ("a blue square is preceded by a red cross", False),
    ("a red circle is carried by a blue square", True),
    ("a red circle", None),
    ("a red circle above a blue square", None),
    ("a red circle is above a blue square is left of a red cross", None),
    ("there is a red circle is above a blue square", None),
    ("a red circle is above a blue square and", None),
    ("the red circle is above a blue square", None),
    ("a red circle and is above a blue square", None),
    ("", None),
])
def test_truth_by_hand(text: str, verdict: bool | None) -> None:
    assert is_true(SCENE, text) is verdict


def test_two_things_of_one_name_may_both_be_meant() -> None:
    twins = (CIRCLE, replace(CIRCLE, size="large", column=2))
    assert is_true(twins, "a red circle is left of a red circle")
    assert is_true(twins, "a large red circle is right of a red circle")
    assert not is_true(twins, "a small red circle is right of a red circle")


def test_every_sentence_of_a_scene_is_true_and_most_are_not_once_it_is_mirrored() -> None:
    random = Random(5)
    mirrored_true = sides = 0
    for scene in drawn(400):
        if len({(thing.shape, thing.colour) for thing in scene}) < len(scene):
            continue  # two things may have one name, and each be left of the other
        mirrored = tuple(replace(thing, column=2 - thing.column) for thing in scene)
        for text in [sentence(scene, random), sentence(scene, None)]:
            assert is_true(scene, text) is True, text
            if {"left", "right", "precedes", "follows", "preceded", "followed"} & set(text.split()):
                sides += 1
                mirrored_true += bool(is_true(mirrored, text))
    assert sides > 200
    assert mirrored_true == 0


def test_a_sentence_about_a_thing_is_not_true_of_another() -> None:
    random = Random(6)
    for scene in drawn(200):
        text = sentence(scene, random)
        number = random.randrange(len(scene))
        other = next(colour for colour in scenes.COLOURS
                     if colour not in {thing.colour for thing in scene})
        changed = [*scene]
        changed[number] = replace(scene[number], colour=other)
        assert is_true(tuple(changed), text) is False, text


@pytest.mark.parametrize("scene", [SCENE[:2], SCENE])
def test_the_likeliest_sentence_is_said_most_often(scene: Scene) -> None:
    random = Random(7)
    counts = Counter(sentence(scene, random) for _ in range(20_000))
    assert counts.most_common(1)[0][0] == sentence(scene, None)
    assert len(counts) > 100


def test_things_stand_in_fields_of_their_own_and_differ() -> None:
    found = drawn(500)
    assert {len(scene) for scene in found} == {2, 3}
    for scene in found:
        assert len({(thing.row, thing.column) for thing in scene}) == len(scene)
        assert len({(thing.shape, thing.colour, thing.size) for thing in scene}) == len(scene)
        assert [(thing.row, thing.column) for thing in scene] == sorted(
            (thing.row, thing.column) for thing in scene)


SHAPES = {
    "square": ["#########"] * 9,
    "circle": ["...###...", ".#######.", ".#######.", "#########", "#########", "#########",
               ".#######.", ".#######.", "...###..."],
    "triangle": ["....#....", "....#....", "...###...", "...###...", "..#####..", "..#####..",
                 ".#######.", ".#######.", "#########"],
    "cross": ["...###...", "...###...", "...###...", "#########", "#########", "#########",
              "...###...", "...###...", "...###..."]}


@pytest.mark.parametrize(("shape", "rows"), SHAPES.items())
def test_shapes_by_hand(shape: str, rows: list[str]) -> None:
    found = picture((Thing(shape, "yellow", "small", 1, 1),), Random(1)).max(axis=2) > 150
    down, right = np.nonzero(found)
    part = found[down.min() : down.max() + 1, right.min() : right.max() + 1]
    assert ["".join(".#"[pixel] for pixel in row) for row in part.astype(int)] == rows


def test_a_picture_has_its_things_and_nothing_else() -> None:
    random = Random(9)
    for scene in drawn(50):
        pixels = picture(scene, random).astype(int)
        assert pixels.shape == (48, 48, 3)
        for row in range(3):
            for column in range(3):
                field = pixels[16 * row : 16 * row + 16, 16 * column : 16 * column + 16]
                here = [thing for thing in scene if (thing.row, thing.column) == (row, column)]
                if here:
                    colour = np.array(scenes.COLOURS[here[0].colour])
                    assert np.abs(field[7, 7] - colour).max() <= 15
                else:
                    assert (field == field[0, 0]).all() and np.ptp(field[0, 0]) == 0
