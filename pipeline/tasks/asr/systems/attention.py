"""Encoder-decoder with attention, which writes letters without a dictionary.

Chan et al. 2016 ("Listen, Attend and Spell"): a pyramid of bidirectional LSTM layers listens, and
a decoder spells the transcript letter by letter, each time looking at a part of what was heard.
Where it looks depends on where it has looked before (Chorowski et al. 2015, "Attention-Based
Models for Speech Recognition"). Unlike CTC it knows what it has written, and nothing holds it to
the order of the sound: with little data it may never learn where to look. A CTC loss on the encoder
beside its own teaches that order (Watanabe et al. 2017, "Hybrid CTC/Attention"). CTC needs at least
a step a letter, so it may hear a lower layer of the pyramid than the decoder does.

Where both have been trained, both can answer: a joint search takes the hypotheses of the decoder's
beam and those of CTC's prefix beam, and each says what it thinks of the other's. A decoder that has
lost its place finds a text without a gap among CTC's, and CTC's letters are judged by a decoder
that has read the word before.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import numpy as np
import torch
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn import functional

from pipeline.audio.batching import padded
from pipeline.audio.frames import Frames
from pipeline.entries import VariantSettings
from pipeline.nn.cells import Cell, State
from pipeline.nn.ctc import BLANK, prefix_n_best
from pipeline.nn.dropout import FreshDropout
from pipeline.nn.location_attention import LocationContexts
from pipeline.nn.nbest import Finished, n_best
from pipeline.nn.pyramid import Pyramid
from pipeline.nn.rnn import ends
from pipeline.nn.scheduled_sampling import sampled_inputs
from pipeline.nn.seq2seq import BeamScorer, Memory
from pipeline.nn.speller import Speller
from pipeline.storage.files import read_json
from pipeline.storage.predictions import Prediction
from pipeline.storage.words import words_in
from pipeline.systems.base import Batch, NeuralSystem, Run
from pipeline.tasks.asr.shared.batching import UtteranceSettings
from pipeline.tasks.asr.shared.grids import Tried
from pipeline.tasks.asr.shared.hearing import Hearing
from pipeline.tasks.asr.shared.language_model import CharacterModel, totals
from pipeline.tasks.asr.shared.ranking import Hypothesis, Ranking, chosen, ranked, try_all
from pipeline.tasks.asr.shared.spelled import END, NOTHING, Spelled, spelled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# What CTC says at worst of a text: one with more letters than there are steps has no alignment.
_NO_ALIGNMENT = -1e4
_TOGETHER = 32  # utterances that are written at once for a picture


class Greedy(VariantSettings):
    """The most probable letter at each step."""

    search: Literal["greedy"]
    language_model: Literal["none"]


class Beam(VariantSettings):
    """Beam search whose finished hypotheses are rescored, with a language model of letters."""

    search: Literal["beam"]
    language_model: Literal["characters"]


class Joint(VariantSettings):
    """The hypotheses of beam search and of CTC's, scored by both and a language model."""

    search: Literal["joint"]
    language_model: Literal["characters"]
    ctc_beam: int = Field(ge=1, le=1000, description="hypotheses of CTC's prefix beam search")
    least_posterior: float = Field(
        ge=0, lt=1, description="a less probable letter begins in no step of CTC's")


class Settings(UtteranceSettings):
    hidden: int = Field(ge=1, description="units of each direction of the encoder")
    strides: list[Annotated[int, Field(ge=1, le=8)]] = Field(
        min_length=1, max_length=12, description="steps that each layer of the encoder joins")
    cell: Cell = Field(description="of the decoder")
    embedding: int = Field(ge=1, description="width of a letter")
    decoder_hidden: int = Field(ge=1)
    attention_hidden: int = Field(ge=1, description="width of the score's layer")
    filters: int = Field(ge=1, description="filters over the weights before")
    reach: int = Field(ge=0, description="positions that a filter sees on either side")
    label_smoothing: float = Field(ge=0, lt=1)
    sampling: float = Field(ge=0, lt=1, description="share of letters that the decoder reads in "
                                                    "training as it would have written them")
    sorted_epochs: int = Field(ge=0, description="epochs that begin with the shortest utterances")
    ctc_weight: float = Field(ge=0, description="of CTC's loss beside the decoder's; 0: no CTC")
    ctc_after: int = Field(ge=1, description="layers of the encoder below CTC's")
    ranking: Ranking
    variants: dict[str, Annotated[Greedy | Beam | Joint, Field(discriminator="search")]] = Field(
        min_length=1)

    @model_validator(mode="after")
    def _has_what_it_names(self) -> Self:
        if self.ctc_after > len(self.strides):
            raise ValueError(f"ctc_after is at most the number of strides, {len(self.strides)}, "
                             f"got {self.ctc_after}")
        if not self.ctc_weight and any(self.ranking.ctc_weights):
            raise ValueError("ranking.ctc_weights is [0.0] where ctc_weight is 0, for there is "
                             "no CTC that could be asked")
        joint = [name for name, one in self.variants.items() if isinstance(one, Joint)]
        if joint and not self.ctc_weight:
            raise ValueError(f"variants.{joint[0]} searches with CTC, which ctc_weight 0 leaves "
                             "out")
        if len(joint) > 1:
            raise ValueError(f"variants.{joint[1]}: one joint search has weights of its own")
        return self


class AttentionRecogniser(NeuralSystem):
    """`transcripts` are those of training, `tried` the weights compared in `fit`, by search."""

    settings: Settings

    def __init__(self, settings: Settings, spec: dict[str, Any]) -> None:
        super().__init__(settings, spec)
        letters, width = len(spec["symbols"]), 2 * settings.hidden
        self.start = letters + 1
        self.hearing = Hearing(settings, spec)
        self.encoder = Pyramid("lstm-torch", spec["dimension"], settings.hidden, settings.strides,
                               settings.dropout)
        self.contexts = LocationContexts(settings.decoder_hidden, width, settings.attention_hidden,
                                         settings.filters, settings.reach)
        self.embedding = nn.Embedding(letters + 2, settings.embedding)
        self.decoder = Speller(settings.cell, settings.embedding, settings.decoder_hidden, width,
                               self.contexts, width)
        self.readout = nn.Linear(settings.decoder_hidden + width, settings.decoder_hidden)
        self.output = nn.Linear(settings.decoder_hidden, letters + 1)
        self.dropout = FreshDropout(settings.dropout)
        self.ctc = nn.Linear(width, letters + 1) if settings.ctc_weight else None
        self.transcripts: list[str] = []
        self.tried: dict[str, list[Tried]] = {}

    def hear(self, frames: Tensor, lengths: Tensor) -> tuple[Memory, Tensor | None, Tensor]:
        """What the decoder finds in `frames` [B, T, D] with `lengths` [B].

        And CTC's log-probabilities [B, steps, 1 + letters], if there is CTC, and their lengths.
        """
        layers = self.encoder(self.hearing(frames, lengths), lengths)
        heard, steps = layers[-1]
        mask = torch.arange(heard.shape[1], device=heard.device) < steps[:, None]
        summary = ends(heard.transpose(0, 1), steps)
        heard = self.dropout(heard)
        memory = Memory(heard, mask, self.dropout(summary), self.contexts.keys(heard))
        lower, steps = layers[self.settings.ctc_after - 1]
        if self.ctc is None:
            return memory, None, steps
        return memory, self.ctc(self.dropout(lower)).float().log_softmax(dim=-1), steps

    def spell(self, letters: Tensor, memory: Memory,
              state: State) -> tuple[Tensor, State, Tensor]:
        """Read `letters` [N, L]: log-probabilities [N, L, letters + 1] of the next ones, END at 0.

        Also the state behind them, and weights [N, L, steps]; see `Speller`.
        """
        found, state, weights = self.decoder(self.dropout(self.embedding(letters)), memory, state)
        readouts = self.dropout(torch.tanh(self.readout(found)))
        return self.output(readouts).float().log_softmax(dim=-1), state, weights

    def step(self, letters: Tensor, memory: Memory, state: State) -> tuple[Tensor, State]:
        """One step of search; see `pipeline.nn.seq2seq.Step`."""
        found, state, _ = self.spell(letters[:, None], memory, state)
        return found[:, 0], state

    def batches(self, data: Path, split: str, seed: int) -> Spelled:
        learning = split == "train"
        found = Spelled(data, split, self.spec["symbols"], self.settings.batch_utterances, seed,
                        self.settings.tempo if learning else 0.0,
                        self.settings.training_share if learning else 1.0,
                        self.settings.sorted_epochs if learning else 0)
        if self.settings.ctc_weight:
            found.check_alignable(math.prod(self.settings.strides[: self.settings.ctc_after]))
        return found

    def loss(self, batch: Batch) -> tuple[Tensor, float]:
        """Cross-entropy in nats of letters and ends, and `ctc_weight` times CTC's loss.

        The terms are the letters and ends. In training, letters are smoothed.
        """
        memory, emissions, steps = self.hear(batch["frames"], batch["lengths"])
        found, _, _ = self.spell(self._inputs(batch, memory), memory, self.decoder.start(memory))
        smoothing = self.settings.label_smoothing if self.training else 0.0
        total = functional.cross_entropy(found.flatten(0, 1), batch["outputs"].flatten(),
                                         ignore_index=NOTHING, reduction="sum",
                                         label_smoothing=smoothing)
        if emissions is not None:
            total = total + self.settings.ctc_weight * functional.ctc_loss(
                emissions.transpose(0, 1), batch["targets"], steps, batch["target_lengths"],
                blank=BLANK, reduction="sum")
        return total, float((batch["outputs"] != NOTHING).sum())

    def _inputs(self, batch: Batch, memory: Memory) -> Tensor:
        """What the decoder reads: the correct letters, in training perhaps some of its own."""
        if not self.training or not self.settings.sampling:
            return batch["inputs"]
        scorer = BeamScorer(self.step, memory, self.decoder.start(memory), beam=1)
        return sampled_inputs(batch["inputs"], 1 - self.settings.sampling,
                              lambda letters: scorer.advance(letters[:, None])[:, 0])

    def fit(self, data: Path, run: Run) -> list[dict[str, float]]:
        """Train, then choose the weights of ranking on the validation utterances."""
        self.transcripts = [item["text"] for item in read_json(data / "train.items.json")]
        curve = super().fit(data, run)
        references = [item["text"] for item in read_json(data / "valid.items.json")]
        for variant in self.settings.variants.values():
            if not isinstance(variant, Greedy) and variant.search not in self.tried:
                found = list(self.hypotheses(Frames(data, "valid"), variant))
                self.tried[variant.search] = try_all(self.settings.ranking, found, references)
        return curve

    def predict(self, data: Path, variant: Greedy | Beam | Joint) -> Iterator[Prediction]:
        frames, items = Frames(data, "test"), read_json(data / "test.items.json")
        if isinstance(variant, Greedy):
            written = self.alone(lambda utterance: self.greedy([utterance])[0], frames)
            for item, letters in zip(items, written, strict=True):
                yield {"id": item["id"], "hypothesis": self.text(letters)}
            return
        weights = chosen(self.settings.ranking, self.tried.get(variant.search, []))
        for item, found in zip(items, self.hypotheses(frames, variant), strict=True):
            best = ranked(found, weights)[: self.settings.ranking.alternatives]
            yield {"id": item["id"], "hypothesis": best[0].text, "alternatives": [
                {"text": one.text, "score": round(one.score(weights), 3)} for one in best]}

    def hypotheses(self, utterances: Iterable[np.ndarray],
                   variant: Beam | Joint) -> Iterator[list[Hypothesis]]:
        """All that a search finishes for each utterance [frames, D], with all scores of it."""
        model = CharacterModel(self.transcripts, self.spec["symbols"],
                               self.settings.ranking.order, alpha=1.0, beta=0.0)
        return self.alone(partial(self._hypotheses, model, variant), utterances)

    def _hypotheses(self, model: CharacterModel, variant: Beam | Joint,
                    utterance: np.ndarray) -> list[Hypothesis]:
        batch = self.here(padded([utterance]))
        memory, emissions, _ = self.hear(batch["frames"], batch["lengths"])
        limits = longest(batch["lengths"])
        (found,) = self.search(memory, limits, self.settings.ranking.beam)
        if isinstance(variant, Joint) and emissions is not None:
            found += self._heard_by_ctc(memory, emissions[0], model.weighted(0.0, 0.0), variant,
                                        [one.tokens for one in found], int(limits))
        aligned = ([0.0] * len(found) if emissions is None else
                   ctc_log_probabilities(emissions[0], [one.tokens for one in found]))
        spelt = totals(model, [one.tokens for one in found]).tolist()
        return [Hypothesis(self.text(one.tokens), len(one.tokens), one.log_probability, ctc, text)
                for one, ctc, text in zip(found, aligned, spelt, strict=True)]

    def _heard_by_ctc(self, memory: Memory, emissions: Tensor, model: CharacterModel,
                      variant: Joint, known: list[list[int]], limit: int) -> list[Finished]:
        """Texts of CTC's prefix search that are not `known`, as the decoder judges them."""
        (heard,) = prefix_n_best([emissions.cpu().numpy()], model, variant.ctc_beam,
                                 variant.least_posterior, variant.ctc_beam)
        texts = [list(one.symbols) for one in heard
                 if list(one.symbols) not in known and len(one.symbols) <= limit]
        if not texts:
            return []
        inputs, outputs = (part.to(self.device) for part in spelled(texts, self.start))
        # Rows about one input share its memory.
        state = tuple(part.repeat_interleave(len(texts), dim=0)
                      for part in self.decoder.start(memory))
        said, _, _ = self.spell(inputs, memory, state)
        gained = -functional.cross_entropy(said.flatten(0, 1), outputs.flatten(), reduction="none",
                                           ignore_index=NOTHING).unflatten(0, outputs.shape)
        return [Finished(text, total) for text, total in
                zip(texts, gained.sum(dim=1).tolist(), strict=True)]

    def greedy(self, utterances: list[np.ndarray]) -> list[list[int]]:
        """The letters of each utterance [frames, D], the most probable one at each step."""
        with self.answering():
            batch = self.here(padded(utterances))
            memory, _, _ = self.hear(batch["frames"], batch["lengths"])
            found = self.search(memory, longest(batch["lengths"]), 1)
            return [best.tokens for (best,) in found]

    def search(self, memory: Memory, limits: Tensor, beam: int) -> list[list[Finished]]:
        """Up to `beam` texts of each input of `memory`, of at most `limits` [B] letters."""
        scorer = BeamScorer(self.step, memory, self.decoder.start(memory), beam)
        return n_best(scorer, limits, beam, begin=self.start, end=END)

    def attention(self, utterance: np.ndarray, letters: list[int]) -> np.ndarray:
        """Weights [letters + 1, steps] while `letters` and the end are written."""
        with self.answering():
            batch = self.here(padded([utterance]))
            memory, _, _ = self.hear(batch["frames"], batch["lengths"])
            inputs, _ = spelled([letters], self.start)
            _, _, weights = self.spell(inputs.to(self.device), memory, self.decoder.start(memory))
        return weights[0].cpu().numpy()

    def pictures(self, test: Path, place: int) -> Iterator[tuple[str, "Figure"]]:
        """Where it looks while it writes the text of that item, and its errors by their place.

        The text is that of greedy search, so its weights are those of its writing.
        """
        from pipeline.tasks.asr.shared import attention_pictures

        frames, items = Frames(test, "test"), read_json(test / "test.items.json")
        written = [letters for start in range(0, len(frames), _TOGETHER)
                   for letters in self.greedy([frames[index] for index in range(
                       start, min(start + _TOGETHER, len(frames)))])]
        spoken, letters = frames[place], written[place]
        title = f"{items[place]['id']}: {items[place]['reference']}"
        yield "attention", attention_pictures.attention(
            spoken, self.attention(spoken, letters), math.prod(self.settings.strides),
            self.characters(letters), title)
        yield "places", attention_pictures.errors_by_place(
            [item["reference"] for item in items], [self.text(found) for found in written])

    def characters(self, letters: list[int]) -> str:
        return "".join(self.spec["symbols"][letter - 1] for letter in letters)

    def text(self, letters: list[int]) -> str:
        """The words of letters."""
        return " ".join(words_in(self.characters(letters)))

    def texts(self) -> Mapping[str, Any]:
        """The transcripts, from which the language model is estimated, and the weights tried."""
        return {"transcripts": self.transcripts, "tried": {
            search: [pair.to_json() for pair in pairs] for search, pairs in self.tried.items()}}

    def load_texts(self, texts: Mapping[str, Any]) -> None:
        self.transcripts = list(texts["transcripts"])
        self.tried = {search: [Tried.from_json(pair) for pair in pairs]
                      for search, pairs in texts["tried"].items()}


def longest(frames: Tensor) -> Tensor:
    """Letters of the longest text of so many frames [B]: one in two frames, and five more."""
    return frames // 2 + 5


def ctc_log_probabilities(emissions: Tensor, texts: list[list[int]]) -> list[float]:
    """Log-probabilities of `texts` (letters from 1), summed over alignments.

    `emissions` [steps, 1 + letters] are log-probabilities of blank and letters.
    """
    steps, kinds = emissions.shape
    letters, counts, lengths = (torch.tensor(values, dtype=torch.int64, device=emissions.device)
                                for values in ([letter for text in texts for letter in text],
                                               list(map(len, texts)), [steps] * len(texts)))
    found = functional.ctc_loss(emissions[:, None].expand(steps, len(texts), kinds), letters,
                                lengths, counts, blank=BLANK, reduction="none")
    return (-found).clamp(min=_NO_ALIGNMENT).tolist()
