"""The one file that says which test items belong together, and who must heed it."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.running import evaluation
from pipeline.running.evaluation import Scorer
from pipeline.scoring.item_clusters import NAME, alone, clusters_of, write_clusters
from pipeline.scoring.scores import ItemStatistics


def test_clusters_come_back_in_the_order_of_the_items(tmp_path: Path) -> None:
    write_clusters(tmp_path, {"a": "mary", "b": "john", "c": "mary", **alone(["d"])})
    assert clusters_of(tmp_path, ["d", "c", "b", "a"]) == ["d", "mary", "john", "mary"]


@pytest.mark.parametrize("ids", [["a"], ["a", "b", "c"], ["a", "c"]])
def test_other_items_are_named(tmp_path: Path, ids: list[str]) -> None:
    write_clusters(tmp_path, {"a": "x", "b": "x"})
    with pytest.raises(UserError, match=f"{NAME} and the test items differ, .* in '[bc]'"):
        clusters_of(tmp_path, ids)


@pytest.mark.parametrize("content", ["[1]", '{"a": 1}', "{"])
def test_damage_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / NAME).write_text(content)
    with pytest.raises(UserError, match=NAME):
        clusters_of(tmp_path, ["a"])


@pytest.mark.parametrize("groups", [[], ["mary", "mary", "john"]])
def test_evaluation_refuses_a_scoring_that_ignores_clusters(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, groups: list[str]) -> None:
    write_clusters(tmp_path, {"a": "mary", "b": "john", "c": "mary"})
    right = ["mary", "john", "mary"]
    scorer = Scorer("any", "track", "wer", resamples=10, seed=1)
    for given in (right, groups):
        task = SimpleNamespace(score=lambda found, test, given=given: ItemStatistics(
            ["a", "b", "c"], {"n": np.ones(3)}, given))
        monkeypatch.setattr(evaluation, "task_module", lambda *_, task=task: task)
        if given == right:
            assert scorer.statistics([], tmp_path).groups == right
        else:
            with pytest.raises(ValueError, match="other groups of items than .*clusters.json"):
                scorer.statistics([], tmp_path)
