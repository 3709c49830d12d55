"""Several encoder-decoders with attention and CTC that answer together.

Networks that differ in nothing but what was drawn, their first weights and what is dropped, err in
different places, and where one errs the others often agree on what was said. So `members` of them
are trained side by side on the same batches, each searches with both of its halves
(`pipeline.tasks.asr.systems.attention`), and their lists of hypotheses are joined
(`pipeline.tasks.asr.shared.votes`): by votes on words, ROVER (Fiscus 1997), or by adding up what
they take to be likely and answering with the fewest errors to be expected (Stolcke et al. 1997).
What this brings is bought with as many times the training and the search.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from pipeline.audio.frames import Frames
from pipeline.entries import VariantSettings
from pipeline.nn.containers import module_list
from pipeline.storage.files import read_json
from pipeline.storage.predictions import Prediction
from pipeline.storage.words import words_in
from pipeline.systems.base import Batch, Curve, NeuralSystem, Run
from pipeline.tasks.asr.shared import ranking, votes
from pipeline.tasks.asr.shared.combination import Scored, summed
from pipeline.tasks.asr.shared.grids import Tried
from pipeline.tasks.asr.shared.spelled import Spelled
from pipeline.tasks.asr.systems import attention
from pipeline.tasks.asr.systems.attention import AttentionRecogniser, Joint

MEMBERS_SEARCH: Final = "joint"


class Together(VariantSettings):
    """What the members' lists of hypotheses are made into, which each has ranked with its model."""

    combination: votes.Way
    language_model: Literal["characters"]


class Settings(attention.Settings):
    """The members are as alike as the settings say; all have a CTC."""

    members: int = Field(ge=2, le=100, description="networks that answer together")
    ctc_weight: float = Field(gt=0, description="of CTC's loss beside the decoder's")
    ctc_beam: int = Field(ge=1, le=1000, description="hypotheses of CTC's prefix beam search")
    least_posterior: float = Field(
        ge=0, lt=1, description="a less probable letter begins in no step of CTC's")
    voting: votes.Voting
    variants: dict[str, Together] = Field(min_length=1)  # type: ignore[assignment]

    def of_member(self) -> attention.Settings:
        """Those of each member, which answers by joint search."""
        own = {name: getattr(self, name) for name in attention.Settings.model_fields}
        joint = Joint(search=MEMBERS_SEARCH, language_model="characters", ctc_beam=self.ctc_beam,
                      least_posterior=self.least_posterior)
        return attention.Settings(**own | {"variants": {MEMBERS_SEARCH: joint}})


class RecogniserEnsemble(NeuralSystem):
    """`tried` are the weights of votes that were compared in `fit`, by the way of combination."""

    settings: Settings

    def __init__(self, settings: Settings, spec: dict[str, Any]) -> None:
        super().__init__(settings, spec)
        self.members = module_list(AttentionRecogniser(settings.of_member(), spec)
                                   for _ in range(settings.members))
        self.tried: dict[str, list[Tried]] = {}

    @property
    def transcripts(self) -> list[str]:
        """Those of training, from which each member has its language model."""
        return self.members[0].transcripts

    @transcripts.setter
    def transcripts(self, texts: list[str]) -> None:
        for member in self.members:
            member.transcripts = texts

    def batches(self, data: Path, split: str, seed: int) -> Spelled:
        return self.members[0].batches(data, split, seed)

    def loss(self, batch: Batch) -> tuple[Tensor, float]:
        """Mean of the members' losses; the terms are the letters and ends of texts."""
        totals, terms = zip(*(member.loss(batch) for member in self.members), strict=True)
        return torch.stack(totals).mean(), terms[0]

    def fit(self, data: Path, run: Run) -> Curve:
        """Train, then choose on the validation utterances how members rank, and how votes count."""
        self.transcripts = [item["text"] for item in read_json(data / "train.items.json")]
        curve = super().fit(data, run)
        references = [item["text"] for item in read_json(data / "valid.items.json")]
        lists = []
        for member in self.members:
            found = list(member.hypotheses(Frames(data, "valid"), _search(member)))
            member.tried[MEMBERS_SEARCH] = ranking.try_all(member.settings.ranking, found,
                                                           references)
            lists.append([self._scored(member, one) for one in found])
        utterances = list(zip(*lists, strict=True))
        self.tried = {way: votes.try_all(way, self.settings.voting, utterances, references)
                      for way in votes.WAYS}
        return curve

    def predict(self, data: Path, variant: Together) -> Iterator[Prediction]:
        way, voting = variant.combination, self.settings.voting
        weights = votes.chosen(way, voting, self.tried.get(way, []))
        items = read_json(data / "test.items.json")
        for item, lists in zip(items, self.lists(Frames(data, "test")), strict=True):
            likely = summed(lists, weights["scale"])[: self.settings.ranking.alternatives]
            yield {"id": item["id"],
                   "hypothesis": " ".join(votes.together(way, lists, weights)),
                   "alternatives": [{"text": " ".join(one.words),
                                     "score": round(one.probability, 3)} for one in likely]}

    def lists(self, utterances: Iterable[np.ndarray]) -> Iterator[list[list[Scored]]]:
        """For each utterance [frames, D] the hypotheses of every member, its best one first."""
        heard = [member.hypotheses(utterances, _search(member)) for member in self.members]
        for found in zip(*heard, strict=True):
            yield [self._scored(member, one)
                   for member, one in zip(self.members, found, strict=True)]

    def _scored(self, member: AttentionRecogniser,
                hypotheses: list[ranking.Hypothesis]) -> list[Scored]:
        grid = member.settings.ranking
        weights = ranking.chosen(grid, member.tried.get(MEMBERS_SEARCH, []))
        best = ranking.ranked(hypotheses, weights)[: self.settings.voting.hypotheses]
        return [Scored(tuple(words_in(one.text)), one.score(weights)) for one in best]

    def texts(self) -> Mapping[str, Any]:
        """What the members have as texts, and the weights of votes that were tried."""
        return {"transcripts": self.transcripts,
                "members": [_to_json(member.tried) for member in self.members],
                "tried": _to_json(self.tried)}

    def load_texts(self, texts: Mapping[str, Any]) -> None:
        self.transcripts = list(texts["transcripts"])
        for member, tried in zip(self.members, texts["members"], strict=True):
            member.tried = _from_json(tried)
        self.tried = _from_json(texts["tried"])


def _search(member: AttentionRecogniser) -> Joint:
    (variant,) = member.settings.variants.values()
    assert isinstance(variant, Joint)
    return variant


def _to_json(tried: Mapping[str, list[Tried]]) -> dict[str, list[dict[str, float]]]:
    return {name: [point.to_json() for point in points] for name, points in tried.items()}


def _from_json(stored: Mapping[str, Any]) -> dict[str, list[Tried]]:
    return {name: [Tried.from_json(point) for point in points] for name, points in stored.items()}
