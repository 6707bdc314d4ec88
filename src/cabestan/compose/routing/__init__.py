"""Routes from the labels of services, in the words of Traefik 1, 2 or 3, and their labels for Traefik 3.

Only what is understood whole becomes a route: rules are parsed into trees, checked, and written anew, so that nothing
can be smuggled into one. Every rule is bound to host names (`claims`), which the engine checks against their owners.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from cabestan.compose.findings import Report
from cabestan.compose.model import ComposeFile
from cabestan.compose.routing import frontends, routers
from cabestan.compose.routing.definitions import definitions
from cabestan.compose.routing.draft import Draft
from cabestan.compose.routing.labels import ENABLE, Labels
from cabestan.compose.routing.parts import Definitions
from cabestan.compose.routing.precedence import ordered
from cabestan.compose.routing.rule import to_text
from cabestan.domain.route import Route

#: stands in for the environment's domain where a file is checked without one
NO_DOMAIN = "environment.invalid"
_PLAIN = re.compile(r"[^a-z0-9-]+", re.ASCII)


def routes(compose: ComposeFile, domain: str = NO_DOMAIN) -> tuple[Route, ...]:
    """The routes of all services, in the order of the file. Raises ComposeRefused."""
    report = Report(compose.file)
    found = check_routes(report, compose, domain)
    report.refuse_if_wrong()
    return found


def check_routes(report: Report, compose: ComposeFile, domain: str = NO_DOMAIN) -> tuple[Route, ...]:
    """As `routes`, into a report. `domain` is what rules hold for that name no host."""
    every = [Labels.of(report, service) for service in compose.services]
    known = definitions(every)
    drafts = [draft for labels in every for draft in _of_service(labels, known, domain)]
    return _named(ordered(report, drafts))


def _of_service(labels: Labels, known: Definitions, domain: str) -> Iterator[Draft]:
    frontends.check(labels)
    old, new = frontends.is_routed(labels), routers.is_routed(labels)
    if not _is_enabled(labels, old or new):
        return
    if labels.service.runs_once or labels.service.by_the_clock:
        labels.wrong(ENABLE, "A service that runs to its end cannot be routed.", "Write `labels: []` there.")
    if old and new:
        message = "The service has rules of Traefik 1 and of a later one, which would be two routes for one."
        labels.wrong(ENABLE, message, "Keep traefik.frontend.… or traefik.http.…, not both.")
    yield from (routers.drafts(labels, known, domain) if new else frontends.drafts(labels, domain))


def _is_enabled(labels: Labels, ruled: bool) -> bool:
    """A rule alone is enough, as it was in Traefik 1."""
    value = (labels.get(ENABLE) or ("true" if ruled else "false")).lower()
    if value not in ("true", "false"):
        labels.wrong(ENABLE, f"{ENABLE} is {value[:40]!r}.", "Write 'true' or 'false'.")
    return value == "true"


def _named(drafts: tuple[Draft, ...]) -> tuple[Route, ...]:
    """With names of characters that labels may hold, each one of its own."""
    found: dict[str, Route] = {}
    for draft in drafts:
        wanted = "-".join(filter(None, (_plain(draft.service.name), _plain(draft.part))))
        name, count = wanted, 1
        while name in found:
            count += 1
            name = f"{wanted}-{count}"
        found[name] = _route(name, draft)
    return tuple(found.values())


def _plain(text: str) -> str:
    return _PLAIN.sub("-", text.lower())


def _route(name: str, draft: Draft) -> Route:
    return Route(
        name=name,
        service=draft.service.name,
        rule=to_text(draft.rule),
        source=draft.words,
        claims=draft.claims,
        port=draft.port,
        priority=draft.priority,
        scheme=draft.scheme,
        entrypoints=draft.entrypoints,
        middlewares=draft.middlewares,
        options=draft.options,
    )
