"""A project's files in memory, as the checks take them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cabestan.checks.check import check
from cabestan.checks.stand_ins import of_the_platform
from cabestan.checks.subject import Place, Subject
from cabestan.compose.findings import NOTHING_WAIVED, Waivers
from cabestan.domain.finding import Finding
from cabestan.domain.tree import Tree
from cabestan.pipeline.convention import compose_file

COMMIT = "0123456789abcdef0123456789abcdef01234567"
DOCKERFILE = "FROM cabestan/python:3.11\nUSER 1001\n"
COMPOSE = "services:\n  web:\n    image: ${CI_REGISTRY_IMAGE}:${CI_COMMIT_SHA}\n"
FILES = {"Dockerfile": DOCKERFILE, "docker-compose.yml": COMPOSE}


def subject(files: Mapping[str, str], **changes: Any) -> Subject:
    compose = compose_file(frozenset(files))
    known: dict[str, Any] = {
        "project": "shop/api",
        "commit": COMMIT,
        "branch": "main",
        "registry": "registry:5000",
        "tree": Tree(frozenset(files)),
        "read": lambda path: files[path],
        "sets": ((compose,),) if compose else (),
    }
    return Subject(**known | changes)


def place(of: Subject, name: str = "staging", *, decides: bool = True, **variables: str) -> Place:
    return Place(name, {**of_the_platform(of, name), **variables}, known=variables, decides=decides)


def found(files: Mapping[str, str], *, waivers: Waivers = NOTHING_WAIVED, **changes: Any) -> tuple[Finding, ...]:
    """What one environment's check finds."""
    one = subject(files, **changes)
    return check(one, [place(one)], waivers)


def told(findings: tuple[Finding, ...]) -> list[tuple[str, str, str, int]]:
    """Code, severity, file and line of each, without what hadolint says."""
    return [(f.code, f.severity, f.file, f.line) for f in findings if f.code[:2] not in ("DL", "SC")]
