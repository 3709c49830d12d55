"""Markdown of the project's pages as HTML, so that a page of the site says it in the same words.

No HTML is taken over from the text: whatever looks like it is shown as it stands.
"""

from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

_PARSER = MarkdownIt("commonmark", {"html": False}).enable("table")


def html(text: str) -> Markup:
    """Paragraphs, lists and tables; what is wide can be scrolled sideways, also by keyboard."""
    return rendered(parsed(text))


def parsed(text: str) -> list[Token]:
    return _PARSER.parse(text)


def rendered(tokens: Sequence[Token]) -> Markup:
    """What was parsed as HTML; tokens of HTML that the caller has put there stand as they are."""
    found = _PARSER.renderer.render(tokens, _PARSER.options, {}).replace(
        "<pre>", '<pre tabindex="0">')
    found = found.replace("<table>", '<div class="scroll" tabindex="0" role="group" '
                                     'aria-label="table"><table>')
    found = found.replace("</table>", "</table></div>")
    found = found.replace(' style="text-align:right"', ' class="num"')
    return Markup(found.replace(' style="text-align:left"', ""))


def inline(text: str) -> Markup:
    """A phrase: code, bold and emphasis alone."""
    return Markup(_PARSER.renderInline(text))
