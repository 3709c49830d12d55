"""One further seed of one track, trained again in a verification: which, the commit's hash says.

To train all seeds again would take five times as long as the suite; to train none would let a
forged one pass for ever. So each commit has others tried, which nobody chooses.
"""

from dataclasses import dataclass

from pipeline.results.trainings import records_of
from pipeline.running.seeds import Kept, train_seed
from pipeline.scoring.digests import digest_of
from pipeline.scoring.scores import ItemStatistics
from pipeline.suite.schema import Suite
from pipeline.verification.comparison import Findings, lacking_scores
from pipeline.verification.reproduced import compare_row
from pipeline.verification.tolerances import made_here, tolerances
from pipeline.workers import workers


@dataclass(frozen=True)
class Chosen:
    """A seed of a track, and the systems that were trained with it."""

    track: str
    seed: int
    systems: tuple[str, ...]


def choose(suite: Suite, commit: str) -> Chosen | None:
    """What the commit with this hash has trained again; None where no track has further seeds."""
    measured = {track: found for track in suite.tracks if (found := _by_seed(suite, track))}
    if not measured:
        return None
    number, place = divmod(int(commit, 16), len(measured))
    track = list(measured)[place]
    seeds = sorted(measured[track])
    seed = seeds[number % len(seeds)]
    return Chosen(track, seed, tuple(measured[track][seed]))


def check_another_seed(suite: Suite, commit: str, jobs: int, findings: Findings) -> None:
    """Train the chosen seed again, and hold what each row scores against what is recorded."""
    chosen = choose(suite, commit)
    if chosen is None:
        findings.unchecked.append(f"{suite.name}: no row has trainings with further seeds "
                                  "('unrolled spread' makes them)")
        return
    print(f"{suite.name}, {chosen.track}: training {', '.join(chosen.systems)} with seed "
          f"{chosen.seed}", flush=True)
    with workers(jobs, "spawn") as pool:
        waiting = {key: pool.submit(train_seed, suite.places, chosen.track, key, chosen.seed)
                   for key in chosen.systems}
        for key, done in waiting.items():
            compare_seed(suite, chosen, key, done.result(), findings)
    findings.unchecked.append(f"{suite.name}: of trainings with further seeds, those of "
                              f"{chosen.track} with seed {chosen.seed} were done again, as this "
                              "commit's hash chooses")


def compare_own_seed(suite: Suite, key: str, findings: Findings) -> None:
    """Hold what is recorded of the suite's own training against what came out as the same bytes."""
    places, track = suite.places, suite.track_of(key)
    for variant, row in suite.rows_of(key).items():
        record = records_of(suite, track, row).get(suite.seed)
        if record is None:
            continue
        same = digest_of(ItemStatistics.read(places.items(track, key, variant))) \
            == record["statistics"]
        findings.note("records of the suite's own seed", [] if same else [
            f"{suite.name}: {suite.seed}.json, the record of row {row!r} in seeds/{track}/{key}, "
            "tells of other statistics of test items"])


def compare_seed(suite: Suite, chosen: Chosen, key: str, kept: Kept, findings: Findings) -> None:
    """Hold what a training gave against its record: equal bytes where it was made, else scores."""
    rows = {suite.rows_of(key)[variant]: found for variant, found in kept.items()}
    allowed = tolerances(suite, chosen.track, {row: items for row, (_, items) in rows.items()})
    for row, (now, _) in rows.items():
        before = records_of(suite, chosen.track, row)[chosen.seed]
        place = f"{suite.name}, {chosen.track}, seed {chosen.seed}"
        findings.note("trainings with a further seed", [
            *(f"{place}, {text}" for text in lacking_scores({row: before["scores"]},
                                                            {row: now["scores"]})),
            *([f"{place}, row {row!r}: the statistics of its test items are other bytes, although "
               f"the record names this processor ({before['processor']})"]
              if made_here(suite, before) and now["statistics"] != before["statistics"] else [])])
        compare_row(suite, chosen.track, row, allowed.get(row, {}), before["scores"],
                    now["scores"], findings)


def _by_seed(suite: Suite, track: str) -> dict[int, list[str]]:
    """The systems of a track whose rows have all a record of a further seed, by seed."""
    found: dict[int, list[str]] = {}
    for key in suite.systems_of(track):
        recorded = [set(records_of(suite, track, row)) for row in suite.rows_of(key).values()]
        for seed in set.intersection(*recorded) - {suite.seed}:
            found.setdefault(seed, []).append(key)
    return found
