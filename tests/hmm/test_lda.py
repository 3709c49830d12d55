"""Linear discriminant analysis against scikit-learn, and splicing by hand."""

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from pipeline.hmm.lda import discriminants, spliced


def test_frames_are_spliced_within_their_utterance() -> None:
    frames = np.array([[1, -1], [2, -2], [3, -3], [9, -9]], np.float32)
    found = spliced(frames, np.array([0, 3, 4]), 1)
    assert found.tolist() == [[1, -1, 1, -1, 2, -2], [1, -1, 2, -2, 3, -3], [2, -2, 3, -3, 3, -3],
                              [9, -9, 9, -9, 9, -9]]
    assert found.dtype == np.float32
    assert spliced(frames, np.array([0, 3, 4]), 0).tolist() == frames.tolist()


def some_classes(seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    classes = random.integers(0, 5, 400)
    mixing = random.normal(size=(4, 4))
    return (random.normal(size=(400, 4)) @ mixing + random.normal(0, 2, (5, 4))[classes] + 50,
            classes)


@pytest.mark.parametrize("seed", [1, 2])
def test_directions_are_those_of_scikit_learn(seed: int) -> None:
    frames, classes = some_classes(seed)
    found = discriminants(frames, classes, 3)
    peer = LinearDiscriminantAnalysis(solver="eigen").fit(frames, classes).scalings_.T[:3]
    assert np.abs((found / peer) / (found / peer)[:, :1] - 1).max() < 1e-6
    assert (found[np.arange(3), np.abs(found).argmax(axis=1)] > 0).all()


def test_what_is_within_classes_becomes_white() -> None:
    frames, classes = some_classes(3)
    projected = frames @ discriminants(frames, classes, 4).T
    means = np.array([projected[classes == k].mean(axis=0) for k in range(5)])[classes]
    centred = projected - means
    np.testing.assert_allclose(centred.T @ centred / 400, np.eye(4), atol=1e-9)
    between = means.var(axis=0).tolist()
    assert between == sorted(between, reverse=True)


def test_frames_without_class_count_for_nothing() -> None:
    frames, classes = some_classes(4)
    more = np.concatenate([frames, 1000 * np.ones((3, 4))])
    np.testing.assert_allclose(discriminants(more, np.append(classes, [-1, -1, -1]), 2),
                               discriminants(frames, classes, 2))


def test_too_few_dimensions_and_constant_ones_are_refused() -> None:
    frames, classes = some_classes(5)
    with pytest.raises(ValueError, match="4 dimensions hold no 5"):
        discriminants(frames, classes, 5)
    with pytest.raises(ValueError, match="do not vary in every direction"):
        discriminants(np.concatenate([frames, np.zeros((400, 1))], axis=1), classes, 2)
