"""The site's pages as they are written: every link leads somewhere, nothing is taken as HTML."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.site import bundle
from pipeline.site.building import Written, render_site
from pipeline.site.bundle import bundled
from pipeline.site.templates import spec
from pipeline.storage.files import read_json
from pipeline.suite.places import Places
from pipeline.suite.schema import Suite
from tests.conftest import ROOT
from tests.site.toy_site import SCRIPT, site_suite, stub_bundle
from tests.site.written import Page, followed


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Suite:
    suite = site_suite(tmp_path_factory.mktemp("project"))
    stub_bundle(suite.places)
    return suite


@pytest.fixture(scope="module")
def site(suite: Suite) -> Path:
    folder = suite.places.root / "site"
    render_site([suite], folder)
    return folder


def test_every_link_leads_to_a_file_of_the_site_and_a_place_in_it(site: Path) -> None:
    assert followed(site) > 100


def test_every_link_of_the_pages_of_real_results_leads_somewhere(real_site: Path) -> None:
    assert followed(real_site) > 3000


def test_pages_of_real_results_have_each_part_and_are_small(real_written: Written) -> None:
    """What a track's page is for: each part is there, of every track that has been run."""
    site = real_written.front.parent
    assert real_written.bytes < 15_000_000
    tracks = sorted((site / "real/tracks").glob("*.html"))
    assert len(tracks) == len(list((ROOT / "real/leaderboards").glob("*.json"))) - 1
    for path in tracks:
        page = Page(path)
        assert {"board", "compared", "answers", "figures", "rows", "behind"} <= set(page.ids), path
        rows = page.text[page.text.index('id="rows"'):]
        details = rows.count("<details id=")
        assert details >= 2, path
        for words in ("<h3>Settings</h3>", "dvc repro ", "unrolled predict "):
            assert rows.count(words) >= details, (path, words)
        assert 'class="sortable"' in page.text and 'class="dot"' in page.text, path
        assert "Quality against cost" in page.text and 'class="card sample"' in page.text, path


def test_answers_and_titles_are_text_and_no_html(site: Path) -> None:
    page = Page(site / "embedded/tracks/recall.html")
    assert SCRIPT not in page.text and "<b>more</b>" not in page.text
    assert "&lt;script&gt;document.title" in page.text
    assert "Recall &amp; &lt;b&gt;more&lt;/b&gt;" in page.text
    assert page.tags.count("b") == 0
    samples = Page(site / "embedded/tracks/yearly.html")
    assert SCRIPT not in samples.text and "&lt;script&gt;document.title" in samples.text


def test_a_chart_cannot_end_its_script_element() -> None:
    shown = spec({"title": "</script><script>alert(1)</script><!--"})
    assert "<" not in shown and ">" not in shown
    assert json.loads(shown)["title"] == "</script><script>alert(1)</script><!--"


def test_a_board_shows_the_numbers_of_the_leaderboard(site: Path, suite: Suite) -> None:
    page = Page(site / "embedded/tracks/yearly.html")
    text = re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", page.text))
    markdown = suite.places.page("yearly").read_text("utf-8")
    (line,) = [line for line in markdown.splitlines() if re.match(r"\| +– \| network ", line)]
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert cells[2:4] == ["0.500", "0.400 to 0.600"]
    assert "– network 0.500 0.400 to 0.600" in text
    assert "Oracle|X" in text and "0.700" in text
    assert "ceiling of the corpus 0.400" in text


def test_a_wrong_answer_is_marked_and_rows_that_say_the_same_stand_together(site: Path) -> None:
    text = re.sub(r"\s+", " ", (site / "embedded/tracks/recall.html").read_text("utf-8"))
    # The right answer of the third item is c: one row says so, the other a script.
    third = text[text.index("<h3>test-2</h3>"):text.index("<h3>test-3</h3>")]
    assert re.search(r'<span data-system="memory-a">memory-a</span></span> <span class="said">'
                     r"<mark>&lt;script&gt;", third)
    assert re.search(r'data-system="memory-b">memory-b</span></span> <span class="said">c\s*<',
                     third)
    assert "100.00" in third and ">0.00<" in third
    first = text[text.index("<h3>test-0</h3>"):text.index("<h3>test-1</h3>")]
    assert first.count('<li data-right="yes">') == 1 and first.count("data-system") == 2
    assert third.index('<li data-right="no">') < third.index("memory-a</span></span>")


def test_a_picture_that_is_missing_is_said_and_not_broken(tmp_path: Path) -> None:
    suite = site_suite(tmp_path)
    stub_bundle(suite.places)
    board = read_json(suite.places.board("recall"))
    assert "by-lag-accuracy" in board["pictures"]
    (suite.places.pictures("recall") / "by-lag-accuracy.svg").unlink()
    render_site([suite], tmp_path / "site")
    page = Page(tmp_path / "site/embedded/tracks/recall.html")
    assert "by-lag-accuracy.svg</code> is not here" in page.text
    assert not [link for link in page.links if link.endswith(".svg")]
    assert "No figures are here of memory-a, memory-b" in page.text


def test_a_clone_without_predictions_says_how_to_make_them(tmp_path: Path) -> None:
    suite = site_suite(tmp_path)
    stub_bundle(suite.places)
    for folder in (suite.places.all_predictions, tmp_path / "figures", tmp_path / "features"):
        shutil.rmtree(folder)
    render_site([suite], tmp_path / "site")
    text = (tmp_path / "site/embedded/tracks/yearly.html").read_text("utf-8")
    assert "predictions are not here; <code>unrolled repro --track yearly</code>" in text
    assert "No figures are here of network, smooth" in text


def test_real_items_are_not_shown_even_where_features_are_here(tmp_path: Path) -> None:
    suite = site_suite(tmp_path).model_copy(update={"evidence": "run"}).placed(tmp_path)
    stub_bundle(suite.places)
    render_site([suite], tmp_path / "site")
    text = (tmp_path / "site/embedded/tracks/recall.html").read_text("utf-8")
    assert "belong to the corpus's publisher and are not shown" in text
    assert "<dt>right</dt>" not in text and "<mark>" not in text


def test_a_second_call_replaces_the_site_and_leaves_what_others_put_there(suite: Suite,
                                                                         tmp_path: Path) -> None:
    folder = tmp_path / "site"
    first = render_site([suite], folder)
    (folder / "mine.txt").write_text("keep")
    (folder / "embedded/tracks/yearly.html").write_text("old")
    assert render_site([suite], folder) == first
    assert (folder / "mine.txt").read_text() == "keep"
    assert (folder / "embedded/tracks/yearly.html").read_text("utf-8") != "old"


def test_a_folder_with_something_else_is_refused(suite: Suite, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(UserError, match="holds something that is no site"):
        render_site([suite], tmp_path)
    assert (tmp_path / "thesis.tex").read_text() == "mine"


def test_two_renderings_are_the_same_bytes(suite: Suite, tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    render_site([suite], one)
    render_site([suite], other)
    for path in sorted(path for path in one.rglob("*") if path.is_file()):
        assert path.read_bytes() == (other / path.relative_to(one)).read_bytes(), path


def test_without_npm_the_remedy_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="npm is not installed.*install Node.js 18"):
        bundled(Places(tmp_path))


def test_a_failing_npm_is_quoted_and_leaves_no_half_bundle(tmp_path: Path,
                                                           monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "npm").write_text("#!/bin/sh\necho no such registry; exit 1\n")
    (tmp_path / "npm").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    places = Places(tmp_path / "project")
    with pytest.raises(UserError, match="'npm ci' says: no such registry; 'npm ping' tells"):
        bundled(places)
    assert list((places.work / "site").iterdir()) == []


def test_packages_are_pinned_by_hash_and_name_no_host() -> None:
    lock = read_json(bundle.WEB / "package-lock.json")
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert len(packages) > 50
    assert all(entry["integrity"].startswith("sha512-") for entry in packages.values())
    assert not any("resolved" in entry for entry in packages.values())
    manifest = read_json(bundle.WEB / "package.json")
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for kind in
               ("dependencies", "devDependencies") for version in manifest[kind].values())


def test_the_command_says_what_it_wrote_and_refuses_a_suite_without_results(
        tmp_path: Path) -> None:
    def site(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-m", "pipeline", "site", *arguments], cwd=ROOT,
                              capture_output=True, text=True)

    done = site("large", "--output", str(tmp_path / "site"))
    assert done.returncode == 2 and "no leaderboard" in done.stderr, done.stderr
    assert "unrolled repro --suite large" in done.stderr
    assert not (tmp_path / "site").exists()
