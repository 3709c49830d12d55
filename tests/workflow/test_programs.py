"""What a training needs of the system is asked for before it begins."""

from pathlib import Path

import pytest

from pipeline.commands.main import run
from pipeline.errors import UserError
from pipeline.workflow.programs import OF_TRAININGS, require_git


def test_no_training_begins_without_git(monkeypatch: pytest.MonkeyPatch, root: Path,
                                        tmp_path: Path) -> None:
    monkeypatch.chdir(root)
    require_git(OF_TRAININGS)
    monkeypatch.setenv("PATH", str(tmp_path))
    for command in (["repro", "--track", "addition"], ["try"], ["spread", "addition-gru"]):
        with pytest.raises(UserError, match="no program 'git' on the command path"):
            run(command)
