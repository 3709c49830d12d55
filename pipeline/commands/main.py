"""`unrolled`: the one command of the project, also `python -m pipeline`.

A verb here says what it takes and hands over to the function that does it. Everything heavy is
imported by the verb that needs it, so that help and listings appear at once. What a user can mend
ends with exit code 2 and one plain line.
"""

import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, CycloptsError, Parameter, Token

from pipeline.commands.outs import plain_output, print_lines
from pipeline.commands.project import run_the_projects_code, suite_file
from pipeline.ending import run_command
from pipeline.errors import UserError
from pipeline.version import VERSION

_Verb = Callable[..., None]
CORES = os.cpu_count() or 1

app = App(
    name="unrolled", version=VERSION, help_format="plaintext",
    default_parameter=Parameter(negative=()), result_action="return_value",
    suppress_keyboard_interrupt=False,
    help="Train, score, compare and use the systems of a suite.",
    help_epilogue="'unrolled VERB --help' shows what a verb takes, with an example.")
app.register_install_completion_command()


def _no_option(_: Any, value: str | Path | None) -> None:
    """A file may be '-'; anything else that begins so is a misspelt option."""
    if str(value).startswith("-") and str(value) != "-":
        raise ValueError(f"there is no option {value}")


def _between(option: str, least: float, most: float) -> Callable[[Any, Any], None]:
    """A check of an option's number, or of each if it takes several. NaN is in no range."""
    def check(_: Any, given: Any) -> None:
        if given == []:
            raise UserError(f"{option} has no number; give one at least")
        for number in given if isinstance(given, list) else [given]:
            if number is not None and not number >= least:
                raise UserError(f"{option} {number}: give {least} at least")
            if number is not None and not number <= most:
                raise UserError(f"{option} {number}: give {most} at most")

    return check


def _no_underflow(_: Any, temperature: float | None) -> None:
    """A network divides by it in single precision, which has no number much below this one."""
    if temperature is not None and 0 < temperature < _COLDEST:
        raise UserError(f"--temperature {temperature}: give 0, which always takes the best, or "
                        f"{_COLDEST} at least")


def _whole(_: Any, tokens: Sequence[Token]) -> int:
    """A whole number as it is written; the library would take 1.5 for 2."""
    (number,) = _wholes(_, tokens)
    return number


def _wholes(_: Any, tokens: Sequence[Token]) -> list[int]:
    for token in tokens:
        if not _WHOLE.fullmatch(token.value):
            raise ValueError(f"{token.value!r} is no whole number")
    return [int(token.value) for token in tokens]


_WHOLE = re.compile(r"[-+]?[0-9]{1,30}")
_LARGEST_SEED = 2**63 - 1
_COLDEST = 1e-6

SuiteName = Annotated[str | None, Parameter(
    name="--suite", help="a suite by name or by its params.yaml (default: that of this folder)")]
TrackName = Annotated[str | None, Parameter(help="only this track")]
Jobs = Annotated[int, Parameter(help="how many work side by side",
                                converter=_whole, validator=_between("--jobs", 1, 4096))]
Names = Annotated[str, Parameter(allow_leading_hyphen=True, validator=_no_option)]


def _verb(*examples: str, name: str | None = None) -> Callable[[_Verb], _Verb]:
    """Register a verb whose help ends with examples, which tests parse."""
    epilogue = "\n".join(["Example:", *(f"  unrolled {example}" for example in examples)])
    return app.command(name=name, help_epilogue=epilogue)


def _params(suite: str | None) -> Path:
    return suite_file(suite, _here())


@_verb("ls", "ls --track lm-word --costs")
def ls(*, track: TrackName = None,
       costs: Annotated[bool, Parameter(help="show seconds and memory")] = False,
       suite: SuiteName = None) -> None:
    """List tracks and their rows: which are trained here, and their scores."""
    from pipeline.commands.listing import listing
    from pipeline.suite.schema import load

    print_lines(listing(load(_params(suite)), track, costs))


@_verb('predict tagging-hmm text.txt --format csv', 'predict models/tagging-hmm - < text.txt')
def predict(row: Annotated[str, Parameter(help="SYSTEM or SYSTEM:VARIANT of the suite, or the "
                                               "folder of a trained system")], /,
            *files: Annotated[Names, Parameter(help="files, folders of them, or - for what comes "
                                                    "from standard input")],
            format: Annotated[str, Parameter(
                help="how answers are written: text, csv, json, or as the system's task can "
                     "besides (recordings: srt, for one)")] = "text",
            out: Annotated[Path | None, Parameter(
                allow_leading_hyphen=True, validator=_no_option,
                help="file to write, or a folder for a file each (srt and the like); - is the "
                     "screen")]
            = None,
            text: Annotated[str | None, Parameter(
                help="of a recording that is to be aligned, the words that are said in it")] = None,
            texts: Annotated[Path | None, Parameter(
                help="a file of lines 'NAME TEXT' for several recordings (default: a .txt beside "
                     "each)")] = None,
            suite: SuiteName = None) -> None:
    """Let a trained system answer files of your own."""
    from pipeline.commands.answer_formats import write_answers
    from pipeline.commands.texts import Texts

    if not files:
        raise UserError("name a file to answer, or - for standard input")
    write_answers(row, files, format, out, lambda: _params(suite), Texts(text, texts))


@_verb('create lm-lstm --prompt "the doctor" --temperature 0.8 --top-k 5',
       "create music-lstm --count 2 --length 48 --out pieces")
def create(row: Annotated[str, Parameter(help="a language model or a network of a music track")],
           /, *,
           count: Annotated[int | None, Parameter(
               converter=_whole,
               validator=_between("--count", 1, 100_000), help="texts or pieces (default: 1)")]
           = None,
           length: Annotated[int | None, Parameter(
               converter=_whole, validator=_between("--length", 1, 1_000_000),
               help="words, characters or quarter notes of each (default: 100, music 64, code "
                    "2,000 at most)")] = None,
           temperature: Annotated[float | None, Parameter(
               validator=[_between("--temperature", 0, 1_000), _no_underflow],
               help="below 1 the model dares less; 0 always takes the best (default: 1)")] = None,
           seed: Annotated[int | None, Parameter(
               converter=_whole, validator=_between("--seed", 0, _LARGEST_SEED),
               help="the same seed makes the same (default: 1)")] = None,
           prompt: Annotated[str | None, Parameter(help="text to go on from")] = None,
           top_k: Annotated[int | None, Parameter(
               converter=_whole, validator=_between("--top-k", 1, 2**31 - 1),
               help="texts: draw from the K best only (default: from all)")] = None,
           opening: Annotated[list[int] | None, Parameter(
               converter=_wholes, validator=_between("--opening", 0, 127),
               consume_multiple=True, help="music: MIDI pitches of the first step (default: as a "
                                           "training piece opens)")] = None,
           out: Annotated[Path | None, Parameter(
               allow_leading_hyphen=True, validator=_no_option,
               help="text: file to write instead of the screen; music: folder (default: "
                    "creations)")] = None,
           suite: SuiteName = None) -> None:
    """Let a trained network write text, or compose music as MIDI and WAV files."""
    from pipeline.commands.creating import create_lines

    given = {"count": count, "length": length, "temperature": temperature, "seed": seed,
             "prompt": prompt, "top_k": top_k, "opening": opening}
    wishes = {name: value for name, value in given.items() if value is not None}
    print_lines(create_lines(row, wishes, out, lambda: _params(suite)))


@_verb("repro", "repro --track addition", "repro --suite large --dry-run")
def repro(*, track: TrackName = None, jobs: Jobs = CORES,
          dry_run: Annotated[bool, Parameter(help="name what would run, and run nothing")] = False,
          suite: SuiteName = None) -> None:
    """Train, score and rank whatever is not up to date."""
    from pipeline.workflow.repro import reproduce

    reproduce(_params(suite), jobs, dry_run, track)


@_verb("try", name="try")
def try_(*, track: Annotated[str, Parameter(help="a small track")] = "sentiment",
         jobs: Jobs = CORES, suite: SuiteName = None) -> None:
    """Train one small track; show its leaderboard, and where a picture of it is."""
    from pipeline.commands.listing import listing, picture
    from pipeline.suite.schema import load
    from pipeline.workflow.repro import reproduce

    params = _params(suite)
    reproduce(params, jobs, False, track)
    loaded = load(params)
    print_lines([*listing(loaded, track, True), picture(loaded, track)])


@_verb("choose lm-lstm:cache weight=0.05,0.1,0.2 --suite real")
def choose(row: Annotated[str, Parameter(help="SYSTEM:VARIANT, whose system is trained")], /,
           *values: Annotated[str, Parameter(help="NAME=A,B: values of a setting to compare")],
           items: Annotated[int | None, Parameter(
               converter=_whole,
               validator=_between("--items", 1, 2**53), help="only so much of the validation data")]
           = None,
           suite: SuiteName = None) -> None:
    """Compare settings of a trained system's variant on validation data."""
    from pipeline.commands.choose import choose_settings

    print_lines(choose_settings(_params(suite), row, values, items))


@_verb("study asr-triphones acoustics.triphones.states=150,300")
def study(system: Annotated[str, Parameter(help="a system whose track's features are here")],
          values: Annotated[str, Parameter(help="SETTING=A,B: values of a setting to train with")],
          /, *, suite: SuiteName = None) -> None:
    """Train a system with several values of a setting and compare them on validation data."""
    from pipeline.commands.study import study_setting

    print_lines(study_setting(_params(suite), system, values))


@_verb("rescore --suite real", "rescore lm-lstm lm-gru")
def rescore(*systems: Annotated[str, Parameter(help="only these systems")],
            suite: SuiteName = None) -> None:
    """Score committed predictions again; the track's features must be here."""
    from pipeline.verification.rescore import rescore_suite

    sys.exit(rescore_suite(_params(suite), systems))


@_verb("spread", "spread lm-lstm lm-gru --seeds 3", "spread --carry-over --suite real")
def spread(*systems: Annotated[str, Parameter(help="only these systems")],
           everything: Annotated[bool, Parameter(
               name="--all", help="every system that is trained by gradient")] = False,
           seeds: Annotated[int, Parameter(
               converter=_whole,
               validator=_between("--seeds", 2, 1000), help="trainings of each system in all")] = 5,
           jobs: Jobs = 1,
           carry_over: Annotated[bool, Parameter(
               help="train nothing; keep trainings of an earlier version, where the suite's own "
                    "seed came out the same to the last bit")] = False,
           prune: Annotated[bool, Parameter(
               help="train nothing; remove trainings of versions that no row has")] = False,
           suite: SuiteName = None) -> None:
    """Train the systems that claims name with further seeds."""
    from pipeline.commands import earlier_seeds
    from pipeline.commands.spread import measure_suite

    params = _params(suite)
    if (carry_over or prune) and (systems or everything):
        raise UserError("--carry-over and --prune are about the whole suite; name no system")
    if carry_over:
        print_lines(earlier_seeds.carry_over(params))
    if prune:
        print_lines(earlier_seeds.prune(params))
    if not (carry_over or prune):
        measure_suite(params, systems, everything, seeds, jobs)


@_verb("leftovers", "leftovers --remove --suite real")
def leftovers(*, remove: Annotated[bool, Parameter(help="remove them")] = False,
              suite: SuiteName = None) -> None:
    """Name what systems, tracks and corpora that are gone have left behind."""
    from pipeline.commands import leftovers

    print_lines(leftovers.leftovers(_params(suite), remove))


@_verb("verify", "verify --keep /tmp/checked")
def verify(*, jobs: Jobs = CORES,
           keep: Annotated[Path | None, Parameter(help="work in this empty folder and leave it")]
           = None,
           no_train: Annotated[bool, Parameter(
               help="only hold committed files against each other, in about a minute")]
           = False) -> None:
    """Retrain the last commit in an empty clone and compare every score."""
    from pipeline.verification.verify import verify_last_commit

    _params(None)
    sys.exit(verify_last_commit(jobs, keep, train=not no_train))


@_verb("publish", "publish --suite real")
def publish(*, suite: SuiteName = None) -> None:
    """Add to the MLflow store whatever it lacks of the suite's results."""
    from pipeline.suite.schema import load
    from pipeline.tracking.publish import account, publish

    loaded = load(_params(suite))
    print_lines(account(loaded, publish(loaded)))


@_verb("site --output site", "site real --output /tmp/site")
def site(*suites: Annotated[str, Parameter(help="suites by name or by their params.yaml (default: "
                                                "all that have leaderboards)")],
         output: Annotated[Path, Parameter(
             allow_leading_hyphen=True, validator=_no_option,
             help="folder to write pages to, new or written by this command before")]) -> None:
    """Write boards, claims and answers as pages that open from disk in a browser."""
    from pipeline.commands.site import write_site

    print(write_site(suites, output, _here()), flush=True)


@_verb("ui", "ui --suite real --port 5001")
def ui(*, port: Annotated[int, Parameter(converter=_whole,
                                         validator=_between("--port", 1, 65535), env_var="PORT",
                                         help="where pages are served")] = 5000,
       browser: Annotated[bool, Parameter(negative="--no-browser",
                                          help="open the runs in a browser, if there is one")]
       = True, suite: SuiteName = None) -> None:
    """Publish results and compare them in MLflow, on this machine only."""
    from pipeline.suite.schema import load
    from pipeline.tracking.ui import serve

    serve(load(_params(suite)), port, browser)


def run(arguments: Sequence[str]) -> None:
    """Run a command line. Raises UserError for one that is wrong or cannot be done."""
    try:
        app(arguments, print_error=False, exit_on_error=False)
    except CycloptsError as error:
        raise UserError(f"{error}; 'unrolled --help' lists all verbs, 'unrolled VERB --help' what "
                        "one takes") from None


def main() -> None:
    """Run this process's command line by the project's code, and end with its exit code."""
    run_command(lambda: _run_here(sys.argv[1:]))


def _run_here(arguments: Sequence[str]) -> None:
    with plain_output():
        run_the_projects_code(arguments, _here())
        run(arguments)


def _here() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise UserError("the current folder has been removed; change to another one") from None
