"""Recurrent classifier with its loss on the last step only.

The plainest many-to-one network: when everything has been read, the last state answers. Whatever
an early word has to say must live through all steps after it, and so must its gradient.
"""

from pipeline.tasks.sentence.shared.classifier import ClassifierSettings, StepReader


class Settings(ClassifierSettings):
    """A classifier with its loss on the last step."""


class LastStep(StepReader):
    """Its loss is that of the last state's answer."""

