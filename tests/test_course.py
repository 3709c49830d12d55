"""The course: every claim in its place, every name and link exists, and worked numbers come out.

The worked tables of the pages are read from the pages, given to the project's code, and what the
code makes of them is held against what the pages print.
"""

import ast
import re
from collections import Counter
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pipeline.commands.project import suite_file
from pipeline.hmm.viterbi import Candidates, viterbi
from pipeline.nn import bptt, ctc, ctc_alignment, order_synchronous
from pipeline.suite.schema import Suite, load
from pipeline.tasks.asr.scoring import aligned_words
from pipeline.tasks.forecast.shared.methods import naive
from pipeline.tasks.memory.shared.stability import unit
from pipeline.tasks.translation.shared.measures import bleu, bleu_statistics
from tests.conftest import ROOT
from tests.nn.test_ctc import Silent

INDEX = ROOT / "docs/COURSE.md"
PAGES = sorted((ROOT / "docs/course").glob("*.md"))
SUITES = {"leaderboards": load(suite_file(None, ROOT)),
          "real/leaderboards": load(suite_file("real", ROOT))}
LINK = re.compile(r"\[(?P<text>(?:[^\[\]]|`[^`]*`)+)\]\((?P<target>[^)\s]+)\)")
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
QUOTED = re.compile(r"`([^`]+)`")
TOPICS = [pytest.param(page, title, body, id=f"{page.stem}:{title}")
          for page in PAGES
          for title, _, body in (part.partition("\n") for part in
                                 re.split(r"^## ", page.read_text("utf-8"), flags=re.M)[1:])]


def item(body: str, name: str) -> str:
    """What a topic says under `name`, one of Code, Track and Claims, as one line."""
    found = re.findall(rf"^- \*\*{name}\*\*(.*?)(?=^- \*\*|\n\n)", body, re.DOTALL | re.MULTILINE)
    assert len(found) == 1, f"{len(found)} items {name}"
    return " ".join(found[0].split())


def table(page: str, first: str) -> list[list[str]]:
    """The rows, header first, of the only table in a page whose first column is called `first`."""
    text = (ROOT / "docs/course" / page).read_text("utf-8")
    found = [[[cell.strip() for cell in line.strip("|").split("|")] for line in lines.splitlines()]
             for lines in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)]
    header, _, *rows = next(lines for lines in found if lines[0][0] == first)
    return [header, *rows]


def whole_course() -> str:
    return "".join(page.read_text("utf-8") for page in PAGES)


def slug(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def lectures(suite: Suite) -> dict[str, str]:
    return {claim.id: claim.lecture for claim in suite.claims}


# What the pages name.

@pytest.mark.parametrize("page, title, body", TOPICS)
def test_a_topic_has_all_its_parts(page: Path, title: str, body: str) -> None:
    equation, _, _ = body.partition("- **Code**")
    assert re.search(r"^```math\n.+?\n```$", equation, re.DOTALL | re.MULTILINE)
    questions = re.findall(r"<details><summary>(.+?)</summary>\n\n(.+?)\n\n</details>", body,
                           re.DOTALL)
    assert len(questions) == 1
    assert questions[0][0].endswith("?")
    for name in ("Code", "Track", "Claims"):
        item(body, name)


@pytest.mark.parametrize("page, title, body", TOPICS)
def test_code_that_a_topic_names_exists(page: Path, title: str, body: str) -> None:
    named = re.findall(r"\[`([^`]+)`\]\(([^)]+)\):((?: `[^`]+`,?)+)", item(body, "Code"))
    assert named and len(named) == len(LINK.findall(item(body, "Code")))
    for text, target, names in named:
        module = (page.parent / target).resolve()
        assert module in ((ROOT / "pipeline" / text), (ROOT / "pipeline/tasks" / text))
        for name in QUOTED.findall(names):
            _defined(ast.parse(module.read_text("utf-8")), name.split("."))


def _defined(scope: ast.Module | ast.ClassDef, names: list[str]) -> None:
    found = {node.name: node for node in scope.body if isinstance(node, ast.ClassDef)}
    functions = {node.name for node in scope.body if isinstance(node, ast.FunctionDef)}
    assert names[0] in found.keys() | functions, names[0]
    if len(names) > 1:
        _defined(found[names[0]], names[1:])


@pytest.mark.parametrize("page, title, body", TOPICS)
def test_tracks_and_rows_that_a_topic_names_exist(page: Path, title: str, body: str) -> None:
    known = {name for suite in SUITES.values() for name in (*suite.tracks, *suite.systems)}
    assert QUOTED.search(item(body, "Track"))
    for name in QUOTED.findall(item(body, "Track")):
        assert name.startswith("unrolled ") or name.partition(":")[0] in known, name
    shown = [(match["text"].strip("`"), match["target"]) for match in LINK.finditer(
        item(body, "Track"))]
    assert any(target.endswith(".svg") for _, target in shown)
    for text, target in shown:
        path = (page.parent / target).resolve()
        board = str(path.relative_to(ROOT).parent)
        if path.suffix == ".md" and board in SUITES:
            assert path.stem == text and text in SUITES[board].tracks


def test_every_track_is_in_the_course() -> None:
    named = {name for topic in TOPICS
             for name in QUOTED.findall(item(str(topic.values[2]), "Track"))}
    assert {name for suite in SUITES.values() for name in suite.tracks} <= named


def test_every_claim_belongs_to_one_topic_and_its_lecture() -> None:
    named: Counter[str] = Counter()
    for topic in TOPICS:
        page, _, body = topic.values
        assert isinstance(page, Path) and isinstance(body, str)
        before, *parts = re.split(r"(?=\[[a-z\- ]+\]\([^)]*README\.md#)", item(body, "Claims"))
        assert "`" not in before, "ids without a link to their verdicts"
        for part in parts:
            match = LINK.match(part)
            assert match
            path, _, anchor = match["target"].partition("#")
            suite = SUITES[str((page.parent / path).resolve().relative_to(ROOT).parent)]
            for claim in QUOTED.findall(part):
                named[claim] += 1
                assert lectures(suite)[claim] == match["text"]
                assert slug(match["text"]) == anchor
    known = {claim for suite in SUITES.values() for claim in lectures(suite)}
    assert sorted(known - named.keys()) == []
    assert [claim for claim, times in named.items() if times > 1] == []
    everywhere = Counter(name for page in (INDEX, *PAGES)
                         for name in QUOTED.findall(FENCED.sub("", page.read_text("utf-8")))
                         if name in known)
    assert everywhere == named, "named outside of the claims of a topic"


@pytest.mark.parametrize("page", [INDEX, *PAGES], ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text("utf-8")
    assert len(text.splitlines()) < 260
    targets = [match["target"] for match in LINK.finditer(text)]
    assert targets
    for target in targets:
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.is_file(), target
        # A lecture has a heading among the verdicts as soon as one of its claims is judged.
        headings = {slug(line.lstrip("# ")) for line in file.read_text("utf-8").splitlines()
                    if line.startswith("#")} if anchor else set()
        board = str(file.parent.relative_to(ROOT))
        if board in SUITES:
            headings |= {slug(lecture) for lecture in lectures(SUITES[board]).values()}
        assert not anchor or anchor in headings, target


def test_pages_are_reached_from_the_index_and_it_from_the_readme() -> None:
    reached = {(INDEX.parent / match["target"]).resolve()
               for match in LINK.finditer(INDEX.read_text("utf-8"))}
    assert set(PAGES) <= reached
    assert "](docs/COURSE.md)" in (ROOT / "README.md").read_text("utf-8")
    tasks = {entry.name for entry in (ROOT / "pipeline/tasks").iterdir() if entry.is_dir()}
    text = whole_course()
    assert all(f"pipeline/tasks/{task}/" in text for task in tasks - {"__pycache__"})


def test_kinds_of_networks_have_their_tracks() -> None:
    _, *rows = table("1-kinds-of-networks.md", "kind")
    embedded = SUITES["leaderboards"]
    known = {*embedded.tracks, *embedded.systems}
    assert len(rows) > 5
    for row in rows:
        assert set(QUOTED.findall(row[-1])) & embedded.tracks.keys()
        assert set(QUOTED.findall(row[-1])) <= known


# What the pages work out.

def trellis(transitions: NDArray[np.float64],
            emissions: NDArray[np.float64]) -> list[list[tuple[float, int | None]]]:
    """By word and tag the probability of the best way there, and the tag before on it.

    `transitions` [tags + 1, tags] with the start first, `emissions` [tags, words]. The project's
    search finds a cell when the last word can have that tag alone.
    """
    tags, words = emissions.shape
    with np.errstate(divide="ignore"):
        scores = np.log(emissions.T)
        full = np.zeros((tags + 1, tags + 1))
        full[:tags, :tags], full[tags, :tags] = np.log(transitions[1:]), np.log(transitions[0])
    cells: list[list[tuple[float, int | None]]] = []
    for word in range(words):
        column: list[tuple[float, int | None]] = []
        for tag in range(tags):
            if scores[word, tag] == -np.inf:
                column.append((0.0, None))
                continue
            only = scores[: word + 1].copy()
            only[word] = -np.inf
            only[word, tag] = scores[word, tag]
            path, best = viterbi(full, Candidates.of(only, tags), np.arange(word + 1),
                                 np.array([0, word + 1]))
            column.append((float(np.exp(best[0])), int(path[-2]) if word else None))
        cells.append(column)
    return cells


def assert_is_printed(cells: list[list[tuple[float, int | None]]], rows: list[list[str]]) -> None:
    """The trellis stands in `rows`, a tag each; ways of probability 0 lead from nowhere."""
    tags = [row[0] for row in rows]
    for tag, row in enumerate(rows):
        for word, printed in enumerate(row[1:]):
            probability, before = cells[word][tag]
            number, _, came_from = printed.partition(" ")
            assert float(number) == pytest.approx(probability, rel=5e-3)
            if probability and before is not None:
                assert came_from == tags[before]
            else:
                assert came_from == ""


def best_tables() -> list[list[list[str]]]:
    text = (ROOT / "docs/course/5-hidden-markov-models.md").read_text("utf-8")
    return [[[cell.strip() for cell in line.strip("|").split("|")] for line in lines.splitlines()
             if not line.startswith("| -")]
            for lines in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)
            if lines.startswith("| best way to")]


def test_janet_will_back_the_bill() -> None:
    tags, *between = table("5-hidden-markov-models.md", "P(column given row)")
    words, *emitted = table("5-hidden-markov-models.md", "P(word given tag)")
    assert [row[0] for row in between] == ["start", *tags[1:]]
    assert [row[0] for row in emitted] == tags[1:]
    transitions = np.array([row[1:] for row in between], float)
    emissions = np.array([row[1:] for row in emitted], float)
    header, *rows = best_tables()[0]
    assert header[1:] == words[1:] == ["Janet", "will", "back", "the", "bill"]
    assert_is_printed(trellis(transitions, emissions), rows)
    # Every one of the 7^5 tag sequences, tried.
    best = max(product(range(len(emissions)), repeat=5), key=lambda path: np.prod(
        [transitions[before + 1, tag] * emissions[tag, word]
         for word, (before, tag) in enumerate(zip((-1, *path), path, strict=False))]))
    answer = " ".join(f"{word}/{tags[1 + tag]}" for word, tag in zip(words[1:], best, strict=True))
    text = (ROOT / "docs/course/5-hidden-markov-models.md").read_text("utf-8")
    assert answer in text
    for modal, shown in re.findall(r"(\d+/13124) = (0\.\d+)", text):
        above, below = map(int, modal.split("/"))
        assert round(above / below, 2) == float(shown)
    assert transitions[2, 2] == pytest.approx(10471 / 13124, abs=0.002)


def test_cats_cannot_fly() -> None:
    header, *rows = best_tables()[1]
    tags = [row[0] for row in rows]
    text = (ROOT / "docs/course/5-hidden-markov-models.md").read_text("utf-8")
    _, _, made_up = text.partition("numbers made up for this page:")
    given = {(what, of): float(number) for what, of, number in re.findall(
        r"P\((\w+) \|\s(\w+)\) = (0\.\d+)", made_up.partition("|\n")[0])}
    transitions = np.array([[given.get((tag, before), 0.0) for tag in tags]
                            for before in ("start", *tags)])
    words = [word.lower() for word in header[1:]]
    emissions = np.array([[given.get((word, tag), 0.0) for word in words] for tag in tags])
    assert (transitions > 0).sum() == 4 and (emissions > 0).sum() == 4
    assert_is_printed(trellis(transitions, emissions), rows)


def test_two_candidates_by_bleu() -> None:
    text = (ROOT / "docs/course/4-encoder-decoder-attention.md").read_text("utf-8")
    (reference,) = re.findall(r"Reference \(10 words\): `([^`]+)`", text)
    _, *rows = table("4-encoder-decoder-attention.md", "candidate")
    assert len(rows) == 2
    for candidate, *precisions, brevity, score in rows:
        counts = bleu_statistics(candidate.strip("`"), reference)
        length, of_reference = counts[:2]
        assert of_reference == 10
        assert precisions == [f"{n}/{of}" for n, of in zip(counts[2:6], counts[6:], strict=True)]
        fined = np.exp(min(0.0, 1 - of_reference / length))
        assert float(brevity) == pytest.approx(fined, abs=5e-5)
        assert float(score) == pytest.approx(float(bleu(np.array(counts, float))), abs=5e-3)
    clipped = bleu_statistics("the the the the", "the cat on the mat")
    assert (clipped[2], clipped[6]) == (2, 4)


def test_a_word_error_rate() -> None:
    _, *rows = table("5-speech-recognition.md", "reference")
    reference = [row[0] for row in rows if row[0] != "–"]
    recognised = [row[1] for row in rows if row[1] != "–"]
    found = aligned_words(" ".join(reference), " ".join(recognised))
    edits = []
    for chunk in found.alignments[0]:
        ref = reference[chunk.ref_start_idx : chunk.ref_end_idx]
        hyp = recognised[chunk.hyp_start_idx : chunk.hyp_end_idx]
        for place in range(max(len(ref), len(hyp))):
            edits.append([ref[place] if ref else "–", hyp[place] if hyp else "–", chunk.type])
    assert rows == edits
    assert {"substitute", "delete", "insert"} <= {row[2] for row in rows}
    text = (ROOT / "docs/course/5-speech-recognition.md").read_text("utf-8")
    assert f"`{' '.join(reference)}`" in text and f"`{' '.join(recognised)}`" in text
    assert f"(1 + 1 + 1) / {len(reference)} = {100 * found.wer:.1f} %" in text
    assert aligned_words("a b", "c d e f g").wer == 2.5


def test_the_sigmoid_and_twenty_of_its_slopes() -> None:
    _, *rows = table("1-recurrent-networks.md", "a")
    for a, value, slope in rows:
        net = unit(1.0, float(a), "sigmoid")
        zero = torch.zeros(1, 1, 1, dtype=torch.float64)
        states, _ = bptt.forward(net, zero, zero[0])
        assert states[1].item() == pytest.approx(float(value), abs=5e-5)
        assert bptt.slope(net, states[1]).item() == pytest.approx(float(slope), abs=5e-5)
    states = torch.linspace(0, 1, 1001, dtype=torch.float64)
    slopes = bptt.slope(unit(1.0, 0.0, "sigmoid"), states)
    assert slopes.max().item() == 0.25 and states[slopes.argmax()].item() == pytest.approx(0.5)
    # With a bias of -1/2 a state of 1/2 stays: every step is taken at the steepest place.
    steepest = unit(1.0, -0.5, "sigmoid")
    inputs = torch.zeros(20, 1, 1, dtype=torch.float64)
    walked, _ = bptt.forward(steepest, inputs, torch.full((1, 1), 0.5, dtype=torch.float64))
    left = bptt.factors_product(steepest, walked)[20].item()
    assert left == 4.0**-20
    assert f"{left:.1e}" == "9.1e-13"
    assert r"4^{-20} \approx 9.1 \cdot 10^{-13}" in whole_course()


def test_no_change_is_the_best_forecast_of_a_random_walk() -> None:
    past = np.array([5.0, 6.0, 7.0, 8.0])
    _, *rows = table("1-forecasting.md", "days ahead")
    for days, mean, of_today, of_the_mean in np.array(rows, float):
        futures = past[-1] + np.array([sum(steps) for steps in product((-1, 1), repeat=int(days))])
        forecast = naive(past, 1, int(days))[0, -1]
        assert forecast == mean == futures.mean()
        assert np.mean((futures - forecast)**2) == of_today
        assert np.mean((futures - past.mean())**2) == of_the_mean
        others = [np.mean((futures - other)**2) for other in np.linspace(4, 12, 33)
                  if other != forecast]
        assert min(others) > of_today


def test_paths_that_say_hello() -> None:
    letters = "_helo"
    _, *rows = table("3-order-and-ctc.md", "path")
    for path, string in rows:
        ids = [letters.index(letter) for letter in path.strip("`").split()]
        assert "".join(letters[found] for found in ctc.collapse(ids)) == string
    assert {"hello", "helo"} < {string for _, string in rows}
    hello = [letters.index(letter) for letter in "hello"]
    possible = [ctc.string_log_probability(np.full((frames, 5), -1.0), hello) > -np.inf
                for frames in (5, 6)]
    assert possible == [False, True]
    runs = order_synchronous.compress(order_synchronous.expand([0, 1, 2], [2, 1, 3]))
    assert [(run.symbol, run.last + 1) for run in runs] == [(0, 2), (1, 3), (2, 6)]


def test_the_best_path_is_not_the_best_string() -> None:
    probabilities = np.array([[0.6, 0.4], [0.6, 0.4]])
    strings = ctc_alignment.strings_and_paths(probabilities)
    _, *rows = table("3-order-and-ctc.md", "string")
    printed = {() if name == "(empty)" else (1,): (QUOTED.findall(paths), float(total))
               for name, paths, total in rows}
    assert printed.keys() == strings.keys()
    for string, (paths, total) in printed.items():
        assert {tuple("_a".index(symbol) for symbol in path.split()) for path in paths} == set(
            strings[string])
        assert sum(strings[string].values()) == pytest.approx(total)
    assert ctc.best_path(np.log(probabilities)) == []
    assert ctc.prefix_beam_search(np.log(probabilities), Silent(), 8, 0.0) == [1]
