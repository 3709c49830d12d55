"""What can be said of committed results without training anything.

Every file of a result folder must be one that the suite's entries name, and none may lack. What
dvc.lock says of a file must be true of it, and of what one stage wrote and another read it must say
the same. Whatever params.yaml decides in a result must stand there as it says. Pages and claims
are made anew and compared whole.
"""

from pipeline.provenance.inputs import make_seed_folders
from pipeline.provenance.lock import Lock
from pipeline.results.leaderboard import read_result, systems_run
from pipeline.suite.schema import Suite
from pipeline.verification.comparison import Findings
from pipeline.verification.lock_entries import check_lock
from pipeline.verification.pages import check_pages
from pipeline.verification.records import check_costs, check_seeds, stated_differences
from pipeline.verification.result_files import file_differences, result_folders


def check_committed(suite: Suite, findings: Findings) -> None:
    """Hold every committed file of a suite against what it must be, as far as files tell.

    The `inputs/` of a suite that was run once must have been written.
    """
    lock = Lock(suite.places)
    make_seed_folders(suite)  # git keeps no empty folder
    findings.note("result folders", list(file_differences(suite)), len(result_folders(suite)))
    check_lock(suite, lock, findings)
    keys = [key for track in suite.tracks for key in systems_run(suite, track)]
    for key in keys:
        findings.note("metrics files", [f"{suite.suite}metrics: {text}" for text in
                                        stated_differences(suite, key, read_result(suite, key))])
    check_seeds(suite, keys, findings)
    if suite.evidence == "run":
        check_costs(suite, keys, lock, findings)
    check_pages(suite, findings)
