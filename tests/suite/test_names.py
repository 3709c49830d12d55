"""What becomes a path, an address or a cell of a table: names, and the walls around them."""

import functools
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

import pipeline
from pipeline.entries import LONGEST_NAME, Entry, FilePart, Line, Name, is_name
from pipeline.errors import UserError
from pipeline.suite.messages import ConfigError
from pipeline.suite.places import FOLDERS, Places
from pipeline.suite.schema import Suite, load, suite_of
from tests.conftest import ROOT
from tests.toy_suite import toy_suite

BAD = ["", ".", "..", "../x", "../../x", "/etc/x", "a/b", "a\\b", "-a", "a-", "a--b", ".a", "a.",
       "a ", " a", "a b", "a\nb", "a\0b", "A", "Lm", "é", "e\u0301", "Ａ", "ａ", "а", "a:b",
       "a@b", "a|b", "a`b", "<b>", "a_b", "${x}", "con", "nul", "com1", "lpt9", "aux",
       "x" * (LONGEST_NAME + 1), "a\u202eb", "٣", "~", "*", "a,b", "a=b", "%41", "a;b"]
GOOD = ["a", "lm-word", "0", "an4", "x" * LONGEST_NAME, "a-1-b", "console", "com10"]
# Text for people, or names that a check compares with those that are known.
FREE = {"ets": "compared with the forms that statsforecast knows",
        "labels": "phones, of which a pattern lists all"}


def test_names_are_told_from_others() -> None:
    assert [name for name in BAD if is_name(name)] == []
    assert [name for name in GOOD if not is_name(name)] == []


@pytest.mark.parametrize("place", ["corpora", "tracks", "systems", "variants", "claim"])
def test_a_bad_name_is_refused_wherever_it_stands(place: str) -> None:
    whole = toy_suite().model_dump(mode="json")
    for bad in BAD:
        raw: dict[str, Any] = {**whole, "systems": dict(whole["systems"])}
        if place == "variants":
            raw["systems"]["smooth"] = {**raw["systems"]["smooth"], "variants": {bad: {}}}
        elif place == "claim":
            raw["claims"] = [{**whole["claims"][0], "id": bad}]
        else:
            raw[place] = {**whole[place], bad: next(iter(whole[place].values()))}
        with pytest.raises(ConfigError, match="a name is lower-case letters") as caught:
            suite_of(raw, Path("params.yaml"))
        [problem] = caught.value.problems
        assert problem.isprintable()


def asking(places: Places) -> Iterator[tuple[Any, list[str]]]:
    """Every method of `Places` that makes a path from names, and its parameters' names."""
    for name, method in inspect.getmembers(places, inspect.ismethod):
        if name.startswith("_"):
            continue
        kinds = {one: found.annotation
                 for one, found in inspect.signature(method).parameters.items()}
        parameters = [one for one, kind in kinds.items() if kind in (str, "str")]
        if parameters:
            yield functools.partial(method, **{one: 1 for one, kind in kinds.items()
                                               if kind in (int, "int")}), parameters


def test_places_give_out_no_path_outside_their_folder() -> None:
    places = Places(Path("/p"), "real/")
    assert len(list(asking(places))) > 15
    for method, parameters in asking(places):
        assert str(method(**dict.fromkeys(parameters, "good"))).startswith(("/p/real/", "/p/work/"))
        for parameter in parameters:
            for bad in ("../x", "../../x", "/etc/passwd", "a/b", "a\\b", "a\0b", "a\nb"):
                with pytest.raises(UserError, match="no name of a file or a folder"):
                    method(**(dict.fromkeys(parameters, "good") | {parameter: bad}))
    for suite in ("../x/", "/x/", "a/b/", "..", "./"):
        with pytest.raises(UserError, match="no name"):
            Places(Path("/p"), suite)


def test_no_suite_takes_the_place_of_a_folder_of_the_layout() -> None:
    folders = {path.name for path in ROOT.iterdir() if path.is_dir() and is_name(path.name)}
    suites = {path.parent.name for path in ROOT.glob("*/params.yaml")}
    assert folders - suites <= FOLDERS
    assert not suites & FOLDERS


def settings_of_all_modules() -> set[type[Entry]]:
    for module in pkgutil.walk_packages(pipeline.__path__, "pipeline."):
        if module.name.split(".")[1] in ("corpora", "tasks", "suite", "audio"):
            importlib.import_module(module.name)

    def below(kind: type[BaseModel]) -> Iterator[type[Any]]:
        for one in kind.__subclasses__():
            yield one
            yield from below(one)

    return {kind for kind in below(Entry) if kind.__module__.startswith("pipeline.")}


def texts_in(annotation: Any, metadata: Any = ()) -> Iterator[str]:
    """Each `str` in an annotation that nothing says more about."""
    if annotation is str and not any(one in metadata for kind in (Name, FilePart, Line)
                                     for one in kind.__metadata__):
        yield "str"
    for inner in getattr(annotation, "__args__", ()):
        yield from texts_in(inner, getattr(annotation, "__metadata__", ()))


def test_every_text_of_every_setting_is_a_name_a_part_of_a_file_or_a_line() -> None:
    found = {f"{kind.__module__}.{kind.__name__}.{name}"
             for kind in settings_of_all_modules() if kind.__module__ != "pipeline.suite.schema"
             for name, field in kind.model_fields.items()
             if name not in FREE and name != "variants"
             and list(texts_in(field.annotation, field.metadata))}
    assert found == set()


def test_every_number_of_every_setting_is_finite() -> None:
    kinds = settings_of_all_modules()
    assert len(kinds) > 80
    assert all(kind.model_config.get("allow_inf_nan") is False for kind in kinds)


def test_what_a_suite_says_is_where_it_lies(tmp_path: Path) -> None:
    text = (ROOT / "large/params.yaml").read_text("utf-8")
    for folder in ("large", "other"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "params.yaml").write_text(text)
    assert load(tmp_path / "large/params.yaml").places.root == tmp_path
    with pytest.raises(ConfigError, match="'large/' is not the folder .* would be 'other/'"):
        load(tmp_path / "other/params.yaml")
    assert isinstance(load(tmp_path / "large/params.yaml"), Suite)
