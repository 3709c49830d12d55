"""An SVG in fewer bytes shows the same: places move by less than a screen can show."""

import io
import re
from xml.etree import ElementTree

import numpy as np
from matplotlib.figure import Figure

from pipeline.results.pictures.style import compact, styled, svg

DRAWING = ('<svg>\n  <path d="M 1.23456 -0.001 \nL 2.5 3.999999 \n" style="stroke-width: 0.75123"/>'
           '\n   <g id="text_1">\n<text x="10.0004" transform="rotate(-0 7.126 3)">0.123456 of '
           '1.000001</text></g>\n<text transform="rotate(-90 7.126 3)">turned</text>\n'
           '<clipPath id="p1"/></svg>\n')


def test_places_are_rounded_and_texts_and_styles_kept() -> None:
    assert compact(DRAWING) == (
        '<svg>\n<path d="M 1.23 0\nL 2.5 4\n" style="stroke-width: 0.75123"/>\n'
        '<g>\n<text x="10">0.123456 of 1.000001</text></g>\n'
        '<text transform="rotate(-90 7.13 3)">turned</text>\n<clipPath id="p1"/></svg>\n')
    assert compact(compact(DRAWING)) == compact(DRAWING)


def test_a_picture_is_smaller_and_stays_where_it_was() -> None:
    with styled():
        figure = Figure()
        axes = figure.subplots()
        axes.plot(np.linspace(0, 1, 50) ** 2)
        axes.set_title("0.123456 is a number in a title")
        found = svg(figure).decode()
        plain = io.StringIO()
        figure.savefig(plain, format="svg",
                       metadata={"Date": None, "Creator": None})
    before, after = plain.getvalue(), found
    assert len(after) < 0.9 * len(before)
    texts = [[element.text for element in ElementTree.fromstring(drawing).iter()
              if element.tag.endswith("text")] for drawing in (before, after)]
    assert texts[0] == texts[1] and "0.123456 is a number in a title" in texts[1]
    curves = [max(re.findall(r' d="([^"]*)"', drawing), key=len) for drawing in (before, after)]
    places = [np.array(re.findall(r"-?[\d.]+", curve), float) for curve in curves]
    assert len(places[0]) == len(places[1]) > 50
    assert 0 < np.abs(places[0] - places[1]).max() <= 0.00501
