"""Pages as they are written: what stands in one, and where the links of all of them lead."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag


class Page(HTMLParser):
    """A page's addresses, the ids that can be linked to, and its elements by name."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: list[str] = []
        self.tags: list[str] = []
        self.text = path.read_text("utf-8")
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name in ("href", "src") and value is not None:
                self.links.append(value)
            if name == "id" and value is not None:
                self.ids.append(value)


def pages(site: Path) -> Iterator[tuple[Path, Page]]:
    for path in sorted(site.rglob("*.html")):
        yield path, Page(path)


def followed(site: Path) -> int:
    """How many links were followed, all of which lead to a file of the site and a place in it."""
    known = dict(pages(site))
    assert len(known) > 8
    resolved = site.resolve()
    count = 0
    for path, page in known.items():
        assert len(page.ids) == len(set(page.ids)), path
        for link in page.links:
            if link == "data:,":
                continue
            address, anchor = urldefrag(link)
            assert not re.match(r"[a-z]+:|/", address), f"{path}: {link}"
            target = (path.parent / unquote(address)).resolve() if address else path
            assert target.is_file() and target.resolve().is_relative_to(resolved), f"{path}: {link}"
            if anchor:
                place = site / target.resolve().relative_to(resolved)
                assert anchor in known[place].ids, f"{path}: {link}"
            count += 1
    return count
