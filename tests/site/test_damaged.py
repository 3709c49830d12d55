"""Results that are damaged, or not of the suite as it is now: named, and the earlier site stays."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import UserError
from pipeline.site.building import render_site
from pipeline.site.code import Library
from pipeline.site.showpieces import showpieces
from pipeline.storage.files import read_json, write_json, write_text
from pipeline.suite.schema import Suite
from tests.conftest import ROOT
from tests.site.toy_site import site_suite, stub_bundle

Change = Callable[[Any], Any]
BOARD, CLAIMS = "leaderboards/yearly.json", "leaderboards/claims.json"
STUDY = "studies/yearly/network.training.epochs.json"
FIGURES = "figures/yearly/network"


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Suite:
    suite = site_suite(tmp_path_factory.mktemp("project"))
    stub_bundle(suite.places)
    render_site([suite], suite.places.root / "site")
    return suite


def refused(suite: Suite, name: str, content: bytes) -> str:
    """What is said where a file of the project holds this; the site there was is still whole."""
    path, site = suite.places.root / name, suite.places.root / "site"
    good = path.read_bytes()
    before = {file: file.read_bytes() for file in site.rglob("*") if file.is_file()}
    path.write_bytes(content)
    try:
        with pytest.raises(UserError) as caught:
            render_site([suite], site)
    finally:
        path.write_bytes(good)
    assert {file: file.read_bytes() for file in site.rglob("*") if file.is_file()} == before
    assert path.name in str(caught.value)
    return str(caught.value)


def at(*place: Any, value: Any) -> Change:
    def change(document: Any) -> Any:
        inner = document
        for part in place[:-1]:
            inner = inner[part]
        inner[place[-1]] = value
        return document

    return change


@pytest.mark.parametrize(("name", "change", "message"), [
    (BOARD, at("track", value="recall"), "track: not of the track 'yearly'"),
    (BOARD, at("task", value="memory"), "task: not of"),
    (BOARD, at("metric", value="beauty"), "metric: not of"),
    (BOARD, at("rows", 0, "system", value="gone"), "rows: not of"),
    (BOARD, at("rows", 0, "high", value=None), "rows: not of"),
    (BOARD, lambda board: {**board, "rows": 2 * board["rows"]}, "rows: not of"),
    (BOARD, at("pictures", value=["../../etc/passwd"]), "pictures: not of"),
    (CLAIMS, at(0, "values", value={}), "values: not what params.yaml states"),
    (CLAIMS, at(0, "metric", value="beauty"), "metric: not what"),
    (CLAIMS, at(0, "track", value="recall"), "track: not what"),
    (CLAIMS, at(0, "better", value="gone"), "better: not what"),
    (CLAIMS, at(0, "worse", value="gone"), "worse: not what"),
    (CLAIMS, at(0, "contrast", value={"better": "network", "worse": "smooth:ses"}),
     "contrast: not what"),
    (CLAIMS, at(0, "high", value=1.0), "high: not what"),
    (STUDY, at("points", value=[]), "points: no score is there"),
    (STUDY, at("points", 1, "scores", value={
        "other": {"value": 1.0, "low": None, "high": None}}), r"points\.1\.scores: its names"),
    ("features/recall/test/items.json", lambda items: items[:1], "is damaged.*features@recall"),
])
def test_what_does_not_fit_is_named_with_its_place(suite: Suite, name: str, change: Change,
                                                   message: str) -> None:
    document = change(read_json(suite.places.root / name))
    told = refused(suite, name, json.dumps(document).encode())
    assert re.search(message, told), told


@pytest.mark.parametrize("name", ["forecasts.png", "composition-1.wav"])
@pytest.mark.parametrize("content", [b"", b"no picture and no sound"])
def test_a_picture_or_sound_that_is_none_is_named(suite: Suite, name: str, content: bytes) -> None:
    told = refused(suite, f"{FIGURES}/{name}", content)
    assert "that can be shown" in told and "BytesIO" not in told


def test_of_the_projects_pictures_those_that_are_not_here_are_left_out(tmp_path: Path) -> None:
    shown = read_json(ROOT / "docs/pictures/shown.json")
    write_json(tmp_path / "docs/pictures/shown.json", shown)
    (tmp_path / shown[2]["picture"]).parent.mkdir(parents=True)
    (tmp_path / shown[2]["picture"]).write_bytes((ROOT / shown[2]["picture"]).read_bytes())
    assert [one.about for one in showpieces(tmp_path).pictures] == [shown[2]]


def test_a_link_to_a_track_that_has_no_page_is_none(suite: Suite, tmp_path: Path) -> None:
    """The project's sentence and pictures are of tracks that another suite may not have."""
    folder = suite.places.root / "docs/pictures"
    for name in ("shown.json", "sentence.json"):
        write_text(folder / name, (ROOT / "docs/pictures" / name).read_text("utf-8"))
    (folder / "carry.png").write_bytes((ROOT / "docs/pictures/carry.png").read_bytes())
    render_site([suite], tmp_path / "site")
    front = (tmp_path / "site/index.html").read_text("utf-8")
    assert "pictures/pictures-carry.png" in front and "embedded/tracks/addition.html" not in front
    assert 'id="sentence"' in front and "embedded/tracks/asr.html" not in front


@pytest.mark.parametrize(("text", "message"), [
    (b"def f(:\n", r"pipeline/nn/odd\.py, line 1: this is no Python"),
    (b"# \xff\n", r"pipeline/nn/odd\.py, line 1: byte 2 is not UTF-8")])
def test_code_that_is_no_python_is_named(tmp_path: Path, text: bytes, message: str) -> None:
    (tmp_path / "pipeline/nn").mkdir(parents=True)
    (tmp_path / "pipeline/nn/odd.py").write_bytes(text)
    with pytest.raises(UserError, match=message):
        module = Library(tmp_path).module("pipeline.nn.odd")
        assert module is not None and module.imports


def test_a_sentence_has_a_time_for_each_word(tmp_path: Path) -> None:
    heard = read_json(ROOT / "docs/pictures/sentence.json")
    write_json(tmp_path / "docs/pictures/shown.json", [])
    wrongs: list[dict[str, Any]] = [
        {"ends": heard["ends"][1:]}, {"words": [], "begins": [], "ends": []}]
    for wrong in wrongs:
        write_json(tmp_path / "docs/pictures/sentence.json", {**heard, **wrong})
        with pytest.raises(UserError, match=r"sentence\.json.*has to have its begin and end"):
            showpieces(tmp_path)
