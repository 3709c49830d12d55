"""Which stages run next, and which of them share a call of DVC.

Starting DVC and writing its lock takes as long as many a stage, so a stage and the one that it
alone lets start share a call, and so do short ones.
"""

import heapq
from collections.abc import Iterable
from dataclasses import dataclass, field

# Stages share a call until it is expected to take as long as this.
_CALL_SECONDS = 90.0
# What a stage takes of DVC beside what it computes.
_START_SECONDS = 1.0


@dataclass
class Plan:
    """Stages to run, by address, with the addresses that each must wait for."""

    waits_for: dict[str, set[str]]
    seconds: dict[str, float]
    _chains: dict[str, float] = field(default_factory=dict, init=False, repr=False)

    def ready(self, done: set[str], started: set[str]) -> list[str]:
        """Stages that can start now, the one with the longest chain of work behind it first."""
        free = [stage for stage, needed in self.waits_for.items()
                if stage not in started and needed <= done]
        return heapq.nsmallest(len(free), free, key=lambda s: (-self.chain_seconds(s), s))

    def chain(self, first: str, done: set[str], started: set[str]) -> list[str]:
        """`first` and, as long as there is one and no more, the stage that can start thereafter."""
        chain = [first]
        while True:
            enabled = self._enabled(chain, done, started)
            if len(enabled) != 1:
                return chain
            chain += enabled

    def call(self, first: str, done: set[str], started: set[str], jobs: int) -> list[str]:
        """The chain of `first`, and further short ones if it lets nothing start.

        As many stages as `jobs` are left to the other calls.
        """
        found = self.chain(first, done, started)
        while self.expected(found) < _CALL_SECONDS:
            free = self.ready(done, started | set(found))
            if self._enabled(found, done, started) or len(free) <= jobs:
                break
            more = self.chain(free[0], done, started | set(found))
            if self.expected(found + more) > _CALL_SECONDS:
                break
            found += more
        return found

    def expected(self, stages: Iterable[str]) -> float:
        """How many seconds stages are expected to take one after the other."""
        return sum(self.seconds[stage] + _START_SECONDS for stage in stages)

    def chain_seconds(self, stage: str) -> float:
        """Seconds from the start of a stage to the end of the last one that waits for it."""
        if stage not in self._chains:
            followers = [s for s, needed in self.waits_for.items() if stage in needed]
            behind = max(map(self.chain_seconds, followers), default=0.0)
            self._chains[stage] = self.expected([stage]) + behind
        return self._chains[stage]

    def order(self) -> list[str]:
        """All stages in an order in which one process could run them."""
        found: list[str] = []
        while len(found) < len(self.waits_for):
            found += self.ready(set(found), set(found))
        return found

    def _enabled(self, by: list[str], done: set[str], started: set[str]) -> list[str]:
        """Stages that can start once those of `by` are done, and could not without them."""
        free = self.ready(done | set(by), started | set(by))
        return [stage for stage in free if self.waits_for[stage] & set(by)]


def stale_stages(needs: dict[str, set[str]], changed: set[str]) -> set[str]:
    """What has changed and all that waits for it."""
    stale = set(changed)
    while more := {name for name in needs if name not in stale and needs[name] & stale}:
        stale |= more
    return stale


def needed_for(needs: dict[str, set[str]], targets: Iterable[str]) -> set[str]:
    """The targets and all that they wait for."""
    found: set[str] = set()
    open_ones = list(targets)
    while open_ones:
        stage = open_ones.pop()
        if stage not in found:
            found.add(stage)
            open_ones += needs[stage]
    return found
