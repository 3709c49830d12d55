"""Dense layers with rectified units, of one vector a row."""

from collections.abc import Sequence

from torch import nn

from pipeline.nn.dropout import FreshDropout


def perceptron(features: int, widths: Sequence[int], outputs: int, dropout: float) -> nn.Sequential:
    """From [..., features] through hidden layers of `widths`, with dropout, to [..., outputs]."""
    layers: list[nn.Module] = []
    for below, width in zip([features, *widths], widths, strict=False):
        layers += [nn.Linear(below, width), nn.ReLU(), FreshDropout(dropout)]
    return nn.Sequential(*layers, nn.Linear(widths[-1] if widths else features, outputs))
