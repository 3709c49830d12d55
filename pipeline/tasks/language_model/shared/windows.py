"""A text cut into parallel streams, and these into windows, as recurrent language models train."""

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.errors import UserError
from pipeline.systems.base import Batch


class Windows:
    """Batches [steps, streams] in the text's order, so that a state can be carried over them.

    Before each training epoch the text, taken as a ring, is turned by a number of tokens that
    depends on seed and epoch: windows then begin at other words every time, and an epoch has as
    many windows as any other. The tail that does not fill a step of all streams is left out; the
    turn leaves out another tail each time.
    """

    def __init__(self, tokens: NDArray[np.integer], streams: int, window: int, seed: int,
                 rotate: bool) -> None:
        self.tokens = torch.from_numpy(np.array(tokens, dtype=np.int64))
        self.streams = streams
        self.window = window
        self.seed = seed
        self.rotate = rotate
        self.steps = (len(self.tokens) - 1) // streams
        if self.steps < 1:
            raise UserError(f"the text has {len(self.tokens)} tokens, too few for {streams} "
                            "streams; lower batch_streams or enlarge the corpus")

    def plan(self, epoch: int) -> list[tuple[int, int]]:
        """(rotation, first step) of each window."""
        generator = np.random.Generator(np.random.PCG64([self.seed, epoch]))
        rotation = int(generator.integers(len(self.tokens))) if self.rotate else 0
        return [(rotation, start) for start in range(0, self.steps, self.window)]

    def load(self, description: tuple[int, int]) -> Batch:
        """`inputs` and `targets` [steps, streams]: words, and the words that follow them."""
        rotation, start = description
        rows = torch.arange(start, min(start + self.window, self.steps) + 1)
        places = rotation + rows[:, None] + self.steps * torch.arange(self.streams)
        tokens = self.tokens[places % len(self.tokens)]
        return {"inputs": tokens[:-1], "targets": tokens[1:]}
