"""What every recogniser with a dictionary knows of words: pronunciations, transcripts, weights.

The dictionary comes from the features stage; language models are estimated from the training
transcripts when they are asked for; the weights of a language model beside the sound are chosen on
the validation utterances and kept, with all pairs that were tried.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from pipeline.audio.phones import PHONES, SILENCE
from pipeline.decoding.lexicon import Lexicon
from pipeline.decoding.network import Weights
from pipeline.errors import UserError
from pipeline.hmm.phones import TiedStates
from pipeline.storage.files import read_json
from pipeline.tasks.asr.shared.grammars import LanguageModel, grammar
from pipeline.tasks.asr.shared.grids import Tried, best_of
from pipeline.tasks.asr.shared.recogniser import (
    Decoding,
    Recogniser,
    Scores,
    middle,
    weights_of,
)


@dataclass
class Vocabulary:
    """`tried` has the grid of each language model, once it was chosen from."""

    pronunciations: dict[str, list[list[str]]]
    transcripts: list[str]
    frame_seconds: float
    tried: dict[str, list[Tried]] = field(default_factory=dict)

    @classmethod
    def of(cls, data: Path, spec: Mapping[str, Any]) -> Self:
        """From a features folder. Raises UserError for one without a dictionary."""
        path = data / "lexicon.json"
        if not path.is_file():
            raise UserError(f"{data} has no dictionary, which this system needs; set "
                            "features.dictionary of its track to true")
        return cls(read_json(path), [item["text"] for item in read_json(data / "train.items.json")],
                   seconds(spec))

    def recogniser(self, name: LanguageModel, tied: TiedStates, decoding: Decoding,
                   weights: Weights | None = None) -> Recogniser:
        """A search with the chosen weights, or with others."""
        lexicon = Lexicon.of([(word, phones) for word, variants in self.pronunciations.items()
                              for phones in variants], (*PHONES, SILENCE), SILENCE)
        model = grammar(name, self.transcripts, lexicon.words)
        chosen = weights or weights_of(best_of(self.tried[name]))
        return Recogniser.of(lexicon, model, tied, decoding, chosen, self.frame_seconds)

    def choose(self, name: LanguageModel, tied: TiedStates, decoding: Decoding,
               scores: Sequence[Scores], references: Sequence[str]) -> None:
        """Choose the weights of a language model on validation utterances [T, states] each."""
        found = self.recogniser(name, tied, decoding, middle(decoding))
        self.tried[name] = found.tried(scores, references)

    def texts(self) -> dict[str, Any]:
        return {"pronunciations": self.pronunciations, "transcripts": self.transcripts,
                "tried": {name: [pair.to_json() for pair in pairs]
                          for name, pairs in self.tried.items()}}

    @classmethod
    def restored(cls, texts: Mapping[str, Any], spec: Mapping[str, Any]) -> Self:
        """What `texts` gave. Raises KeyError for anything else."""
        return cls(dict(texts["pronunciations"]), list(texts["transcripts"]), seconds(spec),
                   {name: [Tried.from_json(pair) for pair in pairs]
                    for name, pairs in texts["tried"].items()})


def seconds(spec: Mapping[str, Any]) -> float:
    """From the beginning of a frame to that of the next."""
    return float(spec["front_end"]["hop_ms"]) / 1000
