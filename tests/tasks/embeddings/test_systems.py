"""Each system's loss against its formula, written out word by word, and what it learns."""

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from scipy import sparse

from pipeline.corpora.kinds import Sentence, WordTests
from pipeline.entries import TrainingSettings
from pipeline.errors import UserError
from pipeline.storage.files import read_json
from pipeline.systems.base import Run
from pipeline.tasks.embeddings import features
from pipeline.tasks.embeddings.shared.answers import Space, WordVectors
from pipeline.tasks.embeddings.systems import bag_of_words, pmi_svd, ranking, skip_gram

TRAINING = TrainingSettings(
    epochs=4, optimizer="adam", learning_rate=0.05, schedule="cosine", warmup_steps=0,
    weight_decay=0.0, gradient_clip=5.0, patience=0)
SPEC = {"words": ["<unk>", "a", "b", "c"], "counts": [0, 16, 1, 81]}


def word2vec(module: Any, spec: dict[str, Any], **changes: Any) -> Any:
    values = {"dimensions": 4, "window": 2, "subsampling": 1.0, "negatives": 3,
              "noise_power": 0.75, "noise_words": 20, "batch_words": 30, "training": TRAINING}
    settings = module.Settings(track="embeddings", model="x",
                               **{**values, **changes})
    torch.manual_seed(2)
    system = next(value for value in vars(module).values() if isinstance(value, type)
                  and issubclass(value, WordVectors) and value.__module__ == module.__name__)
    return system(settings, spec)


def rank(spec: dict[str, Any]) -> ranking.Ranking:
    torch.manual_seed(2)
    return ranking.Ranking(ranking.Settings(
        track="embeddings", model="ranking", dimensions=8, window=2, hidden=16,
        batch_words=30, training=TRAINING), spec)


def count(spec: dict[str, Any], dimensions: int = 3) -> pmi_svd.PmiSvd:
    return pmi_svd.PmiSvd(pmi_svd.Settings(
        track="embeddings", model="pmi_svd", dimensions=dimensions, window=2,
        context_power=0.75, shift=1.0, value_power=0.5), spec)


def log_sigmoid(value: float) -> float:
    return -math.log1p(math.exp(-value))


def expected_noise(system: Any, hidden: np.ndarray) -> float:
    """k E log s(-h.u_n), n drawn from 16^(3/4), 1 and 81^(3/4): 8, 1 and 27 in 36."""
    outputs = system.output.detach().double().numpy()
    return 3 * sum(share * log_sigmoid(-hidden @ outputs[word])
                   for word, share in ((1, 8 / 36), (2, 1 / 36), (3, 27 / 36)))


BATCH = {"centres": torch.tensor([1, 3]), "sizes": torch.tensor([2, 1]),
         "contexts": torch.tensor([2, 3, 1])}


def amplified(system: Any) -> Any:
    """The same system with vectors far from zero, where all logistic terms are much alike."""
    with torch.no_grad():
        system.input.mul_(20.0)
        system.output.mul_(20.0)
    return system


def test_skip_grams_loss_is_equation_4() -> None:
    system = amplified(word2vec(skip_gram, SPEC)).eval()
    inputs, outputs = (part.detach().double().numpy() for part in (system.input, system.output))
    expected = -sum(log_sigmoid(inputs[centre] @ outputs[context])
                    + expected_noise(system, inputs[centre])
                    for centre, context in ((1, 2), (1, 3), (3, 1)))
    total, terms = system.loss(BATCH)
    assert total.item() == pytest.approx(expected, rel=1e-5) and terms == 3.0


def test_the_bag_of_words_predicts_from_the_mean() -> None:
    system = amplified(word2vec(bag_of_words, SPEC)).eval()
    inputs, outputs = (part.detach().double().numpy() for part in (system.input, system.output))
    expected = 0.0
    for contexts, centre in (([2, 3], 1), ([1], 3)):
        hidden = inputs[contexts].mean(0)
        expected -= log_sigmoid(hidden @ outputs[centre]) + expected_noise(system, hidden)
    total, terms = system.loss(BATCH)
    assert total.item() == pytest.approx(expected, rel=1e-5) and terms == 2.0


@pytest.mark.parametrize("module", [skip_gram, bag_of_words])
def test_shared_noise_words_estimate_the_expectation(module: Any) -> None:
    system = amplified(word2vec(module, SPEC, noise_words=20_000))
    exact = system.eval().loss(BATCH)[0].item()
    drawn = system.train().loss(BATCH)[0].item()
    assert drawn == pytest.approx(exact, rel=0.02) and drawn != exact


def test_rankings_loss_is_the_margin_of_the_true_window() -> None:
    system = rank(SPEC).eval()
    with torch.no_grad():
        system.embedding.mul_(30.0)
    batch = {"contexts": torch.tensor([[4, 1, 3, 2], [2, 2, 4, 4]]),
             "centres": torch.tensor([2, 1]), "noise": torch.tensor([3, 1])}
    part = {name: tensor.double().numpy() for name, tensor in system.state_dict().items()}

    def score(context: list[int], centre: int) -> float:
        hidden = part["context.bias"] + part["context.weight"] @ np.concatenate(
            [part["embedding"][word] for word in context])
        return float(part["score.weight"][0] @ np.tanh(
            hidden + part["centre.weight"] @ part["embedding"][centre]))

    margins = [1 - score([4, 1, 3, 2], 2) + score([4, 1, 3, 2], 3), 1.0]
    total, terms = system.loss(batch)
    assert total.item() == pytest.approx(sum(max(0.0, margin) for margin in margins), rel=1e-5)
    assert margins[0] > 0 and margins[0] != pytest.approx(1.0, abs=1e-3) and terms == 2.0


def test_cooccurrences_are_weighted_by_nearness_and_end_at_breaks() -> None:
    found = pmi_svd.cooccurrences(np.array([0, 1, 2, 0, -1, 2, -1]), 3, window=2).toarray()
    # 0-1 at distances 1 and 2, 1-2 at 1, 0-2 at 2 and 1: weights 1 and 1/2.
    assert found.tolist() == [[0.0, 1.5, 1.5], [1.5, 0.0, 1.0], [1.5, 1.0, 0.0]]


def test_pmi_by_hand() -> None:
    pairs = sparse.csr_array(np.array([[0.0, 4.0], [4.0, 8.0]]))
    found = pmi_svd.positive_pmi(pairs, 1.0, 1.0).toarray()
    # p(0, 1) / (p(0) p(1)) = (4/16) / (4/16 * 12/16); p(1, 1) gives (8/16) / (12/16)^2 < 1.
    assert found == pytest.approx(np.array([[0, math.log(4 / 3)], [math.log(4 / 3), 0]]))
    shifted = pmi_svd.positive_pmi(pairs, 1.0, 1.2).toarray()
    assert shifted[0, 1] == pytest.approx(math.log(4 / 3 / 1.2))
    smoothed = pmi_svd.positive_pmi(pairs, 0.5, 1.0).toarray()
    assert smoothed[0, 1] == pytest.approx(math.log((2 + 12**0.5) / 12**0.5))


def test_the_reduction_is_the_best_of_its_rank() -> None:
    dense = np.random.default_rng(0).normal(size=(12, 12))
    dense = np.maximum(dense + dense.T, 0)
    found = pmi_svd.reduced(sparse.csr_array(dense), 4, 1.0)
    left, values, _ = np.linalg.svd(dense)
    assert np.abs(found) == pytest.approx(np.abs(left[:, :4] * values[:4]), abs=1e-8)
    halved = pmi_svd.reduced(sparse.csr_array(dense), 4, 0.5)
    assert np.linalg.norm(halved, axis=0) == pytest.approx(values[:4] ** 0.5)


@pytest.mark.parametrize("make, least", [
    (lambda spec: word2vec(skip_gram, spec), 18), (lambda spec: word2vec(bag_of_words, spec), 18),
    (rank, 10), (count, 18)], ids=["skip-gram", "bag of words", "ranking", "PPMI"])
def test_words_of_like_contexts_become_neighbours(make: Any, least: int, tmp_path: Path) -> None:
    """Ten pairs of words that share their contexts: each finds its twin; by chance one would."""
    generator = np.random.default_rng(0)
    lines = [f"l{pair} {'xy'[side]}{pair} r{pair}" for pair, side in generator.integers(
        0, (10, 2), (900, 2))]
    reader = SimpleNamespace(
        sentences=lambda corpus, split: [Sentence(str(n), line.split(), cluster="b")
                                         for n, line in enumerate(lines)],
        word_tests=lambda corpus: WordTests({}, [], []))
    features.extract(features.Settings(min_count=1, rare_below=1), tmp_path, reader, tmp_path,
                     tmp_path)
    system = make(read_json(tmp_path / "spec.json"))
    system.fit(tmp_path, Run(seed=1, work=tmp_path / "work"))
    chosen = [f"{side}{pair}" for pair in range(10) for side in "xy"]
    places = [system.spec["words"].index(word) for word in chosen]
    space = Space(["<unk>", *chosen], np.vstack([np.ones((1, system.vectors().shape[1])),
                                                 system.vectors()[places]]))
    nearest = [found[0] for found in space.neighbours(chosen, 1)]
    right = sum(a[1:] == b[1:] for a, b in zip(chosen, nearest, strict=True))
    assert right >= least


def test_more_dimensions_than_words_are_refused(extracted: Path) -> None:
    system = count(read_json(extracted / "fit" / "spec.json"), 500)
    with pytest.raises(UserError, match="no 500 singular vectors"):
        system.fit(extracted / "fit", Run(seed=1, work=extracted / "work"))
    with pytest.raises(UserError, match="not been fitted"):
        system.vectors()


def test_vectors_of_another_size_are_refused(extracted: Path, tmp_path: Path) -> None:
    system = count(read_json(extracted / "fit" / "spec.json"))
    system.fitted = torch.zeros(3, 3)
    system.save(tmp_path)
    with pytest.raises(UserError, match="holds another system.*expected vectors of shape"):
        pmi_svd.PmiSvd.load(tmp_path)
