"""Files with labels, for the tests of routes."""

from __future__ import annotations

from collections.abc import Mapping

from tests.compose.samples import IMAGE, codes, loaded

from cabestan.compose.routing import routes
from cabestan.domain.route import Route

DOMAIN = "env.example.org"


def services(**labels: Mapping[str, str]) -> str:
    """A file with these services, each of which exposes port 80; all on one line each, in which `$` is doubled."""
    lines = ["services:"]
    for name, wanted in labels.items():
        pairs = ", ".join(f"{_quoted(label)}: {_quoted(value)}" for label, value in wanted.items())
        lines.append(f"  {name}: {{image: {IMAGE}, expose: [80], labels: {{{pairs}}}}}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$").replace("\n", "\\n")
    return f'"{escaped}"'


def of(text: str) -> tuple[Route, ...]:
    return routes(loaded(text, {"CI_ENVIRONMENT_DOMAIN": DOMAIN}).compose, DOMAIN)


def old(rule: str, **more: str) -> str:
    """One service with a rule of Traefik 1."""
    return services(web={"traefik.frontend.rule": rule, **{f"traefik.{k}": v for k, v in more.items()}})


def new(rule: str, more: Mapping[str, str] | None = None) -> str:
    """One service with a rule of Traefik 2 or 3."""
    return services(web={"traefik.http.routers.r.rule": rule, **(more or {})})


def refused(text: str) -> list[str]:
    """The codes of what is wrong."""
    return [code for code, _ in codes(text)]
