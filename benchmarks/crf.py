"""Speed of the linear-chain CRF beside pytorch-crf: loss with gradients, and decoding.

`python benchmarks/crf.py`; the peer is installed by `pip install pytorch-crf`. Both take the same
emissions, tags and mask in turn, one thread, and must agree in value before any clock runs.
"""

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pipeline.nn.crf import LinearChainCRF  # noqa: E402

BATCH, STEPS, TAGS = 64, 50, 45
ROUNDS, REPEATS = 15, 5


def main() -> None:
    try:
        import torchcrf
    except ImportError:
        sys.exit("pytorch-crf is not installed: pip install pytorch-crf")
    torch.set_num_threads(1)
    torch.manual_seed(1)
    ours, peer = LinearChainCRF(TAGS), torchcrf.CRF(TAGS, batch_first=True)
    with torch.no_grad():
        ours.start.copy_(peer.start_transitions)
        ours.transitions.copy_(peer.transitions)
        ours.end.copy_(peer.end_transitions)
    emissions = torch.randn(BATCH, STEPS, TAGS, requires_grad=True)
    tags = torch.randint(TAGS, (BATCH, STEPS))
    for name, lengths in (("all of 50 steps", torch.full((BATCH,), STEPS)),
                          ("of 5 to 50 steps", torch.randint(5, STEPS + 1, (BATCH,)))):
        lengths[0] = STEPS
        mask = torch.arange(STEPS) < lengths[:, None]
        ours_loss = ours.loss(emissions, tags, mask).sum()
        peer_loss = -peer(emissions, tags, mask)
        torch.testing.assert_close(ours_loss, peer_loss, rtol=1e-5, atol=0.01)
        paths = ours.decode(emissions, mask)[0]
        assert peer.decode(emissions, mask) == [
            path[:length].tolist() for path, length in zip(paths, lengths, strict=True)]
        print(f"{BATCH} sequences {name}, {TAGS} tags")
        compare("loss and gradients",
                lambda mask=mask: ours.loss(emissions, tags, mask).sum().backward(),
                lambda mask=mask: (-peer(emissions, tags, mask)).backward())
        compare("decoding", lambda mask=mask: ours.decode(emissions, mask),
                lambda mask=mask: peer.decode(emissions, mask))


def compare(what: str, ours: Callable[[], object], peer: Callable[[], object]) -> None:
    """Time both in turn; print the medians and the ratio with its quartiles."""
    pairs = [(milliseconds(ours), milliseconds(peer)) for _ in range(ROUNDS)]
    low, middle, high = statistics.quantiles([theirs / mine for mine, theirs in pairs], n=4)
    mine, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"  {what:<20} ours {mine:6.2f} ms   pytorch-crf {theirs:6.2f} ms   "
          f"ratio {middle:.1f} ({low:.1f} to {high:.1f})")


def milliseconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    for _ in range(REPEATS):
        call()
    return 1000 * (time.perf_counter() - started) / REPEATS


if __name__ == "__main__":
    main()
