"""The course as pages: docs/COURSE.md and what it leads to in docs/, with links led into the site.

A link to a board, to a lecture's claims or to code leads to the page that the site has of it, a
picture is copied, and any other file of the project is named by its path in the repository, since
a site is copied anywhere without it.
"""

import html
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urldefrag

from markdown_it.token import Token
from markupsafe import Markup, escape

from pipeline.site import prose
from pipeline.site.addresses import lecture_anchor, root_of, slug
from pipeline.site.code import Library, Module
from pipeline.storage.files import read_text

if TYPE_CHECKING:
    from pipeline.site.suites import Described

START = "docs/COURSE.md"
_DETAILS = re.compile(r"^<details><summary>(.*?)</summary>\s*$(.*?)^</details>\s*$", re.S | re.M)
_PICTURES = (".svg", ".png", ".webp", ".jpg")
_OVERVIEW = "README.md"


@dataclass(frozen=True)
class Page:
    """A page of the course: its address in the site, its title, what it says, and its topics.

    A topic is an anchor with its heading.
    """

    address: str
    title: str
    text: Markup
    topics: Sequence[tuple[str, str]]


@dataclass
class Course:
    """Pages in the order in which the first leads to them, with what they refer to.

    `topics` are addresses of the topics that name a lecture's claims, by the lecture's anchor.
    """

    pages: list[Page] = field(default_factory=list)
    modules: dict[str, Module] = field(default_factory=dict)
    pictures: dict[str, bytes] = field(default_factory=dict)
    topics: dict[str, str] = field(default_factory=dict)


def course_of(root: Path, found: "Sequence[Described]", library: Library) -> Course:
    """The course of the project in `root`; one without pages where it has none."""
    course = Course()
    waiting = [START] if (root / START).is_file() else []
    seen = set(waiting)
    while waiting:
        writer = _Writer(root, waiting.pop(0), found, library, course)
        course.pages.append(writer.page())
        waiting += [name for name in writer.leads if name not in seen]
        seen |= {*writer.leads}
    return course


def _address(name: str) -> str:
    """'course/index.html' of docs/COURSE.md, 'course/2-language-models.html' of what it lists."""
    return "course/index.html" if name == START else f"course/{Path(name).stem.lower()}.html"


class _Writer:
    """One page: `name` is its path in the repository, `leads` are the pages that it links to."""

    def __init__(self, root: Path, name: str, found: "Sequence[Described]", library: Library,
                 course: Course) -> None:
        self._root, self._name, self._library, self._course = root, name, library, course
        self._suites: Mapping[str, Described] = {
            os.path.relpath(one.suite.places.leaderboards, root): one for one in found}
        self._studies = {os.path.relpath(one.suite.places.studies, root):
                         f"{one.folder}studies.html" for one in found if one.charted}
        self._title, self._topic = name, ""
        self._topics: list[tuple[str, str]] = []
        self._ids: Counter[str] = Counter()
        self.leads: list[str] = []

    def page(self) -> Page:
        text = Markup("").join(self._parts(read_text(self._root / self._name)))
        return Page(_address(self._name), self._title, text, self._topics)

    def _parts(self, text: str) -> Iterator[Markup]:
        """What is folded away, and what stands between."""
        end = 0
        for folded in _DETAILS.finditer(text):
            yield self._rendered(text[end:folded.start()])
            yield Markup("<details><summary>{}</summary>{}</details>").format(
                prose.inline(" ".join(folded[1].split())), self._rendered(folded[2]))
            end = folded.end()
        yield self._rendered(text[end:])

    def _rendered(self, text: str) -> Markup:
        tokens = prose.parsed(text)
        for place, token in enumerate(tokens):
            if token.type == "heading_open":
                self._heading(token, tokens[place + 1].content)
            elif token.type == "fence" and token.info.strip() == "math":
                token.type, token.content = "html_block", _equation(token.content)
            for child in self._inline(token.children or []):
                child()
        return prose.rendered(tokens)

    def _heading(self, token: Token, text: str) -> None:
        """An id as GitHub gives it, so that links to it lead there too."""
        plain = text.replace("`", "")
        anchor = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        self._ids[anchor] += 1
        earlier = self._ids[anchor] - 1
        token.attrSet("id", f"{anchor}-{earlier}" if earlier else anchor)
        if token.tag == "h1":
            self._title = plain
        elif token.tag == "h2":
            self._topic = anchor
            self._topics.append((anchor, plain))

    def _inline(self, children: Sequence[Token]) -> "Iterator[partial[None]]":
        """What is to be done with each picture, and with each link and its end."""
        for place, child in enumerate(children):
            if child.type == "image":
                yield partial(self._picture, child)
            elif child.type == "link_open":
                end = next(later for later in range(place, len(children))
                           if children[later].type == "link_close")
                said = "".join(one.content for one in children[place:end])
                yield partial(self._link, child, children[end], said)

    def _picture(self, token: Token) -> None:
        name, _ = self._target(str(token.attrs["src"]))
        copied = self._copied(name)
        if copied is None:
            token.type = "html_inline"
            token.content = f"<em>{escape(token.content)}</em> {_elsewhere(name)}"
        else:
            token.attrSet("src", root_of(_address(self._name)) + copied)
            token.attrSet("loading", "lazy")

    def _link(self, opens: Token, closes: Token, said: str) -> None:
        """Lead a link into the site; of what it has no page of, `said` and the path are shown."""
        href = str(opens.attrs["href"])
        name, anchor = self._target(href)
        outside = re.match(r"[a-z][a-z0-9+.-]*:", href)
        address = None if outside else self._led(name, anchor)
        if address is not None:
            opens.attrSet("href", address if address.startswith("#") else
                          root_of(_address(self._name)) + address)
            return
        place = href if outside else name
        opens.type, opens.content = "html_inline", "<span>"
        closes.type = "html_inline"
        closes.content = f"</span> {_elsewhere('' if said == place else place)}"

    def _target(self, href: str) -> tuple[str, str]:
        """The path in the repository of what is linked to, and the anchor in it."""
        path, anchor = urldefrag(href)
        folder = os.path.dirname(self._name)
        return os.path.normpath(os.path.join(folder, unquote(path))) if path else self._name, anchor

    def _led(self, name: str, anchor: str) -> str | None:
        """The site's address of what a link leads to; None of what has no page there."""
        if name == self._name:
            return f"#{anchor}"
        if name.startswith("docs/") and name.endswith(".md") and (self._root / name).is_file():
            self.leads.append(name)
            return _address(name) + (f"#{anchor}" if anchor else "")
        if name.startswith("pipeline/") and name.endswith(".py"):
            return self._code(name)
        folder, _, file = name.rpartition("/")
        if file == _OVERVIEW and os.path.basename(folder) == "leaderboards":
            return self._claims(folder, anchor)
        if file == _OVERVIEW and folder in self._studies:
            return self._studies[folder]
        if folder in self._suites and file.removesuffix(".md") in self._suites[folder].boards:
            return f"{self._suites[folder].folder}tracks/{file.removesuffix('.md')}.html"
        return self._copied(name)

    def _code(self, name: str) -> str | None:
        module = self._library.module(name.removesuffix(".py").replace("/", "."))
        if module is not None:
            self._course.modules[module.name] = module
        return module.page if module else None

    def _claims(self, folder: str, anchor: str) -> str | None:
        """The claims of a lecture, which this topic is then one of."""
        lecture = lecture_anchor(anchor)
        if self._topic and (lecture not in self._course.topics or self._topic == anchor):
            self._course.topics[lecture] = f"{_address(self._name)}#{self._topic}"
        one = self._suites.get(folder)
        if one is None:
            return None
        known_here = lecture in [found.anchor for found in one.lectures]
        return f"{one.folder}claims.html" + (f"#{lecture}" if known_here else "")

    def _copied(self, name: str) -> str | None:
        """A picture of the project, under a name that tells where it is from."""
        path = self._root / name
        if path.suffix not in _PICTURES or not path.is_file():
            return None
        address = f"course/pictures/{slug(os.path.dirname(name))}-{path.name}"
        self._course.pictures[address] = path.read_bytes()
        return address


def _equation(text: str) -> str:
    """TeX, which the page's script sets; without it the TeX itself is shown."""
    return ('<div class="equation" tabindex="0" role="group" aria-label="equation"><code>'
            f"{html.escape(text.strip())}</code></div>\n")


def _elsewhere(name: str) -> str:
    """Where what has no page here is found; `name` is empty where it has just been said."""
    code = f"<code>{html.escape(name)}</code> " if name else ""
    return f'<span class="elsewhere">({code}in the repository)</span>'
