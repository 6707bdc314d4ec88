"""Pages of lists with a long history, beside the same with a short one."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from statistics import median

import httpx

from bench import seeding
from bench.figures import Figure, percentile
from bench.instance import Instance

LIMIT = 1.5
_MANY = 100_000
_FEW = 1_000
#: the percentile of each round, then their median: a busy moment of the machine spoils one round only
_ROUNDS = 5
_ANSWERS = 60
_WARM_UP = 10
_PROJECTS = [f"bench/list{number}" for number in range(20)]
_BIG = _PROJECTS[0]
_API = (
    "/api/v1/projects",
    *(f"/api/v1/projects/{_BIG}/{what}" for what in ("pipelines", "deployments", "releases", "environments")),
    f"/api/v1/projects/{_BIG}/pipelines?before=300",
    f"/api/v1/projects/{_BIG}/deployments?environment=staging",
)
#: those of them that this version has are measured
_PAGES = (
    "/",
    "/projects",
    "/pipelines",
    "/deployments",
    f"/{_BIG}",
    *(f"/{_BIG}/{what}" for what in ("pipelines", "deployments", "releases", "environments", "environments/staging")),
)


def measure(instance: Instance) -> list[Figure]:
    """Two servers of their own, asked in turn."""
    with ExitStack() as both:
        many = both.enter_context(filled(f"{instance.name}-a", _MANY))
        few = both.enter_context(filled(f"{instance.name}-b", _FEW))
        paths = those_there_are(many)
        figures = _compare(paths, many, few)
    worst = max(figures, key=lambda figure: figure.ratio or 0)
    shown = "; ".join(f"{f.name} {f.ratio:.2f} × ({f.value:.1f} ms)" for f in figures)
    how = f"95 % of {_ANSWERS} answers, median of {_ROUNDS} rounds"
    note = f"{how}; the worst of {len(paths)} lists, {worst.name}; {shown}"
    return [Figure("list page, 100,000 pipelines, 95 %", worst.value, "ms", worst.against, LIMIT, note)]


@contextmanager
def filled(name: str, count: int) -> Iterator[httpx.Client]:
    """A server without containers, and its history."""
    instance = Instance(name, containers=False)
    try:
        instance.prepare()
        instance.start()
        for project in _PROJECTS:
            instance.api.post("/projects", name=project)
        seeding.fill(instance.database, _PROJECTS, count)
        headers = {"Authorization": f"Bearer {instance.token}"}
        with httpx.Client(base_url=instance.url, headers=headers, trust_env=False, timeout=30) as client:
            yield client
    finally:
        instance.remove()


def those_there_are(client: httpx.Client) -> list[str]:
    """The lists that there are."""
    return [*_API, *(path for path in _PAGES if _is_page(client, path))]


def _is_page(client: httpx.Client, path: str) -> bool:
    answer = client.get(path)
    return answer.status_code == 200 and answer.headers.get("content-type", "").startswith("text/html")


def _compare(paths: list[str], many: httpx.Client, few: httpx.Client) -> list[Figure]:
    for path in paths:
        _round(path, many, few, _WARM_UP)
    rounds = [[_round(path, many, few, _ANSWERS) for path in paths] for _ in range(_ROUNDS)]
    of_path = (zip(*found, strict=True) for found in zip(*rounds, strict=True))
    return [Figure(path, median(m), "ms", median(f)) for path, (m, f) in zip(paths, of_path, strict=True)]


def _round(path: str, many: httpx.Client, few: httpx.Client, answers: int) -> tuple[float, float]:
    """The 95 % of both, in milliseconds; asked in turn."""
    found: tuple[list[float], list[float]] = ([], [])
    for _ in range(answers):
        for client, into in zip((many, few), found, strict=True):
            began = time.perf_counter()
            client.get(path).raise_for_status()
            into.append((time.perf_counter() - began) * 1000)
    return percentile(found[0], 0.95), percentile(found[1], 0.95)
