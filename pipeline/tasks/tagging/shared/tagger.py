"""What a figure may ask of any tagger."""

import numpy as np
from numpy.typing import NDArray


class Tagger:
    """Base beside `System`: a tagger that scores pairs of neighbouring tags shows them."""

    def transition_scores(self) -> tuple[str, NDArray[np.float64]] | None:
        """What the scores are, and those of a tag after a tag, [tags + 1, tags + 1] (from, to).

        The last row is the beginning of a sentence, the last column its end. None for a system
        that tags every word by itself.
        """
        return None
