"""The site in a browser: charts drawn, sound played, tables sorted by keyboard, no barrier.

One start of Chromium looks at every kind of page: of a toy project, and of the committed results of
`real/`, where a stranger's clicks are followed one by one.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.site.building import render_site
from pipeline.site.bundle import bundled
from pipeline.site.charts import paths
from pipeline.site.templates import spec
from pipeline.suite.places import Places
from tests.conftest import ROOT
from tests.site.browser import Browser, browser
from tests.site.toy_site import site_suite

PAGES = ["index.html", "methods.html", "embedded/index.html", "embedded/claims.html",
         "embedded/studies.html", "embedded/tracks/yearly.html", "embedded/tracks/recall.html"]
REAL_PAGES = ["index.html", "methods.html", "course/index.html", "real/index.html",
              "course/4-encoder-decoder-attention.html", "real/claims.html",
              "_code/pipeline.nn.attention.html", "real/tracks/asr-an4.html",
              "real/tracks/forecast-weekly.html", "real/tracks/tagging-upos.html"]
OPEN_ALL = "document.querySelectorAll('details').forEach(one => one.open = true)"
# Charts are drawn when they come into view.
DRAWN = """(() => { const next = [...document.querySelectorAll('figure.vega')].find(
    one => one.dataset.drawn !== 'yes'); next?.scrollIntoView({behavior: 'instant'});
    return !next; })()"""
AXE = """axe.run(document, {preload: false, resultTypes: ['violations']}).then(found =>
    found.violations.map(one => [one.id, one.help,
                                 ...one.nodes.slice(0, 3).map(node => node.html)].join(' ')))"""
TOO_WIDE = """document.documentElement.scrollWidth <= innerWidth ? [] : ['too wide', ...[
    ...document.querySelectorAll('*')].filter(one =>
        one.getBoundingClientRect().right > innerWidth + 1 && !one.closest('.scroll, pre, [hidden]')
    ).map(one => one.outerHTML.slice(0, 200)).slice(0, 3)]"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("npm") is None:
        pytest.skip("PAGES NOT LOOKED AT: npm is not installed")
    suite = site_suite(tmp_path_factory.mktemp("project"))
    # What npm brings is kept for the next run of the tests.
    bundled(Places(ROOT))
    suite.places.work.mkdir()
    (suite.places.work / "site").symlink_to(ROOT / "work" / "site")
    render_site([suite], suite.places.root / "site")
    return suite.places.root / "site"


@pytest.fixture(scope="module")
def page(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("PAGES NOT LOOKED AT: no Chromium is installed")
    with browser(program, tmp_path_factory.mktemp("browser")) as found:
        yield found


def test_every_kind_of_page_has_its_charts_and_no_barrier_and_no_error(page: Browser,
                                                                      site: Path) -> None:
    axe = (bundled(Places(ROOT)) / "node_modules/axe-core/axe.min.js").read_text("utf-8")
    charts = 0
    for name, scheme in [*((name, "light") for name in PAGES), (PAGES[-2], "dark"),
                         ("index.html", "dark")]:
        page.open(site / name, scheme=scheme)
        page.ask(OPEN_ALL)
        page.until(DRAWN)
        assert page.ask("document.querySelectorAll('figure.vega svg.marks').length") == \
            page.ask("document.querySelectorAll('figure.vega').length")
        charts += page.ask("document.querySelectorAll('figure.vega svg.marks path').length")
        page.ask(axe)
        assert page.ask(AXE) == [], (name, scheme)
    assert charts > 20
    assert page.problems == []
    assert [address for address in page.asked if not address.startswith(("file:", "data:"))] == []
    assert page.ask("document.title").startswith("Recurrent networks")


def test_pages_of_real_results_have_no_barrier_and_no_error(page: Browser, real_site: Path) -> None:
    axe = (bundled(Places(ROOT)) / "node_modules/axe-core/axe.min.js").read_text("utf-8")
    page.asked.clear()
    for name in REAL_PAGES:
        page.open(real_site / name)
        page.until(DRAWN)
        page.ask(axe)
        assert page.ask(AXE) == [], name
        page.open(real_site / name, width=360, scheme="dark")
        page.until(DRAWN)
        assert page.ask(TOO_WIDE) == [], name
    assert page.problems == []
    assert [address for address in page.asked if not address.startswith(("file:", "data:"))] == []


def test_a_narrow_screen_cuts_nothing(page: Browser, site: Path) -> None:
    for name in PAGES:
        page.open(site / name, width=360)
        page.ask(OPEN_ALL)
        page.until(DRAWN)
        assert page.ask(TOO_WIDE) == [], name
        # What is wider than the screen can be moved, also by keyboard.
        assert page.ask("""[...document.querySelectorAll('.scroll, pre')].filter(one =>
            one.scrollWidth > one.clientWidth && (one.tabIndex < 0
            || getComputedStyle(one).overflowX !== 'auto')).length""") == 0


def test_a_table_sorts_by_keyboard_and_says_so(page: Browser, site: Path) -> None:
    page.open(site / "embedded/tracks/yearly.html")
    column = """[...document.querySelectorAll('#board + div table tbody tr')].map(row =>
        row.querySelector('th').textContent.trim())"""
    names = ["ceiling of the corpus", "network", "Oracle|X", "smooth:holt", "smooth:ses"]
    assert page.ask(column) == names
    page.ask("document.querySelector('#board + div th button').focus()")
    page.press("Tab")
    assert page.ask("document.activeElement.textContent") == "system"
    page.press("Enter", "\r")
    assert page.ask(column) == sorted(names, key=str.lower)
    assert page.ask("document.activeElement.parentElement.getAttribute('aria-sort')") == "ascending"
    page.press("Enter", "\r")
    assert page.ask(column) == sorted(names, key=str.lower, reverse=True)
    assert page.ask("document.querySelectorAll('[aria-sort]').length") == 1
    assert page.ask("document.querySelector('[data-sorted]').textContent") == \
        "Sorted by system, descending."


def test_answers_are_filtered_by_words_and_by_system(page: Browser, site: Path) -> None:
    page.open(site / "embedded/tracks/recall.html")
    shown = "[...document.querySelectorAll('[data-card]')].filter(one => !one.hidden).length"
    assert page.ask(shown) == 4
    page.ask("""(() => { const box = document.querySelector('[data-filter] input[type=search]');
        box.value = 'TAKEN over'; box.dispatchEvent(new Event('input', {bubbles: true})); })()""")
    assert page.ask(shown) == 1
    assert page.ask("document.querySelector('[data-count]').textContent") == "1 of 4 shown"
    page.ask("document.querySelector('input[value=memory-a]').click()")
    answers = "[...document.querySelectorAll('.answers li')].filter(one => one.offsetParent).length"
    assert page.ask(answers) == 1
    assert page.ask("document.title") == "Recall & <b>more</b> · Unrolled"


def test_sound_plays(page: Browser, site: Path) -> None:
    page.open(site / "embedded/tracks/yearly.html")
    page.ask(OPEN_ALL)
    assert page.ask("document.querySelectorAll('audio').length") == 1
    page.ask("""new Promise((done, failed) => { const sound = document.querySelector('audio');
        sound.ontimeupdate = () => sound.currentTime > 0 && done(true);
        sound.onerror = () => failed(new Error(sound.error.message)); sound.play(); })""")
    assert abs(page.ask("document.querySelector('audio').duration") - 1) < 0.2


def link(text: str, within: str = "main") -> str:
    """An expression that finds the first link whose text is this one."""
    return (f"[...document.querySelectorAll({json.dumps(within + ' a')})].find(one => "
            f"one.textContent.trim() === {json.dumps(text)})")


LECTURE = "#lecture-attention"
TOPIC = "document.getElementById('attention')"


def to_the_topic(page: Browser, site: Path) -> None:
    page.open(site / "index.html")
    page.follow(link("Attention", LECTURE))


def test_a_stranger_reads_on_the_first_screen_what_the_project_is(page: Browser,
                                                                  real_site: Path) -> None:
    page.open(real_site / "index.html")
    seen = """[...document.querySelectorAll('h1, .lead, .way h2, .way p')].filter(one => {
        const box = one.getBoundingClientRect(); return box.top >= 0 && box.bottom <= innerHeight;
        }).map(one => one.textContent).join(' ')"""
    told = " ".join(page.ask(seen).split())
    for words in ("recurrent network", "better, by how much, and how surely", "lecture", "claims",
                  "You are learning", "You are teaching", "You are building", "make repro"):
        assert words in told, (words, told)


def test_the_first_click_leads_to_attention_with_its_equation(page: Browser,
                                                              real_site: Path) -> None:
    to_the_topic(page, real_site)
    assert page.ask(f"{TOPIC}.textContent") == "Attention"
    page.until(f"Math.abs({TOPIC}.getBoundingClientRect().top) < 100")
    page.until(f"{TOPIC}.nextElementSibling.querySelector('math msub') !== null")
    shown = page.ask(f"{TOPIC}.nextElementSibling.querySelector('math').textContent")
    assert "softmax" in shown and "tanh" in shown and "\\mathrm" not in page.ask(
        f"{TOPIC}.nextElementSibling.querySelector('mrow').textContent")


def test_the_second_click_leads_to_attentions_code(page: Browser, real_site: Path) -> None:
    to_the_topic(page, real_site)
    page.follow(link("nn/attention.py"))
    assert page.ask("document.querySelector('h1').textContent") == "nn.attention"
    assert "class AdditiveAttention" in page.ask("document.querySelector('pre.code').textContent")


def test_the_second_click_leads_to_attentions_figure(page: Browser, real_site: Path) -> None:
    to_the_topic(page, real_site)
    page.follow(f"[...{TOPIC}.parentElement.querySelectorAll('h2#attention ~ ul a')].find(one => "
                "one.textContent === 'figure')")
    assert page.ask("document.documentElement.tagName") == "svg"
    assert page.ask("document.documentElement.getBoundingClientRect().width") > 300


def test_a_click_leads_to_attentions_claims_with_what_was_found(page: Browser,
                                                                real_site: Path) -> None:
    page.open(real_site / "index.html")
    page.follow(link("real", LECTURE))
    assert page.ask("location.hash") == LECTURE
    cards = "document.querySelectorAll('section[aria-labelledby=lecture-attention] article.claim')"
    assert page.ask(f"{cards}.length") > 0
    assert page.ask(f"[...{cards}].every(one => one.querySelector('.verdict') && "
                    "/Effect [+-]/.test(one.textContent) && one.querySelectorAll('a').length > 2)")
    # The third click leads to a row that the claim compares.
    page.follow(f"{cards}[0].querySelector('a code').parentElement")
    row = page.ask("decodeURIComponent(location.hash.slice(1))")
    assert page.ask(f"document.getElementById({json.dumps(row)}).open")


def heard(page: Browser, button: str) -> None:
    """Press a word, hear it, and see it lit up while it sounds and dark again after it."""
    page.click(button)
    page.until(f"{button}.classList.contains('now')")
    page.until(f"{button}.closest('[data-heard]').querySelector('audio').paused")
    page.until(f"!{button}.classList.contains('now')")
    at = page.ask(f"{button}.closest('[data-heard]').querySelector('audio').currentTime")
    assert at >= page.ask(f"Number({button}.dataset.end)") - 0.02


def test_a_recognised_sentence_is_heard_on_the_front_page(page: Browser, real_site: Path) -> None:
    page.open(real_site / "index.html")
    words = "document.querySelectorAll('#sentence button[data-begin]')"
    said = page.ask(f"[...{words}].map(one => one.textContent)")
    understood = page.ask("[...document.querySelectorAll('#sentence span[data-begin]')].map("
                          "one => one.textContent)")
    assert said == understood and len(said) > 4
    heard(page, f"{words}[2]")
    assert page.problems == []


def test_a_transcript_of_real_speech_is_read_by_a_voice_that_says_so(page: Browser,
                                                                     real_site: Path) -> None:
    page.open(real_site / "real/tracks/asr-an4.html")
    first = "document.querySelector('.sample[data-heard]')"
    assert "A synthetic voice (espeak-ng) reads what" in page.ask(f"{first}.textContent")
    said = page.ask(f"[...{first}.querySelectorAll('button[data-begin]')].map("
                    "one => one.textContent).join(' ')")
    assert said == page.ask(f"{first}.querySelector('.said').firstChild.textContent.trim()")
    heard(page, f"{first}.querySelector('button[data-begin]')")


def test_answers_are_filtered_by_what_a_system_got_right(page: Browser, real_site: Path) -> None:
    page.open(real_site / "real/tracks/asr-an4.html")
    cards = "[...document.querySelectorAll('[data-card]')].filter(one => !one.hidden)"
    whole = page.ask(f"{cards}.length")
    counts = {}
    for grade in ("yes", "no"):
        page.ask(f"""(() => {{ for (const [name, value] of [['grade', '{grade}'],
            ['by', 'an4-attention:greedy']]) {{ const one = document.getElementById(name);
            one.value = value; one.dispatchEvent(new Event('input', {{bubbles: true}}));
            }} }})()""")
        counts[grade] = page.ask(f"{cards}.length")
        scores = page.ask(f"""{cards}.map(card => [...card.querySelectorAll('.answers li')].find(
            one => one.querySelector('[data-system="an4-attention:greedy"]')
            ).querySelector('.score').textContent)""")
        assert all((score == "0.00") == (grade == "yes") for score in scores), scores
    assert counts["yes"] > 0 and counts["no"] > 0 and sum(counts.values()) == whole


def test_the_switch_chooses_dark_and_light_and_stays(page: Browser, site: Path) -> None:
    page.open(site / "index.html")
    paper = "getComputedStyle(document.body).backgroundColor"
    light = page.ask(paper)
    for _ in range(2):
        page.ask("document.querySelector('#theme').click()")
    assert page.ask("document.querySelector('#theme span').textContent") == "dark"
    dark = page.ask(paper)
    assert dark != light
    page.open(site / "embedded/claims.html")
    assert page.ask(paper) == dark
    page.ask("document.querySelector('#theme').click()")
    assert page.ask(paper) == light


def test_a_path_is_drawn_up_to_a_step_and_moves_when_played(page: Browser, site: Path) -> None:
    chart = spec(paths({"one": [[0, 0], [1, 1], [2, 0], [3, 1]], "other": [[0, 1]] * 4},
                       ("angle", "velocity"), [[0, 0.5], [3, 0.5]]))
    (site / "path.html").write_text(f"""<!doctype html><title>A path</title>
        <link rel="stylesheet" href="_assets/page.css"><figure class="vega" data-title="A path">
        <div class="chart"></div><script type="application/json">{chart}</script></figure>
        <script src="_assets/charts.js"></script>""", "utf-8")
    page.open(site / "path.html")
    page.until(DRAWN)
    lines = "[...document.querySelectorAll('.mark-line path')].map(one => one.getAttribute('d'))"
    whole = page.ask(lines)
    assert len(whole) == 3
    page.ask("document.querySelector('.play').click()")
    drawn = json.dumps(json.dumps(whole, separators=(",", ":")))
    page.until(f"JSON.stringify({lines}) !== {drawn}")
    page.until("document.querySelector('.play').textContent === 'Play'")
    page.until(f"JSON.stringify({lines}) === {drawn}")
    assert page.problems == []
