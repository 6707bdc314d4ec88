"""What the tests of this directory share: a context, and shapes of files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from cabestan.compose.findings import ComposeRefused, Finding
from cabestan.compose.load import Loaded, load
from cabestan.compose.render import StackContext, render
from cabestan.compose.stack import Stack

COMMIT = "0123456789abcdef0123456789abcdef01234567"
IMAGE = f"registry:5000/demo/hello/app:{COMMIT}"
DIGEST = f"registry:5000/demo/hello/app@sha256:{'ab' * 32}"
SECRETS = frozenset({"API_KEY", "DB_PASSWORD"})
NO_VARIABLES: Mapping[str, str] = {}


def context(**changes: Any) -> StackContext:
    known: dict[str, Any] = {
        "stack": "cabestan-demo-hello-staging",
        "network": "cabestan-demo-hello-staging",
        "instance": "cabestan",
        "project": "demo/hello",
        "environment": "staging",
        "release": 7,
        "images": {IMAGE: DIGEST},
        "secrets": SECRETS,
    }
    return StackContext(**{**known, **changes})


def loaded(text: str, variables: Mapping[str, str] = NO_VARIABLES) -> Loaded:
    return load(text, "docker-compose.yml", variables)


def web(lines: str, rest: str = "") -> str:
    """A file with the service `web`, whose own keys are these lines; they begin on line 4."""
    body = "".join(f"    {line}\n" for line in lines.splitlines())
    return f"services:\n  web:\n    image: {IMAGE}\n{body}{rest}"


def rendered(text: str, variables: Mapping[str, str] = NO_VARIABLES, **changes: Any) -> Stack:
    return render(loaded(text, variables).compose, context(**changes))


def refusal(text: str, variables: Mapping[str, str] = NO_VARIABLES) -> tuple[Finding, ...]:
    """The errors of a file that is refused."""
    with pytest.raises(ComposeRefused) as refused:
        loaded(text, variables)
    return tuple(finding for finding in refused.value.findings if finding.severity == "error")


def codes(text: str, variables: Mapping[str, str] = NO_VARIABLES) -> list[tuple[str, int]]:
    """Code and line of each error."""
    return [(finding.code, finding.line) for finding in refusal(text, variables)]
