"""What removed entries have left behind: named, removed, and nothing else with it."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from pipeline.commands.leftovers import leftovers
from pipeline.errors import UserError
from pipeline.provenance.lock import read_lock
from pipeline.storage.files import write_json, write_text
from pipeline.suite.schema import Suite, load
from tests.toy_project import REAL
from tests.written_lock import write_lock

# Beside what stays, a corpus, a track of it with a system, and a system of a track that stays.
BEFORE = REAL.replace("corpora:\n", "corpora:\n  away: {module: m4, frequencies: [Yearly], "
                                    "twin: {seed: 3, series: 12}}\n")
BEFORE = BEFORE.replace("tracks:\n", """tracks:
  lost: {title: Lost, task: forecast, corpus: away, metric: smape, features: {frequency: Yearly}}
""").replace("systems:\n", """systems:
  simple-gone: {track: yearly, model: statistical, ets: ZZZ, variants: {naive: {method: naive}}}
  alone: {track: lost, model: statistical, ets: ZZZ, variants: {naive: {method: naive}}}
""")
STAYS = ("curves/none.json", "leaderboards/README.md", "leaderboards/claims.json", "tests.json")


def results(suite: Suite) -> list[Path]:
    """A file for everything that the entries of a suite have."""
    places = suite.places
    found = [places.base / name for name in STAYS]
    found += [places.data(corpus) / "text" for corpus in suite.corpora]
    for track in suite.tracks:
        found += [places.fit(track) / "spec.json", places.board(track), places.page(track),
                  places.pictures(track) / "intervals.svg", places.seeds(track) / ".gitkeep"]
        for key in suite.systems_of(track):
            found += [places.model(key) / "system.json", places.metrics(track, key),
                      places.cost(track, key, "train"), places.curve(track, key),
                      places.answers(track, key, "naive"), places.figures(track, key) / "a.png",
                      places.seed_record(track, key, "naive", "0" * 16, 2),
                      places.all_checkpoints(key) / "1/weights"]
    return found


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose suite once had more entries, each with its files and stages."""
    params = tmp_path / "real/params.yaml"
    write_text(params, BEFORE)
    for path in results(load(params)):
        write_text(path, path.name)
    write_lock(load(params))
    write_text(tmp_path / "real/models/.gitignore", "/simple\n/simple-gone\n/alone\n")
    write_text(params, REAL)
    return tmp_path


def files(project: Path) -> set[Path]:
    return {path for path in project.rglob("*") if path.is_file() and path.name != ".gitignore"}


def test_what_is_left_over_is_named_and_stays(project: Path) -> None:
    before = files(project)
    lines = list(leftovers(project / "real/params.yaml", False))
    assert files(project) == before
    assert lines[-1].startswith("'--remove' removes them")
    assert {line.removeprefix("left over: ") for line in lines[:-1]} == {
        *(f"real/{folder}/lost" for folder in ("metrics", "curves", "predictions", "costs",
                                               "figures", "seeds", "features", "leaderboards")),
        "real/leaderboards/lost.md", "real/leaderboards/lost.json", "real/data/away",
        "real/models/alone", "real/models/simple-gone", "work/checkpoints/real/alone",
        "work/checkpoints/real/simple-gone", "real/metrics/yearly/simple-gone.json",
        "real/curves/yearly/simple-gone.json", "real/costs/yearly/simple-gone.train.json",
        *(f"real/{folder}/yearly/simple-gone" for folder in ("predictions", "figures", "seeds")),
        *(f"{stage} of dvc.lock" for stage in (
            "download@away", "features@lost", "leaderboard@lost", "train@alone", "evaluate@alone",
            "train@simple-gone", "evaluate@simple-gone"))}


def test_it_goes_and_all_else_stays_to_the_byte(project: Path) -> None:
    params = project / "real/params.yaml"
    suite = load(params)
    lock, stay = suite.places.lock, {params, suite.places.lock, *results(suite)}
    kept = {path: path.read_bytes() for path in stay - {lock}}
    wanted = YAML().load(lock.read_text())
    for name in ("download@away", "features@lost", "leaderboard@lost", "train@alone",
                 "evaluate@alone", "train@simple-gone", "evaluate@simple-gone"):
        del wanted["stages"][name]
    list(leftovers(params, True))
    assert {path: path.read_bytes() for path in files(project) - {lock}} == kept
    YAML().dump(wanted, project / "wanted")
    assert lock.read_text() == (project / "wanted").read_text()
    assert (project / "real/models/.gitignore").read_text() == "/simple\n"
    assert list(leftovers(params, True)) == ["nothing is left over"]


def test_the_page_of_studies_forgets_those_that_go(project: Path) -> None:
    suite = load(project / "real/params.yaml")
    study = {"track": "yearly", "system": "simple", "setting": "ets", "measure": "loss",
             "stands": "ZZZ", "version": "0" * 16, "points": [
                 {"value": "ZZZ", "scores": {"loss": {"value": 1.0, "low": None, "high": None}},
                  "counts": {}, "parameters": 1}]}
    for system in ("simple", "simple-gone"):
        write_json(suite.places.study("yearly", system, "ets"), study | {"system": system})
    page = suite.places.studies / "README.md"
    write_text(page, "simple-gone")
    list(leftovers(project / "real/params.yaml", True))
    assert "simple" in page.read_text() and "simple-gone" not in page.read_text()
    suite.places.study("yearly", "simple", "ets").rename(
        suite.places.study("yearly", "renamed", "ets"))
    list(leftovers(project / "real/params.yaml", True))
    assert not page.exists()


def test_nothing_goes_while_a_name_is_misspelt(project: Path) -> None:
    params, before = project / "real/params.yaml", files(project)
    write_text(params, REAL.replace("track: yearly\n    model", "track: yearlie\n    model"))
    with pytest.raises(UserError, match="no track 'yearlie'; did you mean 'yearly'"):
        list(leftovers(params, True))
    assert files(project) == before


def test_a_lock_of_another_form_is_left_as_it_is(project: Path) -> None:
    params = project / "real/params.yaml"
    lock = load(params).places.lock
    text = lock.read_text().replace("  train@alone:\n", '  "train@alone":\n')
    write_text(lock, text)
    assert "train@alone" in read_lock(lock)
    before = files(project)
    with pytest.raises(UserError, match="take .*train@alone.* out by hand"):
        list(leftovers(params, True))
    assert lock.read_text() == text and files(project) == before
