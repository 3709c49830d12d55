"""A network trained without alignments: guess, train, re-estimate.

CMU 11-785, "Connectionist Temporal Classification", first part: an alignment is guessed, a network
is trained on it as if it were given, and its own best alignments with what was said become the next
guess. Option 1 trains whole passes on one guess and then aligns all of the data again (`passes`);
option 2 aligns each batch with the network of the moment before its gradient (`steps`). Either goes
on from the first guess for `guess_epochs` before anything is estimated again, for a network that
has learnt nothing aligns as chance has it.

Nobody's times are seen, unless `keep_known` says so: then utterances whose times the corpus knows
keep them and teach the others, so that a few timed voices serve many untimed ones.

Validation takes the network's own alignments, so its loss says how well a network explains
utterances with any alignment, and the weights with the lowest are kept.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from pipeline.audio.batching import padded
from pipeline.nn.ctc import Ids, Scores
from pipeline.nn.order_synchronous import best_alignments
from pipeline.systems.base import Batch, Run
from pipeline.systems.resume import latest
from pipeline.tasks.alignment.shared.aligner import Aligner, AlignerSettings, targets_of
from pipeline.tasks.alignment.shared.batching import (
    PhoneBatches,
    Utterances,
    padded_targets,
    starts_of,
    with_separators,
)
from pipeline.tasks.alignment.shared.first_guess import FirstGuess, guessed_starts
from pipeline.tasks.alignment.shared.rounds import Record, Round

_AT_ONCE = 32  # utterances that are heard together when all are aligned again


class Settings(AlignerSettings):
    first_guess: FirstGuess
    re_estimate: Literal["passes", "steps"]
    guess_epochs: int = Field(ge=1, description="epochs on the first guess")
    pass_epochs: int = Field(ge=1, description="epochs of a pass after the first guess's")
    keep_known: bool = Field(
        False, description="whether times that the corpus knows stand for guesses, and stay")


class Guessed(Aligner):
    """`rounds` says of each epoch what its re-estimation was worth, where times are known."""

    settings: Settings

    def __init__(self, settings: Settings, spec: dict[str, Any]) -> None:
        super().__init__(settings, spec)
        self.rounds: Record = []
        self._train: Utterances | None = None
        self._starts: list[Ids] = []
        self._kept: list[bool] = []
        self._epoch = 0
        self._measured: list[Round] = []

    def batches(self, data: Path, split: str, seed: int) -> PhoneBatches:
        found = super().batches(data, split, seed)
        if split == "train":
            self._train = found.utterances
            guessed = guessed_starts(self.settings.first_guess, found.utterances,
                                     self.spec["phones"], seed)
            self._starts = [guess if known is None or not self.settings.keep_known else known
                            for guess, known in zip(guessed, found.utterances.starts, strict=True)]
            self._kept = [self.settings.keep_known and known is not None
                          for known in found.utterances.starts]
            self.learn_durations(found.utterances, self._starts)
        return found

    def begin_epoch(self, training: bool) -> None:
        if not training:
            self._measured.append(Round())

    def loss(self, batch: Batch) -> tuple[Tensor, float]:
        """Cross-entropy in nats of the frames' phones in the alignment of the moment."""
        if self.training:
            self._enter(batch["epoch"])
        found = self(batch["frames"], batch["lengths"])
        rows, lengths = batch["rows"], batch["lengths"].tolist()
        if self.training:
            if self.settings.re_estimate == "steps" and self._epoch >= self.settings.guess_epochs:
                self._estimate(rows, self._aligned(found, lengths, batch["symbols"]))
            used = [self._starts[row] for row in rows]
        else:
            used = self._aligned(found, lengths, batch["symbols"])
        targets = targets_of(batch, used)
        total, terms = self.divergence(found, padded_targets(targets, found.shape[1]))
        if not self.training and self._measured:
            measured = self._measured[-1]
            measured.add(used, batch["starts"])
            measured.total += float(total)
            measured.frames += terms
        return total, terms

    def fit(self, data: Path, run: Run) -> list[dict[str, float]]:
        curve = super().fit(data, run)
        # A training that was over before carries its rounds in its last checkpoint.
        if not self._measured and (checkpoint := latest(run.work)) is not None:
            state = torch.load(checkpoint.state, weights_only=True)
            self._take_rounds(state["unrolled"]["carried"])
        self.rounds = [{"epoch": number, "round": self._round_of(number - 1),
                        **one.told(self.spec["hop"])}
                       for number, one in enumerate(self._measured, start=1)]
        return curve

    def carried(self) -> dict[str, Tensor]:
        return {"starts": torch.from_numpy(np.concatenate(self._starts)),
                "epoch": torch.tensor(self._epoch),
                "rounds": torch.tensor([one.to_row() for one in self._measured],
                                       dtype=torch.float64)}

    def take_carried(self, tensors: dict[str, Tensor]) -> None:
        cuts = np.cumsum([len(symbols) for symbols in self._known_train().symbols])[:-1]
        self._starts = np.split(tensors["starts"].numpy().copy(), cuts)
        self._epoch = int(tensors["epoch"])
        self._take_rounds(tensors)

    def _take_rounds(self, tensors: dict[str, Tensor]) -> None:
        self._measured = [Round.from_row(row) for row in tensors["rounds"].tolist()]

    def texts(self) -> Mapping[str, Any]:
        return {"rounds": self.rounds}

    def load_texts(self, texts: Mapping[str, Any]) -> None:
        self.rounds = texts["rounds"]

    def _enter(self, epoch: int) -> None:
        """Before the first batch of an epoch, from 0, estimate again what it is the time for."""
        since = epoch - self.settings.guess_epochs
        if epoch > self._epoch and since >= 0:
            if self.settings.re_estimate == "passes" and since % self.settings.pass_epochs == 0:
                self._align_all()
            self.learn_durations(self._known_train(), self._starts)
        self._epoch = epoch

    def _known_train(self) -> Utterances:
        if self._train is None:
            raise ValueError("the system has not been asked for training batches")
        return self._train

    def _round_of(self, epoch: int) -> int:
        """How often anything had been estimated again when an epoch, from 0, was trained."""
        since = epoch - self.settings.guess_epochs
        if since < 0:
            return 0
        return 1 + since // (self.settings.pass_epochs
                             if self.settings.re_estimate == "passes" else 1)

    def _align_all(self) -> None:
        """The network's best alignment of every training utterance."""
        utterances = self._known_train()
        order = np.argsort(utterances.lengths, kind="stable")
        with self.answering():
            for first in range(0, len(order), _AT_ONCE):
                rows = order[first : first + _AT_ONCE].tolist()
                batch = self.here(padded([utterances.frames[row] for row in rows]))
                found = self(batch["frames"], batch["lengths"])
                self._estimate(rows, self._aligned(found, batch["lengths"].tolist(), [
                    utterances.symbols[row] for row in rows]))

    def _estimate(self, rows: Sequence[int], aligned: Sequence[Ids]) -> None:
        """Take new alignments of the training utterances `rows`, but for those that are kept."""
        for row, starts in zip(rows, aligned, strict=True):
            if not self._kept[row]:
                self._starts[row] = starts

    def _aligned(self, found: Tensor, lengths: Sequence[int],
                 said: Sequence[Ids]) -> list[Ids]:
        """The first frame of each phone `said` in utterances by what the network `found` there."""
        tables = [with_separators(symbols) for symbols in said]
        scores: Scores = self.scaled(found)
        paths, _ = best_alignments(scores, lengths, [symbols for symbols, _ in tables])
        return [starts_of(places[path]) for path, (_, places) in zip(paths, tables, strict=True)]
