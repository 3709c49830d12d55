"""Acoustic models from transcripts alone: what they learn, ask and keep."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.audio.phones import CLASSES, PHONES
from pipeline.decoding.network import Weights
from pipeline.errors import UserError
from pipeline.hmm.training import Pass
from pipeline.tasks.asr.shared.acoustics import (
    Acoustics,
    Flow,
    Training,
    alignment,
    loss_of,
    questions,
    topology,
)
from pipeline.tasks.asr.shared.cepstra import Heard, hear
from pipeline.tasks.asr.shared.recogniser import Decoding
from pipeline.tasks.asr.shared.vocabulary import Vocabulary
from tests.tasks.asr.spoken import LEXICON, SIZE

MONOPHONES = {"coefficients": SIZE, "monophones": {"passes": 8, "gaussians": 120},
              "triphones": None, "discriminants": None}
TRIPHONES = {**MONOPHONES, "triphones": {"passes": 4, "gaussians": 160, "states": 150,
                                         "least_frames": 20}}
ALL = {**TRIPHONES, "discriminants": {"context": 2, "dimensions": 10, "passes": 4,
                                      "gaussians": 160}}
DECODING = Decoding(beam=100.0, most=500, lattice_beam=10.0, language_weights=[1.0, 2.0],
                    word_scores=[0.0], alternatives=2)


@pytest.fixture(scope="module")
def heard(words: Path) -> Heard:
    return hear(words / "fit", "train", SIZE)


@pytest.fixture(scope="module")
def learnt(heard: Heard) -> dict[str, tuple[Acoustics, list[Pass]]]:
    """Models of each length of the flow, and the passes that trained them."""
    found = {}
    for name, flow in (("monophones", MONOPHONES), ("triphones", TRIPHONES), ("all", ALL)):
        passes: list[Pass] = []
        model = Training(heard, LEXICON, lambda report, _, passes=passes: passes.append(report)
                         ).through(Flow.model_validate(flow))
        found[name] = model, passes
    return found


def test_the_loss_is_that_which_the_next_pass_finds(heard: Heard) -> None:
    told: list[tuple[Pass, float]] = []

    def tell(report: Pass, after: Acoustics) -> None:
        told.append((report, loss_of(after.model, after.features(heard), heard, LEXICON)))

    Training(heard, LEXICON, tell).through(Flow.model_validate(MONOPHONES))
    # Paths are found anew in the third pass; before that those of the first one serve.
    assert told[1][1] == pytest.approx(-told[2][0].log_likelihood, rel=1e-9)
    assert told[0][1] < -told[1][0].log_likelihood


def test_a_validation_transcript_that_fits_no_recording_is_refused(
        heard: Heard, learnt: dict[str, tuple[Acoustics, list[Pass]]]) -> None:
    model, _ = learnt["monophones"]
    long = replace(heard, items=[{**item, "text": "SIX " * 60} for item in heard.items])
    with pytest.raises(UserError, match="no validation transcript has a path"):
        loss_of(model.model, model.features(heard), long, LEXICON)


def scores(model: Acoustics, heard: Heard) -> Sequence[np.ndarray]:
    frames = model.features(heard)
    return [model.scores(frames[start:end])
            for start, end in zip(heard.offsets[:-1], heard.offsets[1:], strict=True)]


def test_no_pass_over_monophones_lowers_the_likelihood(
        learnt: dict[str, tuple[Acoustics, list[Pass]]]) -> None:
    passes = learnt["monophones"][1]
    found = [report.log_likelihood for report in passes]
    assert len(found) == 8 and all(report.left_out == 0 for report in passes)
    assert found == sorted(found) and found[-1] > found[0] + 1


def test_likelihood_rises_on_one_alignment(
        learnt: dict[str, tuple[Acoustics, list[Pass]]]) -> None:
    # Passes 1 and 2, 3 and 4 of every step have one alignment; 8, 4 and 4 passes.
    found = [report.log_likelihood for report in learnt["all"][1]]
    assert len(found) == 16
    assert all(found[first + 1] >= found[first] for first in range(0, 16, 2))


@pytest.mark.parametrize("name", ["monophones", "triphones", "all"])
def test_held_out_utterances_are_recognised(
        name: str, learnt: dict[str, tuple[Acoustics, list[Pass]]], words: Path) -> None:
    model, _ = learnt[name]
    valid = hear(words / "fit", "valid", SIZE)
    recogniser = Vocabulary(dict(LEXICON), [], 0.01).recogniser(
        "uniform", model.model.tied, DECODING, Weights())
    assert recogniser.best(scores(model, valid)) == valid.texts


def test_each_step_takes_the_place_of_the_one_before(
        learnt: dict[str, tuple[Acoustics, list[Pass]]]) -> None:
    sizes = {name: model.model.mixtures.means.shape for name, (model, _) in learnt.items()}
    # Cepstra with two slopes each; then as many directions as are asked for.
    assert [size[1] for size in sizes.values()] == [3 * SIZE, 3 * SIZE, 10]
    assert sizes["monophones"][0] == len(learnt["monophones"][0].model.tied.stay) == 120
    for name in ("triphones", "all"):
        assert 120 < len(learnt[name][0].model.tied.stay) <= 150
        assert 120 < sizes[name][0] <= 160
    assert (learnt["triphones"][0].projection, learnt["triphones"][0].context) == (None, 0)
    projection, context = learnt["all"][0].projection, learnt["all"][0].context
    assert projection is not None and projection.shape == (10, 5 * SIZE) and context == 2


@pytest.mark.parametrize("name", ["monophones", "triphones", "all"])
def test_what_is_kept_gives_the_same_scores(
        name: str, learnt: dict[str, tuple[Acoustics, list[Pass]]], words: Path) -> None:
    model, _ = learnt[name]
    kept = {"other.weights": model.tensors("x")["x.stay"] * 0, **model.tensors("own")}
    again = Acoustics.restored("own", kept, json.loads(json.dumps(model.texts())))
    valid = hear(words / "fit", "valid", SIZE)
    for before, after in zip(scores(model, valid), scores(again, valid), strict=True):
        np.testing.assert_array_equal(before, after)
    np.testing.assert_array_equal(model.model.tied.stay, again.model.tied.stay)
    for phone in ("SIL", *PHONES):
        assert (model.model.tied.states("N", phone, "T")
                == again.model.tied.states("N", phone, "T"))
    mixtures = model.model.mixtures
    projection = 0 if model.projection is None else 10 * 5 * SIZE
    assert again.parameters_count == model.parameters_count == (
        len(mixtures.weights) * (1 + 2 * mixtures.means.shape[1]) + len(model.model.tied.stay)
        + projection)
    with pytest.raises(KeyError):
        Acoustics.restored("nobody", kept, model.texts())


def test_alignments_follow_transcripts(learnt: dict[str, tuple[Acoustics, list[Pass]]],
                                       heard: Heard) -> None:
    model, _ = learnt["monophones"]
    found = alignment(model, heard, heard.texts, LEXICON)
    tied = model.model.tied
    for number, text in enumerate(heard.texts[:10]):
        states = found[heard.offsets[number] : heard.offsets[number + 1]]
        passed = [int(states[0]), *states[1:][np.diff(states) != 0].tolist()]
        said = [state for state in passed if state not in tied.states("SIL", "SIL", "SIL")]
        assert said == [state for word in text.split() for phone in LEXICON[word][0]
                        for state in tied.states("", phone, "")]


def test_an_utterance_too_short_for_its_text_has_no_states(
        learnt: dict[str, tuple[Acoustics, list[Pass]]], heard: Heard) -> None:
    texts = ["SIX " * 40, *heard.texts[1:]]
    found = alignment(learnt["monophones"][0], heard, texts, LEXICON)
    assert (found[: heard.offsets[1]] < 0).all() and (found[heard.offsets[1] :] >= 0).all()


def test_questions_ask_of_classes_single_phones_and_silence() -> None:
    found = questions()
    assert set(found) == {*CLASSES, *PHONES, "SIL"}
    assert all(found[phone] == {phone} for phone in (*PHONES, "SIL"))
    assert found["nasal"] == {"M", "N", "NG"}
    assert "SIL" not in set().union(*(found[name] for name in CLASSES))


def test_a_flow_has_room_for_every_phone() -> None:
    """A tree has a leaf at least, so there are no fewer states than those of monophones."""
    assert sum(topology().lengths.values()) == 120
    few = {**TRIPHONES, "triphones": {**TRIPHONES["triphones"], "states": 10}}  # type: ignore[dict-item]
    assert [Flow.model_validate(flow).most_states for flow in (MONOPHONES, TRIPHONES, few)] == [
        120, 150, 120]


def test_discriminants_need_triphones() -> None:
    with pytest.raises(ValueError, match="give triphones as well"):
        Flow.model_validate({**ALL, "triphones": None})


def test_transcripts_that_fit_no_recording_are_refused(heard: Heard) -> None:
    long = [{**item, "text": "SIX " * 60} for item in heard.items]
    with pytest.raises(UserError, match="no acoustic model can be trained: .* do not fit together"):
        Training(replace(heard, items=long), LEXICON, lambda *_: None).through(
            Flow.model_validate(MONOPHONES))


def test_more_discriminants_than_there_are_directions_are_refused(heard: Heard) -> None:
    flow = {**ALL, "discriminants": {"context": 1, "dimensions": 19, "passes": 1, "gaussians": 1}}
    with pytest.raises(UserError, match="no discriminants can be found: 18 dimensions hold no 19"):
        Training(heard, LEXICON, lambda *_: None).through(Flow.model_validate(flow))
