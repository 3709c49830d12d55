"""Jinja's templates, which escape whatever they are given, and the pages made with them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from pipeline.site import prose
from pipeline.site.addresses import picture_file, root_of, slug
from pipeline.site.files import Output
from pipeline.version import VERSION

if TYPE_CHECKING:
    from pipeline.site.course import Course
    from pipeline.site.suites import Described

_FOLDER = Path(__file__).with_name("templates")
# What ends a script element, or begins a comment in it, wherever it stands in its text.
_IN_SCRIPTS = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028",
               "\u2029": "\\u2029"}


class Pages:
    """Writes pages of a site over these suites, and over the course where there is one."""

    def __init__(self, output: Output, suites: "Sequence[Described]", course: "Course") -> None:
        self._output = output
        self._environment = Environment(
            loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined,
            trim_blocks=True, lstrip_blocks=True)
        self._environment.filters |= {
            "prose": prose.html, "inline": prose.inline, "slug": slug, "spec": spec,
            "picture_file": picture_file, "parted": parted}
        self._environment.globals |= {"suites": suites, "version": VERSION,
                                      "has_course": bool(course.pages), "topics": course.topics}

    def write(self, address: str, template: str, **given: Any) -> None:
        """Render a template to the page of this address."""
        text = self._environment.get_template(template).render(
            root=root_of(address), address=address, **given)
        self._output.page(address, text)


def spec(chart: Mapping[str, Any]) -> Markup:
    """A chart as JSON that can stand in a script element."""
    text = json.dumps(chart, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup("".join(_IN_SCRIPTS.get(letter, letter) for letter in text))


def parted(name: str) -> Markup:
    """A row's name that may be broken where its variant begins."""
    return Markup(":<wbr>").join(name.split(":"))
