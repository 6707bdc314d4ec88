"""Values for a working copy, where nobody knows yet what the platform will say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress

from cabestan.checks.subject import Subject
from cabestan.compose.dotenv import read_dotenv
from cabestan.compose.findings import ComposeRefused
from cabestan.compose.library import needed_files
from cabestan.domain.predefined import Place, names_for
from cabestan.domain.tree import LinkRefused

REGISTRY = "registry.example.org"
PROJECT = "group/project"
COMMIT = "0" * 40
DOMAIN = "example.org"
#: for a variable that must be there, and whose value only the platform knows
_SOMETHING = "value"
_REQUIRED = re.compile(r"(?<!\$)(?:\$\$)*\$\{([A-Za-z_][A-Za-z0-9_]*):?\?", re.ASCII)


def of_the_platform(subject: Subject, environment: str, domain: str = "") -> dict[str, str]:
    """What the platform sets by itself; the environment's address where no `domain` is known."""
    domain = domain or f"{environment.replace('/', '-')}.{DOMAIN}"
    return {
        **dict.fromkeys(names_for(Place.DEPLOYMENT), _SOMETHING),
        "CI_COMMIT_SHA": subject.commit,
        "CI_COMMIT_SHORT_SHA": subject.commit[:8],
        "CI_COMMIT_BRANCH": subject.branch,
        "CI_COMMIT_REF_NAME": subject.branch,
        "CI_PROJECT_PATH": subject.project,
        "CI_REGISTRY": subject.registry,
        "CI_REGISTRY_IMAGE": subject.registry_image,
        "CI_ENVIRONMENT_NAME": environment,
        "CI_ENVIRONMENT_SLUG": environment.replace("/", "-"),
        "CI_ENVIRONMENT_DOMAIN": domain,
        "CI_ENVIRONMENT_URL": f"https://{domain}",
    }


def required(subject: Subject) -> Mapping[str, str]:
    """Something for each variable that must be set, and whose value only the platform knows."""
    with suppress(ComposeRefused, LinkRefused):  # which the checks tell
        texts = needed_files(subject.compose, subject.further).values()
        return dict.fromkeys(_REQUIRED.findall("\n".join(texts)), _SOMETHING)
    return {}


def of_env_file(subject: Subject) -> Mapping[str, str]:
    """What `.env` says."""
    with suppress(LinkRefused):
        return {one.name: one.value for one in read_dotenv(subject.read(subject.env_file))} if subject.env_file else {}
    return {}
