"""Speed beside other software; README.md says what is measured and how.

A Python that lacks what a script imports is told as what it is.
"""

import sys

from pipeline.environment import tell_what_is_lacking

sys.excepthook = tell_what_is_lacking
