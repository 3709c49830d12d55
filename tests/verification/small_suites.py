"""What tests do with the small suites of `conftest`: alter them, and verify them."""

import subprocess
from pathlib import Path

from pipeline.storage.files import read_json, write_json
from pipeline.suite.schema import Suite
from pipeline.verification.comparison import Findings
from pipeline.verification.reproduction import check_embedded


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@example.org", *arguments],
                   cwd=folder, check=True, capture_output=True)


def change_score(path: Path, metric: str, value: float) -> None:
    result = read_json(path)
    result["variants"][""]["metrics"][metric]["value"] = value
    write_json(path, result)


def reproduced(suite: Suite) -> Path:
    """The folder with what the toy suite's training will give."""
    return suite.places.root / "reproduced"


def verify_embedded(embedded: Suite) -> Findings:
    findings = Findings()
    check_embedded(embedded, jobs=3, findings=findings)
    findings.settle()
    return findings
