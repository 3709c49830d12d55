"""Recurrent language model of texts that are a whole: it writes one to its natural end.

The network is that of `recurrent` and trained like it. What it has read as one text with line
breaks within (`pipeline.corpora.line_breaks`), a function of a program, say, it writes so: what
`write` and `create` give has the lines of the text, and is over when the model draws the end
(Karpathy 2015, "The unreasonable effectiveness of recurrent neural networks", for programs that a
character model writes).
"""

from dataclasses import dataclass
from typing import ClassVar

from pipeline.corpora.line_breaks import as_item, as_text
from pipeline.tasks.language_model.shared.generation import Writing, ids_of, text_of
from pipeline.tasks.language_model.shared.natural_ends import generate_to_end
from pipeline.tasks.language_model.systems import recurrent


@dataclass(frozen=True)
class Whole(Writing):
    """What is to be written; `length` is where a text is cut that has not ended before."""

    length: int = 2000


class Settings(recurrent.Settings):
    """A recurrent entry of `systems`, with nothing of its own."""


class RecurrentWholes(recurrent.RecurrentLanguageModel):
    """p(next unit | all units before it in the text); a text ends where it draws an end."""

    Options: ClassVar = Whole

    def write(self, wanted: Writing) -> list[str]:
        """Texts that go on from the prompt until they end, or are cut after `wanted.length` units.

        Raises UserError for a prompt with a unit outside the vocabulary, and for numbers that make
        no sense.
        """
        begun = ids_of(as_item(wanted.prompt), self.spec)
        with self.answering():
            drawn = generate_to_end(self, begun, wanted.count, wanted.length, wanted.sampling)
        return [as_text(text_of([*begun, *ids], self.spec)) for ids in drawn]
