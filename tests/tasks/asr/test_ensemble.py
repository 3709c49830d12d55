"""Several recognisers as one: what its members share, and how their answers come together."""

from pathlib import Path

import pytest
import torch

from pipeline.audio.frames import Frames
from pipeline.storage.files import read_json
from pipeline.systems.base import Run
from pipeline.tasks.asr.scoring import METRICS, score
from pipeline.tasks.asr.shared import votes
from pipeline.tasks.asr.systems.ensemble import RecogniserEnsemble, Settings
from tests.tasks.asr import test_attention

VOTING = {"hypotheses": 5, "scales": [5.0, 20.0, 80.0], "frequencies": [0.0, 0.5, 1.0],
          "nothings": [0.2, 0.5, 0.8]}
SETTINGS = test_attention.SETTINGS | {
    "model": "ensemble", "members": 3, "ctc_beam": 6, "least_posterior": 0.0, "voting": VOTING,
    "variants": {way: {"combination": way, "language_model": "characters"} for way in votes.WAYS}}


def new(features: Path) -> RecogniserEnsemble:
    torch.manual_seed(0)
    return RecogniserEnsemble(Settings.model_validate(SETTINGS),
                              read_json(features / "fit" / "spec.json"))


@pytest.fixture(scope="module")
def fitted(features: Path, tmp_path_factory: pytest.TempPathFactory) -> RecogniserEnsemble:
    system = new(features)
    system.fit(features / "fit", Run(seed=1, work=tmp_path_factory.mktemp("work")))
    return system


@pytest.mark.parametrize("variant", ["rover", "summed"])
def test_a_tiny_corpus_is_learnt(fitted: RecogniserEnsemble, features: Path, variant: str) -> None:
    answers = list(fitted.predict(features / "test", fitted.settings.variants[variant]))
    assert score(answers, features / "test").score(METRICS["wer"]) < 10


def test_no_member_is_another_before_and_after_training(fitted: RecogniserEnsemble,
                                                        features: Path) -> None:
    for system in (new(features), fitted):
        weights = [dict(member.named_parameters())["output.weight"] for member in system.members]
        assert not any(torch.equal(one, other) for one, other in zip(
            weights, [*weights[1:], weights[0]], strict=True))


def test_the_loss_is_the_mean_of_the_members(features: Path) -> None:
    system = new(features).eval()
    source = system.batches(features / "fit", "valid", 1)
    batch = source.load(source.plan(0)[0])
    with torch.no_grad():
        total, terms = system.loss(batch)
        alone = [member.loss(batch) for member in system.members]
    assert float(total) == pytest.approx(sum(float(loss) for loss, _ in alone) / 3)
    assert {count for _, count in alone} == {terms}


def test_members_that_are_one_network_answer_as_it_does(fitted: RecogniserEnsemble,
                                                        features: Path) -> None:
    same = new(features)
    one = fitted.members[0]
    for member in same.members:
        member.load_state_dict(one.state_dict())
        member.tried = one.tried
    same.transcripts = fitted.transcripts
    (joint,) = one.settings.variants.values()
    wanted = [answer["hypothesis"] for answer in one.predict(features / "test", joint)]
    found = same.predict(features / "test", same.settings.variants["rover"])
    assert [answer["hypothesis"] for answer in found] == wanted


def test_every_way_is_tried_on_the_words_of_the_validation_utterances(
        fitted: RecogniserEnsemble, features: Path) -> None:
    words = sum(len(item["text"].split()) for item in read_json(features / "fit/valid.items.json"))
    assert set(fitted.tried) == set(votes.WAYS)
    assert [len(points) for points in fitted.tried.values()] == [27, 3]
    assert {point.words for points in fitted.tried.values() for point in points} == {words}


def test_alternatives_are_the_likeliest_of_all_lists(fitted: RecogniserEnsemble,
                                                     features: Path) -> None:
    frames = Frames(features / "test", "test")
    answers = list(fitted.predict(features / "test", fitted.settings.variants["summed"]))
    for answer, lists in zip(answers, fitted.lists(frames), strict=True):
        listed = answer["alternatives"]
        said = {" ".join(one.words) for hypotheses in lists for one in hypotheses}
        assert 1 <= len(listed) <= 3 and {one["text"] for one in listed} <= said
        likely = [one["score"] for one in listed]
        assert likely == sorted(likely, reverse=True) and sum(likely) <= 1.001
