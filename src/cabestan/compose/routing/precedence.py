"""Which routes catch the requests of others: what is refused, what is warned of, and who comes first.

As in Traefik 1, the higher priority wins, and the length of the rule counts where there is none. But a route of which
every request would go to a wider one is put before that: nobody writes a route that is never reached.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations

from cabestan.compose.findings import Report
from cabestan.compose.routing.draft import Draft
from cabestan.compose.routing.patterns import found_in
from cabestan.compose.routing.rule import Match, Not, alternatives, claims_of
from cabestan.domain.route import Middleware


def ordered(report: Report, drafts: Sequence[Draft]) -> tuple[Draft, ...]:
    """The drafts with the priorities that they get, less those that only do what the platform does for all."""
    kept = [_opened(draft, drafts) for draft in drafts if not _is_redirect(report, draft, drafts)]
    covering = _covering(kept)
    twice = [pair for pair in covering if pair[0] < pair[1] and pair[::-1] in covering]
    for one, other in ((kept[one], kept[other]) for one, other in twice):
        message = f"{other.words[:200]} leads to {one.title} as well as to {other.title}."
        report.error("route-twice", other.spot, message, "Change one of the rules.")
    return _lifted(report, kept, [pair for pair in covering if pair[::-1] not in covering])


def _covering(drafts: Sequence[Draft]) -> dict[tuple[int, int], None]:
    """Of which two the first one would take all requests of the second; in the order of the drafts."""
    names = [_names(draft) for draft in drafts]
    return {
        (wide, narrow): None
        for wide, narrow in permutations(range(len(drafts)), 2)
        if not (names[wide] and names[narrow] and names[wide].isdisjoint(names[narrow]))
        and _meet(drafts[wide], drafts[narrow])
        and covers(drafts[wide], drafts[narrow])
    }


def _names(draft: Draft) -> frozenset[str]:
    """What it is bound to, where that is names alone: most are, and two of others are quick to see."""
    claims = claims_of(draft.rule) or frozenset()
    return frozenset() if any("*" in claim for claim in claims) else claims


def _lifted(report: Report, drafts: list[Draft], hidden: Sequence[tuple[int, int]]) -> tuple[Draft, ...]:
    priorities = [draft.priority for draft in drafts]
    for wide, narrow in hidden:
        if priorities[wide] > priorities[narrow]:
            _warn(report, drafts[wide], drafts[narrow])
    for _ in drafts:
        for wide, narrow in hidden:
            priorities[narrow] = max(priorities[narrow], priorities[wide] + 1)
    return tuple(replace(draft, priority=found) for draft, found in zip(drafts, priorities, strict=True))


def _warn(report: Report, wide: Draft, narrow: Draft) -> None:
    message = (
        f"By its priority {wide.title} would take all requests of {narrow.title}, so {narrow.title} is put before it."
    )
    remedy = f"Give {narrow.title} the higher priority: the higher number wins."
    report.warn("route-hidden", narrow.spot, message, remedy)


def _opened(draft: Draft, drafts: Sequence[Draft]) -> Draft:
    """The platform itself redirects to HTTPS; and a route for HTTP answers over HTTPS too, unless another one does."""
    steps = tuple(step for step in draft.middlewares if not _redirects(step))
    if len(steps) < len(draft.middlewares):
        return replace(draft, middlewares=steps, entrypoints=("https",))
    if draft.entrypoints == ("http",) and not _has_secure_like(draft, drafts):
        return replace(draft, entrypoints=("http", "https"))
    return draft


def _redirects(step: Middleware) -> bool:
    return step.kind == "redirectscheme" and ("scheme", "https") in step.options


def _has_secure_like(draft: Draft, drafts: Sequence[Draft]) -> bool:
    others = (other for other in drafts if other is not draft and other.entrypoints != ("http",))
    return any(covers(other, draft) for other in others)


def _is_redirect(report: Report, draft: Draft, drafts: Sequence[Draft]) -> bool:
    """Whether it only sends requests by HTTP to another route by HTTPS, which the platform does by itself."""
    if draft.entrypoints != ("http",) or not any(map(_redirects, draft.middlewares)):
        return False
    if not _has_secure_like(draft, drafts):
        return False
    message = f"{draft.title} is left out: the platform itself sends its requests on to HTTPS."
    report.warn("route-ignored", draft.spot, message, "Remove it.")
    return True


def _meet(one: Draft, other: Draft) -> bool:
    """Whether there is an entry point that both listen on."""
    return not one.entrypoints or not other.entrypoints or bool({*one.entrypoints} & {*other.entrypoints})


def covers(wide: Draft, narrow: Draft) -> bool:
    """Whether every request for the narrow route fits the wide one, as far as their rules show it."""
    broad = alternatives(wide.rule)
    special = alternatives(narrow.rule)
    return bool(broad and special) and all(any(_follows(one, other) for one in broad) for other in special)


def _follows(conditions: tuple[Match | Not, ...], given: tuple[Match | Not, ...]) -> bool:
    """Whether all conditions hold wherever the given ones do."""
    return all(any(_implies(known, condition) for known in given) or _always(condition) for condition in conditions)


def _always(condition: Match | Not) -> bool:
    return condition == Match("PathPrefix", ("/",))


def _implies(known: Match | Not, condition: Match | Not) -> bool:
    if known == condition:
        return True
    match known, condition:
        case Match("Host", (host,)), Match("HostRegexp", (pattern,)):
            return found_in(pattern, host)
        case Match("Path" | "PathPrefix", (path,)), Match("PathPrefix", (prefix,)):
            return path.startswith(prefix)
        case Match("Path", (path,)), Match("PathRegexp", (pattern,)):
            return found_in(pattern, path)
    return False
