"""Names that a corpus's lists hold."""

from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.storage.names import file_in


def test_a_name_leads_to_a_file_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b c").write_text("")
    assert file_in(tmp_path, "a/b c", "list, line 1") == tmp_path / "a" / "b c"
    for missing in ("a", "b c", "a/b c ", "x" * 5_000, "a/b c/d", "\0"):
        assert file_in(tmp_path, missing, "list, line 1") is None


@pytest.mark.parametrize("name", ["", "/etc/hostname", "../secret", "a/../../secret", ".."])
def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret").write_text("")
    with pytest.raises(UserError, match="list, line 1: .* is no name of a file in"):
        file_in(tmp_path / "folder", name, "list, line 1")
