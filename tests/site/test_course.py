"""The course's pages: links lead into the site, or say where in the repository something is."""

import re
from pathlib import Path

import pytest

from pipeline.site.building import render_site
from pipeline.suite.schema import Suite
from tests.site.toy_site import site_suite, stub_bundle
from tests.site.written import followed

INDEX = """# The course

[Deck](course/deck.md), [settings](../params.yaml), [`params.yaml`](../params.yaml),
[a paper](https://example.org/paper), [claims](../leaderboards/README.md#claims).
"""
DECK = """# A deck

## Smoothing & <b>more</b>

```math
\\alpha < 1 & \\beta
```

- **Code**: [`nn/attention.py`](../../pipeline/nn/attention.py)
- **Track**: [`yearly`](../../leaderboards/yearly.md)
  ([figure](../../leaderboards/yearly/intervals.svg)), [other](../../leaderboards/none.md)
- **Claims** of [forecasting](../../leaderboards/README.md#forecasting)
- [A notebook](../notebooks/deck.ipynb), [studies](../../studies/README.md)

![Intervals](../../leaderboards/yearly/intervals.svg)

<details><summary>Is it
`true`?</summary>

Yes, **it** is.

</details>

## Smoothing & <b>more</b>

[Contents](../COURSE.md), [above](#smoothing--bmoreb)
"""


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Suite:
    suite = site_suite(tmp_path_factory.mktemp("project"))
    stub_bundle(suite.places)
    docs = suite.places.root / "docs"
    (docs / "course").mkdir(parents=True)
    (docs / "COURSE.md").write_text(INDEX, "utf-8")
    (docs / "course/deck.md").write_text(DECK, "utf-8")
    render_site([suite], suite.places.root / "site")
    return suite


@pytest.fixture(scope="module")
def deck(suite: Suite) -> str:
    return (suite.places.root / "site/course/deck.html").read_text("utf-8")


def test_every_link_of_the_course_leads_somewhere(suite: Suite) -> None:
    assert followed(suite.places.root / "site") > 100


@pytest.mark.parametrize("text, address", [
    ("<code>nn/attention.py</code>", "../_code/pipeline.nn.attention.html"),
    ("<code>yearly</code>", "../embedded/tracks/yearly.html"),
    ("figure", "../course/pictures/leaderboards-yearly-intervals.svg"),
    ("studies", "../embedded/studies.html"),
    ("Contents", "../course/index.html"),
    ("above", "#smoothing--bmoreb")])
def test_a_link_leads_to_the_page_that_the_site_has(deck: str, text: str, address: str) -> None:
    assert f'<a href="{address}">{text}</a>' in deck


def test_what_has_no_page_is_named_by_its_place_in_the_repository(suite: Suite,
                                                                  deck: str) -> None:
    for text, name in (("A notebook", "docs/notebooks/deck.ipynb"),
                       ("other", "leaderboards/none.md")):
        assert re.search(rf"<span>{text}</span> <span class=.elsewhere.>\(<code>{name}</code> "
                         r"in the repository\)", deck)
    index = (suite.places.root / "site/course/index.html").read_text("utf-8")
    assert "<code>params.yaml</code></span> <span class=\"elsewhere\">(in the repository)" in index
    assert "<code>https://example.org/paper</code>" in index and 'href="https' not in index


def test_an_equation_a_picture_and_a_folded_answer_are_kept(deck: str) -> None:
    assert r"<code>\alpha &lt; 1 &amp; \beta</code></div>" in deck
    assert '<img src="../course/pictures/leaderboards-yearly-intervals.svg" alt="Intervals"' in deck
    assert "<summary>Is it <code>true</code>?</summary><p>Yes, <strong>it</strong> is.</p>" in deck
    assert "<b>more" not in deck


def test_topics_of_one_name_are_told_apart_and_listed(deck: str) -> None:
    assert 'id="smoothing--bmoreb"' in deck and 'id="smoothing--bmoreb-1"' in deck


def test_a_project_without_a_course_has_none(tmp_path: Path) -> None:
    suite = site_suite(tmp_path)
    stub_bundle(suite.places)
    render_site([suite], tmp_path / "site")
    assert not (tmp_path / "site/course").exists()
    assert "course" not in (tmp_path / "site/index.html").read_text("utf-8").partition("<main")[0]
