"""Text that a model writes: reproducible, from the units it may draw, after any prompt it knows."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from pipeline.errors import UserError
from pipeline.storage.files import read_json
from pipeline.systems.base import seeded
from pipeline.tasks.language_model.shared.generation import (
    Sampling,
    Writing,
    choose,
    generate,
    text_of,
)
from pipeline.tasks.language_model.systems.recurrent import RecurrentLanguageModel
from tests.tasks.language_model.test_recurrent import settings


@pytest.fixture(scope="module")
def system(characters: Path) -> RecurrentLanguageModel:
    torch.manual_seed(4)
    return RecurrentLanguageModel(settings(cell="gru-take"),
                                  read_json(characters / "fit" / "spec.json")).eval()


def test_the_same_seed_writes_the_same_texts(system: RecurrentLanguageModel) -> None:
    first, again = (system.write(Writing("the c", 3, 20, 0.9, 5, seed=7)) for _ in range(2))
    assert first == again and len(set(first)) == 3
    assert all(text.startswith("the c") and len(text) == 25 for text in first)
    assert system.write(Writing("the c", 3, 20, 0.9, 5, seed=8)) != first
    (alone,) = system.write(Writing("the c", 1, 20, 0.9, 5, seed=7))
    assert alone == first[0] and len({*first}) == 3
    assert alone.startswith(system.write(Writing("the c", 2, 7, 0.9, 5, seed=7))[0])


def test_temperature_zero_takes_the_best_unit_each_time(system: RecurrentLanguageModel) -> None:
    (text,) = system.write(Writing("a c", 1, 12, temperature=0.0))
    ids = [system.end, *(system.spec["vocabulary"].index(unit) for unit in "a c")]
    for _ in range(12):
        scores, _ = system.advance(torch.tensor(ids)[:, None], system.begin(1))
        scores[0, 0] = -torch.inf
        ids.append(int(scores.argmax()))
    assert text == "".join(system.spec["vocabulary"][i] for i in ids[1:])
    assert system.write(Writing("a c", 2, 12, temperature=1.0, top_k=1)) == [text, text]


def test_draws_follow_the_softmax_over_the_best() -> None:
    scores = torch.tensor([2.0, 0.0, 1.0, -3.0]).expand(20_000, 4)
    for temperature, top_k, kept in ((1.0, 0, [0, 1, 2, 3]), (0.5, 3, [0, 1, 2]), (2.0, 2, [0, 2])):
        drawn = choose(scores, Sampling(temperature, top_k, 0), seeded(3))
        shares = torch.bincount(drawn, minlength=4) / len(drawn)
        expected = torch.zeros(4)
        expected[kept] = (scores[0, kept] / temperature).softmax(0)
        torch.testing.assert_close(shares, expected, atol=0.012, rtol=0)
        assert set(drawn.tolist()) <= set(kept)


def test_unknown_units_are_never_written() -> None:
    model = SimpleNamespace(
        end=1, device=torch.device("cpu"),
        spec={"unit": "word", "vocabulary": ["<unk>", "<eos>", "a"]},
        begin=lambda count: None,
        advance=lambda tokens, state: (torch.tensor([[9.0, 0.0, 0.0]]).expand(
            tokens.shape[1], 3), state))
    drawn = generate(model, [2], 50, 4, Sampling(1.0, 0, 1))
    assert [len(ids) for ids in drawn] == [4] * 50 and {*sum(drawn, [])} == {1, 2}


def test_words_stand_apart_and_sentences_on_lines() -> None:
    spec = {"unit": "word", "vocabulary": ["<unk>", "<eos>", "cats", "sleep"]}
    assert text_of([2, 3, 1, 3, 1, 1, 2], spec) == "cats sleep\nsleep\n\ncats"


@pytest.mark.parametrize("arguments, message", [
    (("the Cat", 1, 5), "character 'C' is not in the vocabulary"),
    (("a", 1, 5, -1.0), "temperature is 0 or more, got -1"),
    (("a", 1, 5, float("nan")), "temperature"),
    (("a", 1, 5, 1.0, -2), "top-k is 1 or more"),
    (("a", 0, 5), "at least one text"), (("a", 1, 0), "at least one text of one unit")])
def test_what_makes_no_sense_is_refused(system: RecurrentLanguageModel, arguments: tuple,
                                        message: str) -> None:
    with pytest.raises(UserError, match=message):
        system.write(Writing(*arguments))


def test_a_prompt_word_is_corrected(extracted: Path) -> None:
    system = RecurrentLanguageModel(settings(), read_json(extracted / "fit" / "spec.json"))
    with pytest.raises(UserError, match="word 'catt' is not .*; did you mean 'cat'"):
        system.write(Writing("the catt", 1, 5))


def test_what_is_created_is_what_is_written(system: RecurrentLanguageModel) -> None:
    wanted = system.Options("the", count=2, length=9, seed=3)
    assert list(system.create(wanted, None)) == system.write(wanted)
