"""The variables that Cabestan itself sets, named as GitLab names them."""

import re
from dataclasses import dataclass
from enum import StrEnum


class Place(StrEnum):
    """Who gets a variable."""

    #: the Compose file of a deployment, and the jobs of a pipeline
    BOTH = "both"
    #: the Compose file of a deployment
    DEPLOYMENT = "deployment"
    #: the jobs of a pipeline
    JOB = "job"


@dataclass(frozen=True)
class Predefined:
    """`meaning` is a sentence for the documentation, whose table is compared with this one."""

    name: str
    place: Place
    meaning: str


_B, _D, _J = Place.BOTH, Place.DEPLOYMENT, Place.JOB
PREDEFINED = tuple(
    Predefined(*row)
    for row in (
        ("CI", _B, "always `true`"),
        ("CI_BUILDS_DIR", _J, "folder of the job's source"),
        ("CI_COMMIT_AUTHOR", _B, "author of the commit, as `Name <address>`"),
        ("CI_COMMIT_BEFORE_SHA", _B, "where the branch stood before the push; zeros where it was not or none was"),
        ("CI_COMMIT_BRANCH", _B, "branch that was pushed"),
        ("CI_COMMIT_DESCRIPTION", _B, "the message without its first line"),
        ("CI_COMMIT_MESSAGE", _B, "message of the commit"),
        ("CI_COMMIT_REF_NAME", _B, "the same: nothing but branches sets off pipelines"),
        ("CI_COMMIT_REF_PROTECTED", _B, "`true` for a protected branch, else `false`"),
        ("CI_COMMIT_REF_SLUG", _B, "the branch in lower case, `-` for all but letters and digits, cut to 63"),
        ("CI_COMMIT_SHA", _B, "commit, all its digits"),
        ("CI_COMMIT_SHORT_SHA", _B, "its first eight digits"),
        ("CI_COMMIT_TIMESTAMP", _B, "when it was committed, in ISO 8601"),
        ("CI_COMMIT_TITLE", _B, "first line of its message"),
        ("CI_DEFAULT_BRANCH", _B, "the project's default branch"),
        ("CI_DISPOSABLE_ENVIRONMENT", _J, "always `true`: the job's container is its own"),
        ("CI_ENVIRONMENT_ACTION", _D, "always `start`"),
        ("CI_ENVIRONMENT_DOMAIN", _D, "host name of the environment"),
        ("CI_ENVIRONMENT_ID", _D, "number of the environment"),
        ("CI_ENVIRONMENT_NAME", _D, "name of the environment, such as `review/login`"),
        ("CI_ENVIRONMENT_SLUG", _D, "its name with `-` for `/`"),
        ("CI_ENVIRONMENT_TIER", _D, "`production`, `staging`, `testing`, `development` or `other`, by its name"),
        ("CI_ENVIRONMENT_URL", _D, "address of the environment, with its scheme"),
        ("CI_JOB_ID", _J, "number of the job"),
        ("CI_JOB_IMAGE", _J, "image that the job runs in"),
        ("CI_JOB_NAME", _J, "name of the job"),
        ("CI_JOB_NAME_SLUG", _J, "the name in lower case, `-` for all but letters and digits"),
        ("CI_JOB_STAGE", _J, "stage of the job"),
        ("CI_JOB_STARTED_AT", _J, "when the job began, in ISO 8601"),
        ("CI_JOB_TIMEOUT", _J, "seconds that the job may take"),
        ("CI_JOB_URL", _J, "page of the job"),
        ("CI_NODE_TOTAL", _J, "always `1`"),
        ("CI_PIPELINE_CREATED_AT", _B, "when the pipeline was made, in ISO 8601"),
        ("CI_PIPELINE_ID", _B, "number of the pipeline that made the release, or that the job is of"),
        ("CI_PIPELINE_SOURCE", _B, "`push`, `web` (the page) or `api` (command line too)"),
        ("CI_PIPELINE_URL", _B, "page of the pipeline"),
        ("CI_PROJECT_DIR", _J, "where the job has its source"),
        ("CI_PROJECT_ID", _B, "number of the project"),
        ("CI_PROJECT_NAME", _B, "name of the project without its group"),
        ("CI_PROJECT_NAMESPACE", _B, "group of the project"),
        ("CI_PROJECT_NAMESPACE_SLUG", _B, "the group in lower case, `-` for all but letters and digits"),
        ("CI_PROJECT_PATH", _B, "group and name: `shop/api`"),
        ("CI_PROJECT_PATH_SLUG", _B, "the same with `-`: `shop-api`"),
        ("CI_PROJECT_ROOT_NAMESPACE", _B, "the group too: groups hold no groups"),
        ("CI_PROJECT_TITLE", _B, "the project's name too"),
        ("CI_PROJECT_URL", _B, "page of the project"),
        ("CI_PROJECT_VISIBILITY", _B, "always `private`: members alone see a project"),
        ("CI_REGISTRY", _B, "address of the registry"),
        ("CI_REGISTRY_IMAGE", _B, "beginning of the names of the project's images"),
        ("CI_REPOSITORY_URL", _J, "address of the repository; a job has no network to reach it by"),
        ("CI_SERVER", _B, "always `yes`"),
        ("CI_SERVER_FQDN", _B, "host and, where it is not the scheme's own, port of Cabestan"),
        ("CI_SERVER_HOST", _B, "host of Cabestan"),
        ("CI_SERVER_NAME", _B, "always `Cabestan`"),
        ("CI_SERVER_PORT", _B, "port of Cabestan"),
        ("CI_SERVER_PROTOCOL", _B, "`http` or `https`"),
        ("CI_SERVER_URL", _B, "address of Cabestan"),
        ("CI_SERVER_VERSION", _B, "version of Cabestan"),
        ("CI_SERVER_VERSION_MAJOR", _B, "its first number"),
        ("CI_SERVER_VERSION_MINOR", _B, "its second number"),
        ("CI_SERVER_VERSION_PATCH", _B, "its third number"),
        ("GITLAB_USER_LOGIN", _B, "name of who set the pipeline off"),
        ("GITLAB_USER_NAME", _B, "the same"),
    )
)  # fmt: skip


#: the first that fits counts
_TIERS = tuple(
    (name, re.compile(pattern, re.IGNORECASE))
    for name, pattern in (
        ("development", "dev|review|trunk"),
        ("testing", "test|tst|int|ac(?:ce)?pt|qa|qc|control|quality"),
        ("staging", "sta?g|mode?l|pre|demo|non"),
        ("production", "pro?d|live"),
    )
)


def names_for(place: Place) -> frozenset[str]:
    """All that a deployment, or a job, is given."""
    return frozenset(entry.name for entry in PREDEFINED if entry.place in (place, Place.BOTH))


def tier(environment: str) -> str:
    """What kind of environment it is, by GitLab's own guesses at names."""
    return next((name for name, pattern in _TIERS if pattern.search(environment)), "other")


def slugify(text: str) -> str:
    """As GitLab does: every other character becomes a hyphen, at most 63 are kept."""
    return re.sub(r"[^a-z0-9]", "-", text.lower())[:63].strip("-")
