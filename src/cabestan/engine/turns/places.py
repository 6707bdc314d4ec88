"""How much of each kind of work goes on at once.

Each has places of its own, so that no kind can take the threads of another: all together are fewer than the threads
that there are, whatever the settings say. What needs this process's processor has few places, what mostly waits for the
engine has many; and but for jobs and runs no project gets all of a kind's.
"""

from enum import StrEnum

from cabestan.config import Settings
from cabestan.engine.turns.line import Places

#: more than all places with the greatest settings, and some for what DBOS does for itself
THREADS = 512


class Kind(StrEnum):
    """In this order they are served when several could begin: what a person waits for comes first."""

    #: a deployment that a person asked for or approved
    ASKED_DEPLOYMENT = "asked-deployment"
    #: one that a release brought about
    DEPLOYMENT = "deployment"
    #: taking away what a person wished
    DELETION = "deletion"
    #: what a person wishes of a managed service
    WISH = "wish"
    #: a run of a schedule
    RUN = "run"
    RELEASE = "release"
    #: deciding on the jobs of a pipeline
    PLANNING = "planning"
    #: the checks of a commit, in this process
    CHECK = "check"
    #: in a container of its own
    JOB = "job"
    #: what the clock wishes of a managed service
    UPKEEP = "upkeep"


def places(settings: Settings) -> dict[str, Places]:
    jobs, runs = settings.parallel_jobs, settings.parallel_runs
    return {
        Kind.ASKED_DEPLOYMENT: Places(48, each=16),
        Kind.DEPLOYMENT: Places(48, each=16),
        Kind.DELETION: Places(8, each=4),
        Kind.WISH: Places(16, each=4),
        Kind.RUN: Places(runs, each=runs),
        Kind.RELEASE: Places(8, each=3),
        Kind.PLANNING: Places(2, each=1),
        Kind.CHECK: Places(3, each=2),
        Kind.JOB: Places(jobs, each=jobs),
        Kind.UPKEEP: Places(4, each=2),
    }
