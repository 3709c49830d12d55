"""Where everything lies that a suite's entries name: the one owner of the file layout.

    data/<corpus>/                          a corpus in its publisher's format
    features/<track>/fit, test              what training reads, what evaluation reads
    models/<system>/                        a trained system
    predictions/<track>/<system>/           answers, and statistics of each test item
    metrics/<track>/<system>.json           scores
    costs/<track>/<system>.<stage>.json     seconds and memory
    curves/<track>/<system>.json            how a training went, for `dvc plots`
    figures/<track>/<system>/               pictures of one system
    seeds/<track>/<system>/<variant>/       further trainings of a row: <version>/<seed>, statistics
                                            of its test items and what it was
    leaderboards/                           pages, the JSON behind them, and their pictures
    tests.json                              every score that a row ever had on its test set
    inputs/<stage>/<key>.json               what a stage is made from
    work/                                   checkpoints and logs; DVC and git do not know it

All but `work`, which the suites share, lie in the suite's own folder. `Places.below` names the same
folders elsewhere, for a training that is not the suite's own (another seed, a verification).

Names are checked where a suite is read (`pipeline.entries`). Whatever reaches this module another
way (a command line, a file of inputs) finds a second wall: no path that it gives out leaves its
folder.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.errors import UserError

PLAIN = "plain"
# What no suite can be called, and no track: it would lie in another one's place.
FOLDERS = frozenset({
    "data", "features", "models", "predictions", "metrics", "costs", "curves", "figures",
    "leaderboards", "inputs", "work", "seeds", "studies", "mlartifacts", "mlruns", "pipeline",
    "stages", "tests", "docs", "benchmarks", "requirements", "build", "site", "embedded"})
PAGES = frozenset({"readme", "claims"})
_ITEMS = ".items.parquet"


def _in(folder: Path, *parts: str) -> Path:
    """A path of names below `folder`. Raises UserError for what is no name."""
    for part in parts:
        if part in ("", ".", "..") or not part.isprintable() or set(part) & {"/", "\\"}:
            raise UserError(f"{part!r} is no name of a file or a folder in {folder}")
    return folder.joinpath(*parts)


@dataclass(frozen=True)
class Places:
    """`root` is the project's folder, `suite` that of the suite in it: '' or, say, 'real/'."""

    root: Path
    suite: str = ""

    def __post_init__(self) -> None:
        if self.suite:
            _in(self.root, self.suite.removesuffix("/"))

    @property
    def base(self) -> Path:
        """The suite's own folder."""
        return self.root / self.suite

    def below(self, folder: Path) -> "Places":
        """The same layout in another folder."""
        return replace(self, root=folder, suite="")

    @property
    def params(self) -> Path:
        return self.base / "params.yaml"

    @property
    def pipeline(self) -> Path:
        return self.base / "dvc.yaml"

    @property
    def lock(self) -> Path:
        return self.base / "dvc.lock"

    @property
    def inputs(self) -> Path:
        return self.base / "inputs"

    def input(self, stage: str, key: str = "") -> Path:
        """What the stage of one entry, or of the whole suite, is made from."""
        return _in(self.inputs, *([stage, f"{key}.json"] if key else [f"{stage}.json"]))

    @property
    def studies(self) -> Path:
        """What settings do on validation data: of no stage, so DVC removes nothing there."""
        return self.base / "studies"

    def study(self, track: str, system: str, setting: str) -> Path:
        """The study of one setting, which is named as in 'triphones.states'."""
        return _in(self.studies, track, f"{system}.{setting}.json")

    def data(self, corpus: str) -> Path:
        return _in(self.base, "data", corpus)

    def features(self, track: str) -> Path:
        return _in(self.base, "features", track)

    def fit(self, track: str) -> Path:
        """The features that training may read."""
        return self.features(track) / "fit"

    def test(self, track: str) -> Path:
        """The features that evaluation alone may read."""
        return self.features(track) / "test"

    def model(self, system: str) -> Path:
        return _in(self.base, "models", system)

    def predictions(self, track: str, system: str) -> Path:
        """The folder of a system's answers."""
        return _in(self.all_predictions, track, system)

    def answers(self, track: str, system: str, variant: str) -> Path:
        """The answers of a variant; a system without variants has one, `PLAIN`."""
        return _in(self.predictions(track, system), f"{variant or PLAIN}.parquet")

    def items(self, track: str, system: str, variant: str) -> Path:
        """The statistics of each test item that a variant's answers give."""
        return _in(self.predictions(track, system), f"{variant or PLAIN}{_ITEMS}")

    @property
    def all_predictions(self) -> Path:
        return self.base / "predictions"

    @property
    def all_metrics(self) -> Path:
        return self.base / "metrics"

    @property
    def all_costs(self) -> Path:
        return self.base / "costs"

    def metrics(self, track: str, system: str) -> Path:
        return _in(self.all_metrics, track, f"{system}.json")

    def cost(self, track: str, system: str, stage: str) -> Path:
        """What the `train` or the `evaluate` stage of a system has cost."""
        return _in(self.all_costs, track, f"{system}.{stage}.json")

    @property
    def all_curves(self) -> Path:
        return self.base / "curves"

    def curve(self, track: str, system: str) -> Path:
        """The learning curve of a system that is trained by gradient."""
        return _in(self.all_curves, track, f"{system}.json")

    def figures(self, track: str, system: str) -> Path:
        return _in(self.base, "figures", track, system)

    @property
    def leaderboards(self) -> Path:
        return self.base / "leaderboards"

    def board(self, track: str) -> Path:
        """A leaderboard as JSON."""
        return _in(self.leaderboards, f"{track}.json")

    def page(self, track: str) -> Path:
        """A leaderboard as a page for people."""
        return _in(self.leaderboards, f"{track}.md")

    def pictures(self, track: str) -> Path:
        """The folder of the pictures on a leaderboard's page."""
        return _in(self.leaderboards, track)

    @property
    def tests(self) -> Path:
        """Every score that a row ever had on its test set."""
        return self.base / "tests.json"

    @property
    def overview(self) -> Path:
        return self.leaderboards / "README.md"

    @property
    def claims(self) -> Path:
        return self.leaderboards / "claims.json"

    @property
    def all_seeds(self) -> Path:
        """Further trainings of rows; no output of any stage, so DVC never removes it."""
        return self.base / "seeds"

    def seeds(self, track: str) -> Path:
        """Further trainings of a track's rows."""
        return _in(self.all_seeds, track)

    def row_seeds(self, track: str, system: str, variant: str) -> Path:
        """Those of one row, with a folder for each version that was measured."""
        return _in(self.seeds(track), system, variant or PLAIN)

    def seed_record(self, track: str, system: str, variant: str, version: str, seed: int) -> Path:
        """What a training with a seed was, and what the row scored."""
        return _in(self.row_seeds(track, system, variant), version, f"{seed}.json")

    def seed_items(self, track: str, system: str, variant: str, version: str, seed: int) -> Path:
        """The statistics of each test item that the answers of a training with a seed give."""
        return _in(self.row_seeds(track, system, variant), version, f"{seed}{_ITEMS}")

    @property
    def work(self) -> Path:
        return self.root / "work"

    @property
    def downloads(self) -> Path:
        """Where files of corpora grow until they are whole."""
        return self.work / "downloads"

    @property
    def logs(self) -> Path:
        return self.work / "logs"

    def checkpoints(self, system: str, seed: int, version: str) -> Path:
        """The checkpoints of one version of a system; suites share names of systems.

        Each seed has a folder of its own: of its trainings one is kept, and others go on beside it.
        """
        return _in(self.seed_checkpoints(system, seed), version)

    def seed_checkpoints(self, system: str, seed: int) -> Path:
        """The folder with the checkpoints of all versions of a system with one seed."""
        return _in(self.all_checkpoints(system), str(seed))

    def all_checkpoints(self, system: str) -> Path:
        """The folder with the checkpoints of all seeds and versions of a system."""
        return _in(self.work, "checkpoints", self.suite.rstrip("/") or "embedded", system)

    def again(self) -> "Places":
        """Where a verification runs systems a second time."""
        return self.below(self.work / "again")

    @property
    def tracking_database(self) -> Path:
        return self.root / "mlflow.db"

    @property
    def artifacts(self) -> Path:
        return self.root / "mlartifacts"
