"""A site takes the place of an earlier one as a whole, and only what is the site's own is removed.
"""

import os
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import UserError
from pipeline.site.files import check_folder, writing


def write(folder: Path, **pages: str) -> None:
    check_folder(folder)
    with writing(folder) as output:
        for name, text in pages.items():
            output.page(f"{name.replace('_', '/')}.html", text)


def files(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*")
            if path.is_file() and path.name != "unrolled-site.txt"}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    write(folder, index="one", a_first="one", a_second="one")
    (folder / "mine.txt").write_text("mine")
    return folder


OLD = {"index.html": "one", "a/first.html": "one", "a/second.html": "one", "mine.txt": "mine"}


def test_until_the_last_page_is_there_the_earlier_site_stays_whole(site: Path) -> None:
    with pytest.raises(UserError, match="damaged"), writing(site) as output:
        output.page("index.html", "two")
        output.page("b/new.html", "two")
        assert files(site).items() >= OLD.items()
        raise UserError("a file is damaged")
    assert files(site) == OLD
    assert not (site / "b").exists()


def test_of_a_new_folder_nothing_is_left_where_that_fails(tmp_path: Path) -> None:
    with pytest.raises(UserError), writing(tmp_path / "site") as output:
        output.page("index.html", "one")
        raise UserError("a file is damaged")
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_longer_written_goes_with_its_folder(site: Path) -> None:
    write(site, index="two", b_first="two")
    assert files(site) == {"index.html": "two", "b/first.html": "two", "mine.txt": "mine"}
    assert not (site / "a").exists()


def test_what_a_killed_call_left_is_known_to_the_next(site: Path,
                                                      monkeypatch: pytest.MonkeyPatch) -> None:
    put = os.replace

    def killed(source: Any, place: Any) -> None:
        if str(place) == str(site / "b/second.html"):
            raise KeyboardInterrupt
        put(source, place)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(os, "replace", killed)
        write(site, b_first="two", b_second="two", b_third="two")
    assert "b/first.html" in files(site)
    # One that is killed outright cannot even clear its part away.
    (site / ".unrolled-site.part/c").mkdir(parents=True)
    (site / ".unrolled-site.part/c/page.html").write_text("three")
    write(site, index="four")
    assert files(site) == {"index.html": "four", "mine.txt": "mine"}


def test_a_folder_that_only_a_killed_call_has_begun_is_taken(tmp_path: Path) -> None:
    (tmp_path / "site/.unrolled-site.part").mkdir(parents=True)
    write(tmp_path / "site", index="one")
    assert files(tmp_path / "site") == {"index.html": "one"}


def test_a_place_that_cannot_be_written_is_told_before_anything_changes(site: Path) -> None:
    (site / "b/first.html").mkdir(parents=True)
    with pytest.raises(UserError, match=r"b/first\.html cannot be written.*name a file in it"):
        write(site, a_first="two", b_first="two")
    (site / "b/first.html").rmdir()
    (site / "b").rmdir()
    (site / "b").write_text("mine")
    with pytest.raises(UserError, match=r"b/first\.html cannot be written.*name a folder"):
        write(site, a_first="two", b_first="two")
    assert files(site) == {**OLD, "b": "mine"}


def test_another_file_of_the_lists_name_makes_no_site(tmp_path: Path) -> None:
    (tmp_path / "unrolled-site.txt").write_text("my notes\nthesis.tex\n")
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(UserError, match="holds something that is no site"):
        write(tmp_path, index="one")
    assert files(tmp_path) == {"thesis.tex": "mine"}


def test_two_pages_of_one_name_are_told_and_one_page_twice_is_not(site: Path) -> None:
    with writing(site) as output:
        output.page("course/index.html", "of the course")
        output.page("course/index.html", "of the course")
    with pytest.raises(UserError, match=r"two files .* course/index\.html; give the suite"), \
            writing(site) as output:
        output.page("course/index.html", "of the course")
        output.page("course/index.html", "of a suite that is called so")
    assert files(site) == {"course/index.html": "of the course", "mine.txt": "mine"}


def test_standard_output_is_no_folder() -> None:
    with pytest.raises(UserError, match="name a folder"):
        check_folder(Path("-"))
