"""The name of the folder of what a features stage leaves for reading raw input and is no JSON.

It lies in `fit/`, and a saved system has a copy under the same name. It stands by itself so that a
features stage need not import what systems import.
"""

ARTEFACTS = "artefacts"
