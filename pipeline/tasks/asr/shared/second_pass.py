"""What a recogniser of two passes has learnt for its second one, and keeps in its folder.

"bigram and recurrent" is a language model of its own: the bigram searches, and its hypotheses are
scored again by both (`rescoring.py`). Rows that have it share no rank with those of the bigram.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Self, cast, get_args

from torch import Tensor

from pipeline.storage.words import words_in
from pipeline.tasks.asr.shared.grammars import LanguageModel, grammar
from pipeline.tasks.asr.shared.grids import Tried, best_of
from pipeline.tasks.asr.shared.recogniser import Recogniser, Scores
from pipeline.tasks.asr.shared.recurrent_lm import RecurrentLm
from pipeline.tasks.asr.shared.rescoring import Rescorer, Rescoring

TwoPassModel = Literal["uniform and recurrent", "unigram and recurrent", "bigram and recurrent",
                       "trigram and recurrent"]
AnyModel = LanguageModel | TwoPassModel
_SECOND = " and recurrent"
_PREFIX = "recurrent."


def first_of(name: AnyModel) -> LanguageModel:
    """The language model that searches."""
    return cast(LanguageModel, name.removesuffix(_SECOND))


def is_two_pass(name: AnyModel) -> bool:
    return name in get_args(TwoPassModel)


@dataclass
class SecondPass:
    """`trials` has the grid of each language model of two passes, once it was chosen from."""

    settings: Rescoring
    transcripts: Sequence[str]
    recurrent: RecurrentLm
    trials: dict[str, list[Tried]] = field(default_factory=dict)

    @classmethod
    def trained(cls, settings: Rescoring, words: Sequence[str], transcripts: Sequence[str],
                validation: Sequence[str], seed: int) -> Self:
        """Learn `transcripts`, all of words of the dictionary, and stop by those of validation."""
        learnt, kept_back = ([words_in(text) for text in texts]
                             for texts in (transcripts, validation))
        return cls(settings, transcripts, RecurrentLm.trained(
            settings.recurrent, words, learnt, kept_back, seed))

    def choose(self, name: AnyModel, first: Recogniser, scores: Sequence[Scores],
               references: Sequence[str]) -> None:
        """Choose weights and mix on validation utterances [T, states] that `first` searches."""
        self.trials[name] = self._rescorer(name, first).tried(scores, references,
                                                              self.settings.mixes)

    def answers(self, name: AnyModel, first: Recogniser,
                scores: Iterator[Scores]) -> Iterator[dict[str, Any]]:
        """As a recogniser's, of hypotheses that have been scored again."""
        return self._rescorer(name, first).answers(scores, best_of(self.trials[name]))

    def tensors(self) -> dict[str, Tensor]:
        return {f"{_PREFIX}{name}": tensor for name, tensor in self.recurrent.tensors().items()}

    def texts(self) -> dict[str, Any]:
        return {"words": list(self.recurrent.words),
                "trials": {name: [trial.to_json() for trial in trials]
                           for name, trials in self.trials.items()}}

    @classmethod
    def restored(cls, settings: Rescoring, transcripts: Sequence[str], texts: Mapping[str, Any],
                 tensors: Mapping[str, Tensor]) -> Self:
        """What `texts` and `tensors` gave. Raises KeyError or RuntimeError for anything else."""
        own = {name.removeprefix(_PREFIX): tensor for name, tensor in tensors.items()
               if is_own(name)}
        return cls(settings, transcripts,
                   RecurrentLm.restored(settings.recurrent, texts["words"], own),
                   {name: [Tried.from_json(trial) for trial in trials]
                    for name, trials in texts["trials"].items()})

    def _rescorer(self, name: AnyModel, first: Recogniser) -> Rescorer:
        return Rescorer(first, grammar(first_of(name), self.transcripts, first.network.words),
                        self.recurrent, self.settings.count)


def is_own(tensor: str) -> bool:
    """Whether a tensor of a system's folder is the second pass's."""
    return tensor.startswith(_PREFIX)
