"""Loss with gradients, and decoding, of the linear-chain CRF beside pytorch-crf.

Both take the same emissions, tags and mask, and must agree in loss and paths before any clock
runs.
"""

import argparse

import torch

from benchmarks.timing import compare, peer
from pipeline.ending import run_command
from pipeline.nn.crf import LinearChainCRF

BATCH, STEPS, TAGS = 64, 50, 45


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=31)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(1)
    ours, theirs = LinearChainCRF(TAGS), peer("torchcrf", "pytorch-crf").CRF(TAGS, batch_first=True)
    with torch.no_grad():
        ours.start.copy_(theirs.start_transitions)
        ours.transitions.copy_(theirs.transitions)
        ours.end.copy_(theirs.end_transitions)
    emissions = torch.randn(BATCH, STEPS, TAGS, requires_grad=True)
    tags = torch.randint(TAGS, (BATCH, STEPS))
    for name, lengths in ((f"{STEPS} steps", torch.full((BATCH,), STEPS)),
                          (f"5 to {STEPS} steps", torch.randint(5, STEPS + 1, (BATCH,)))):
        lengths[0] = STEPS
        mask = torch.arange(STEPS) < lengths[:, None]
        torch.testing.assert_close(ours.loss(emissions, tags, mask).sum(),
                                   -theirs(emissions, tags, mask), rtol=1e-5, atol=0.01)
        paths = ours.decode(emissions, mask)[0]
        assert theirs.decode(emissions, mask) == [
            path[:length].tolist() for path, length in zip(paths, lengths, strict=True)]
        print(f"{BATCH} sequences of {name}, {TAGS} tags, {arguments.threads} thread(s)")
        compare(lambda mask=mask: ours.loss(emissions, tags, mask).sum().backward(),
                lambda mask=mask: (-theirs(emissions, tags, mask)).backward(),
                arguments.rounds, "loss and gradients", "pytorch-crf's")
        compare(lambda mask=mask: ours.decode(emissions, mask),
                lambda mask=mask: theirs.decode(emissions, mask),
                arguments.rounds, "decoding", "pytorch-crf's")


if __name__ == "__main__":
    run_command(main)
