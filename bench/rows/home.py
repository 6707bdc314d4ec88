"""The first page with many projects, beside the same with a short history."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from statistics import median

import httpx

from bench import seeding
from bench.figures import Figure, percentile
from bench.instance import Instance
from bench.rounds import rounds
from bench.rows.lists import LIMIT

_GROUPS, _PROJECTS = 25, 500
_NAMES = [f"team{number % _GROUPS}/application-{number}" for number in range(_PROJECTS)]
_MANY, _FEW = 100_000, 1_000
_ANSWERS, _WARM_UP = 30, 3
_ROUNDS = 5
#: for all rounds
_SECONDS = 90
_PATHS = ("/", "/?project=application-7", "/?sort=state", "/groups/team1", "/search?q=application-7")


def measure(instance: Instance) -> list[Figure]:
    """Two servers of their own with 500 projects each, asked in turn."""
    with ExitStack() as both:
        many = both.enter_context(_filled(f"{instance.name}-h", _MANY))
        few = both.enter_context(_filled(f"{instance.name}-i", _FEW))
        found = {path: _compare(path, many, few) for path in _PATHS}
        size = len(many.get("/").content)
    shown = "; ".join(f"{path} {ours:.0f} ms, {ours / bare:.2f} ×" for path, (ours, bare) in found.items())
    ours, bare = found["/"]
    note = f"95 % of {_ANSWERS} answers, median of {_ROUNDS} rounds; {size / 1024:.0f} KiB in {_GROUPS} groups; {shown}"
    return [Figure(f"home with {_PROJECTS} projects, 95 %", ours, "ms", bare, LIMIT, note)]


def _compare(path: str, many: httpx.Client, few: httpx.Client) -> tuple[float, float]:
    """The medians of the rounds' 95 %, in milliseconds."""
    _round(path, many, few, _WARM_UP)
    pairs = [_round(path, many, few, _ANSWERS) for _ in rounds(_ROUNDS, _SECONDS / len(_PATHS))]
    return median(ours for ours, _ in pairs), median(bare for _, bare in pairs)


def _round(path: str, many: httpx.Client, few: httpx.Client, answers: int) -> tuple[float, float]:
    found: tuple[list[float], list[float]] = ([], [])
    for _ in range(answers):
        for client, into in zip((many, few), found, strict=True):
            began = time.perf_counter()
            client.get(path).raise_for_status()
            into.append((time.perf_counter() - began) * 1000)
    return percentile(found[0], 0.95), percentile(found[1], 0.95)


@contextmanager
def _filled(name: str, count: int) -> Iterator[httpx.Client]:
    """A server without containers, and its history."""
    instance = Instance(name, containers=False)
    try:
        instance.prepare()
        instance.start()
        seeding.add_projects(instance.database, _NAMES)
        seeding.fill(instance.database, _NAMES, count)
        headers = {"Authorization": f"Bearer {instance.token}"}
        with httpx.Client(base_url=instance.url, headers=headers, trust_env=False, timeout=30) as client:
            yield client
    finally:
        instance.remove()
