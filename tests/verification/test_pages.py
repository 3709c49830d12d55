"""Pages and pictures that were edited after they were written."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.provenance.inputs import write_inputs
from pipeline.storage.files import read_json, write_json
from pipeline.suite.schema import Suite, load
from pipeline.verification.comparison import Findings
from pipeline.verification.pages import check_pages


def test_a_redrawn_picture_of_real_results_is_found(project: Path) -> None:
    suite = load(project / "real" / "params.yaml")
    write_inputs(suite)
    path = suite.places.pictures("yearly") / "intervals.svg"
    path.write_bytes(path.read_bytes().replace(b"simple:snaive", b"simple:better"))
    findings = Findings()
    check_pages(suite, findings)
    assert findings.differences == ["real/leaderboards: yearly/intervals.svg: is not what is drawn "
                                    "from the committed results"]


def test_a_score_that_was_struck_from_the_record_is_missed(embedded: Suite) -> None:
    path = embedded.places.tests
    write_json(path, {"yearly": {row: scores for row, scores in read_json(path)["yearly"].items()
                                 if row != "network"}})
    findings = Findings()
    check_pages(embedded, findings)
    assert findings.differences == ["tests.json: the present score of yearly, network is not in "
                                    "it; 'dvc repro' adds it"]


@pytest.mark.parametrize(("name", "edit", "text"), [
    ("yearly.json", lambda text: text.replace('"floor": 1.0', '"floor": 1.5'),
     "yearly.json.floor: 1.5 is committed, 1.0 found"),
    ("yearly.md", lambda text: text.replace("0.500", "0.400"),
     "yearly.md, line 9: is not what follows from the committed results"),
    ("README.md", lambda text: text.replace("0.500", "0.400"),
     "README.md, line 7: is not what follows from the committed results"),
])
def test_an_edited_page_is_found(embedded: Suite, name: str,
                                 edit: Callable[[str], str], text: str) -> None:
    path = embedded.places.leaderboards / name
    path.write_text(edit(path.read_text()))
    findings = Findings()
    check_pages(embedded, findings)
    assert len(findings.differences) == 1 and text in findings.differences[0]
