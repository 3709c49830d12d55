"""The page over all tracks of a suite, the claims, and the summary that ends `make repro`."""

from collections.abc import Sequence

from pipeline.results.boards import Board, Claim
from pipeline.results.claims import SIGNIFICANT, judge_all
from pipeline.results.leaderboard import build, metrics_of, own_rows, under_floor
from pipeline.results.markdown import decimal, probability, table
from pipeline.results.tested import record_tests
from pipeline.storage.files import write_json, write_text
from pipeline.suite.schema import Suite


def write_report(suite: Suite) -> None:
    """Write leaderboards/README.md and leaderboards/claims.json below the suite's folder."""
    claims = judge_all(suite)
    boards = [build(suite, track) for track in suite.tracks]
    write_json(suite.places.claims, claims)
    record_tests(suite, boards)
    write_text(suite.places.overview, overview(suite, boards, claims))


def overview(suite: Suite, boards: Sequence[Board], claims: Sequence[Claim]) -> str:
    """Markdown over all tracks: winners, claims, and what stands behind the figures."""
    sections = [
        f"# Leaderboards of the {suite.name} suite",
        "The best system of each track and the next one. Published figures stand beside them, not "
        "among them, because they were not measured here.",
        _winners(suite, boards),
        *_not_run(boards),
        *_stale(boards),
        _floors(suite, boards),
        "## Claims",
        *_claims(suite, claims),
        "## How to read this",
        _reading(suite),
    ]
    return "\n\n".join(sections) + "\n"


def summary(suite: Suite) -> str:
    """What `make repro` says at its end."""
    lines = ["", f"Winners of the {suite.name} suite:"]
    for track in suite.tracks:
        board = build(suite, track)
        best = own_rows(board)[:1]
        score = (f"{best[0]['system']}  {board['metric']} {_score(suite, board, best[0]['value'])}"
                 if best else "no system has been run")
        lines.append(f"  {track:24}{score}")
        lines += [f"  {'':24}UNDER ITS FLOOR: {row['system']}" for row in under_floor(suite, board)]
    page = suite.places.overview.relative_to(suite.places.root)
    return "\n".join([*lines, f"Leaderboards: {page}, claims included",
                      "Compare all runs in MLflow: make ui"])


def _score(suite: Suite, board: Board, value: float | None) -> str:
    metrics = metrics_of(suite, board["track"])
    return decimal(value, metrics[board["metric"]].decimals)


def _winners(suite: Suite, boards: Sequence[Board]) -> str:
    header = ["track", "metric", "winner", "score", "95 % interval", "runner-up", "its score",
              "ceiling", "best published"]
    return table(header, [_winner_cells(suite, board) for board in boards],
                 numbers=["score", "95 % interval", "its score", "ceiling", "best published"])


def _winner_cells(suite: Suite, board: Board) -> list[str]:
    own = own_rows(board)
    # A track of which nothing has been run has no page yet.
    cells = [f"[{board['track']}]({board['track']}.md)" if own else board["track"],
             f"{board['metric']}, {board['better']} is better"]
    for place in (0, 1):
        row = own[place] if place < len(own) else None
        cells += [f"`{row['system']}`" if row else "–",
                  _score(suite, board, row["value"] if row else None)]
        if place == 0:
            cells.append(f"{_score(suite, board, row['low'])} to "
                         f"{_score(suite, board, row['high'])}" if row else "–")
    return [*cells, _score(suite, board, board["ceiling"]), _best_published(suite, board)]


def _best_published(suite: Suite, board: Board) -> str:
    metric = metrics_of(suite, board["track"])[board["metric"]]
    figures = [row["published"]["value"] for row in board["rows"] if row["published"]]
    best = max(figures, key=lambda value: metric.gain(value, 0.0), default=None)
    return decimal(best, metric.decimals)


def _not_run(boards: Sequence[Board]) -> list[str]:
    missing = [f"`{key}` ({board['track']})" for board in boards for key in board["not_run"]]
    return [f"Configured and not run yet: {', '.join(missing)}."] if missing else []


def _stale(boards: Sequence[Board]) -> list[str]:
    rows = [f"`{row['system']}`" for board in boards for row in own_rows(board)
            if row["evidence"].get("stale")]
    return [f"Stale, because the code or the settings have changed since, and to be trained again: "
            f"{', '.join(rows)}."] if rows else []


def _floors(suite: Suite, boards: Sequence[Board]) -> str:
    failures = [f"- **{board['track']}**: `{row['system']}` has {board['metric']} "
                f"{_score(suite, board, row['value'])} and is under its floor "
                f"{_score(suite, board, board['floor'])}"
                for board in boards for row in under_floor(suite, board)]
    stated = sum(board["floor"] is not None for board in boards)
    if failures:
        return "\n".join(["Systems under their floor:", *failures])
    return f"Tracks that state a floor: {stated}; every system that must reach one does."


def _claims(suite: Suite, claims: Sequence[Claim]) -> list[str]:
    if not suite.claims:
        return ["This suite states no claims."]
    judged = {claim["id"] for claim in claims}
    open_claims = [f"- {claim.text} (`{claim.track}`)" for claim in suite.claims
                   if claim.id not in judged]
    return [*(_judged(suite, claims) if claims else []),
            *(["Not judged, because a system that the claim names has not been run:",
               "\n".join(open_claims)] if open_claims else [])]


def _judged(suite: Suite, claims: Sequence[Claim]) -> list[str]:
    rows = [_claim_cells(suite, claim) for claim in claims]
    return [
        "Sentences of the lectures, held against these leaderboards. A claim says that one row is "
        "better than each of some others, so it is compared with the best of these.",
        table(["claim", "verdict", "claimed better", "compared with", "metric", "p",
               "spread over seeds", "track"], rows, numbers=["spread over seeds"]),
        "\n".join(f"- **{claim['text']}** ({claim['source']}): {_in_words(suite, claim)}"
                  for claim in claims),
    ]


def _claim_cells(suite: Suite, claim: Claim) -> list[str]:
    metric = metrics_of(suite, claim["track"])[claim["metric"]]
    better, worse = (f"`{claim[side]}` {decimal(claim['values'][claim[side]], metric.decimals)}"
                     for side in ("better", "worse"))
    spread = claim["seed_spread"]
    return [claim["text"], f"**{claim['verdict']}**", better, worse,
            f"{claim['metric']}, {metric.preference}", probability(claim["p"]),
            "not measured" if spread is None else decimal(spread, metric.decimals),
            f"[{claim['track']}]({claim['track']}.md)"]


def _in_words(suite: Suite, claim: Claim) -> str:
    metric = metrics_of(suite, claim["track"])[claim["metric"]]
    effect = metric.gain(claim["values"][claim["better"]], claim["values"][claim["worse"]])
    size = decimal(abs(effect), metric.decimals)
    return (f"{claim['verdict']}. `{claim['better']}` is {size} {claim['metric']} "
            f"{'better' if effect > 0 else 'worse'} than `{claim['worse']}` "
            f"({probability(claim['p'])}). {_why(claim, effect)}")


def _why(claim: Claim, effect: float) -> str:
    spread = claim["seed_spread"]
    if claim["p"] >= SIGNIFICANT:
        return "That is within what other test items could change."
    if spread is None:
        return "How much it moves between training seeds was not measured."
    if abs(effect) < spread:
        return "It moves more than that between training seeds, so nothing is decided."
    return "It moves less than that between training seeds."


def _reading(suite: Suite) -> str:
    lines = [
        f"- Intervals are 95 %, from {suite.resamples:,} bootstrap resamples of the test items.",
        f"- A claim holds when p < {SIGNIFICANT} in its direction and is refuted when "
        f"p < {SIGNIFICANT} in the other (one-sided, paired bootstrap on the same items); an "
        "effect smaller than its spread over training seeds is undecided whatever p says.",
        "- The spread over seeds is the largest minus the smallest effect over trainings that "
        "differ in nothing but their seed.",
    ]
    if suite.evidence == "ci":
        lines.append("- Everything here comes from one command, `make repro`, and `make verify` "
                     "trains it again in an empty clone and compares each score.")
    else:
        lines.append("- Every row of ours was trained and tested once, by this project; its page "
                     "names commit, processor and time. The predictions are committed, so anybody "
                     "who has the corpus can score them again with "
                     f"`unrolled rescore --suite {suite.name}`.")
    return "\n".join(lines)
