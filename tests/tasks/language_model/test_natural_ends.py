"""Texts that end by themselves, with their line breaks, whatever is asked for beyond."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from pipeline.corpora.line_breaks import BREAK, as_item, as_text
from pipeline.errors import UserError
from pipeline.storage.files import read_json
from pipeline.tasks.language_model.shared.generation import Sampling, Writing, generate
from pipeline.tasks.language_model.shared.natural_ends import generate_to_end
from pipeline.tasks.language_model.systems.recurrent_wholes import RecurrentWholes, Settings
from tests.tasks.language_model.test_recurrent import settings as recurrent_settings

BEST = Sampling(0.0, 0, 1)


class Counting:
    """After n units it is sure of unit n + 2, and of the end after `last` of them."""

    end = 1

    def __init__(self, last: int) -> None:
        self.last = last
        self.spec = {"vocabulary": ["<unk>", "\n", *"abcdef"]}
        self.device = torch.device("cpu")

    def begin(self, count: int) -> int:
        return -1

    def advance(self, tokens: Tensor, state: int) -> tuple[Tensor, int]:
        read = state + len(tokens)
        scores = torch.zeros(1, 8)
        scores[0, 0] = 9  # <unk> is never drawn, however likely
        scores[0, 1 if read >= self.last else read + 2] = 5
        return scores, read


def test_a_text_ends_with_its_end() -> None:
    assert generate_to_end(Counting(3), [], 2, 100, BEST) == [[2, 3, 4, 1]] * 2
    assert generate_to_end(Counting(3), [2, 3], 1, 100, BEST) == [[4, 1]]
    assert generate_to_end(Counting(0), [], 1, 100, BEST) == [[1]]


def test_a_text_that_does_not_end_is_cut() -> None:
    assert generate_to_end(Counting(6), [], 1, 4, BEST) == [[2, 3, 4, 5]]
    assert generate_to_end(Counting(3), [], 1, 4, BEST) == [[2, 3, 4, 1]]
    for count, length in ((0, 5), (1, 0)):
        with pytest.raises(UserError, match="at least one text of one unit"):
            generate_to_end(Counting(3), [], count, length, BEST)


@pytest.fixture
def system(characters: Path) -> RecurrentWholes:
    spec = read_json(characters / "fit" / "spec.json")
    spec["vocabulary"] = [*spec["vocabulary"], BREAK]
    given = recurrent_settings()
    torch.manual_seed(4)
    system = RecurrentWholes(Settings(**{**given.model_dump(exclude={"training"}),
                                         "training": given.training}), spec)
    # As likely as what an untrained model knows nothing of.
    system.output_bias.data[[system.end, spec["vocabulary"].index(BREAK)]] += 1.5
    return system


def test_it_writes_what_it_would_write_up_to_the_first_end(system: RecurrentWholes) -> None:
    """Draws are those of a model that goes on after an end."""
    vocabulary = system.spec["vocabulary"]
    begun = [vocabulary.index(letter) for letter in "the"]
    with system.answering():
        endless = generate(system, begun, 20, 80, Sampling(1.0, 0, 3))
    texts = system.write(Writing("the", 20, 80, seed=3))
    for ids, text in zip(endless, texts, strict=True):
        units = "".join(vocabulary[identity] for identity in ids)
        assert text == "the" + units.partition("\n")[0].replace(BREAK, "\n")
    assert any("\n" in text for text in texts) and len({len(text) for text in texts}) > 5


def test_a_prompt_has_line_breaks(system: RecurrentWholes) -> None:
    for text in system.write(Writing("the\r\ncat\n", 3, 5)):
        assert text.startswith("the\ncat\n") and len(text) <= 13
    with pytest.raises(UserError, match="'X' is not in the vocabulary"):
        system.write(Writing("the\nX"))


def test_by_itself_it_writes_longer_than_a_line(system: RecurrentWholes) -> None:
    assert system.Options().length == 2000
    (text,) = system.create(system.Options(prompt="a", length=3), None)
    assert 1 <= len(text) <= 4


def test_lines_are_put_into_an_item_and_taken_out_of_it() -> None:
    assert as_item("def a():\r\n    b\n") == f"def a():{BREAK}    b{BREAK}"
    assert as_text(f"def a():{BREAK}    b\n") == "def a():\n    b"
    assert as_text(as_item("x\n\ny")) == "x\n\ny"
