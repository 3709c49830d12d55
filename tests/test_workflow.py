"""The workflow: rights and actions that nobody can widen or replace unseen."""

import re

from ruamel.yaml import YAML

from tests.conftest import ROOT

WORKFLOWS = sorted((ROOT / ".github/workflows").iterdir())
ACTION = re.compile(r"uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")


def test_every_action_is_pinned_by_its_commit_and_says_its_version() -> None:
    used = [line.strip(" -") for path in WORKFLOWS for line in path.read_text().splitlines()
            if "uses:" in line]
    assert used and all(ACTION.fullmatch(line) for line in used)


def test_no_job_may_write_and_none_keeps_credentials() -> None:
    for path in WORKFLOWS:
        workflow = YAML(typ="safe").load(path)
        assert workflow["permissions"] == {}
        for job in workflow["jobs"].values():
            assert job["permissions"] == {"contents": "read"}
            checkouts = [step for step in job["steps"]
                         if step.get("uses", "").startswith("actions/checkout@")]
            assert checkouts
            assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_no_text_from_outside_is_put_into_a_command() -> None:
    for path in WORKFLOWS:
        for job in YAML(typ="safe").load(path)["jobs"].values():
            assert all("${{" not in step.get("run", "") for step in job["steps"])
