"""What is asked of an environment: each of its routes, or each of its names for the path that it has set."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import islice

from cabestan.compose.routing.answering import answering, request_of
from cabestan.compose.stack import routes_in
from cabestan.domain.deployment import Plan
from cabestan.domain.environment import Environment
from cabestan.domain.route import Probe, Route
from cabestan.engine.services import Services
from cabestan.store import deployments as deployment_store

#: of one environment
MOST_ROUTES = 20


@dataclass(frozen=True)
class Ask:
    """One route, once a minute. `service` is where its requests lead, `expected` the status (0: any below 500)."""

    environment: Environment
    service: str
    probe: Probe

    @property
    def route(self) -> str:
        return self.probe.address

    @property
    def key(self) -> tuple[int, str]:
        return self.environment.id, self.route

    @property
    def deployment_id(self) -> int | None:
        return self.environment.current_deployment_id


class Asked:
    """Remembers what each deployment has for routes: plans are large, and do not change."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._known: dict[int, tuple[tuple[Route, ...], tuple[Probe, ...]]] = {}

    def of(self, environment: Environment) -> tuple[Ask, ...]:
        """Nothing where nothing is deployed, or where it is switched off."""
        key = environment.current_deployment_id
        if key is None or not environment.uptime:
            return ()
        if key not in self._known:
            with self._services.database.reading() as tx:
                plan = deployment_store.plan_of(tx, key)
            self._known[key] = _read(plan)
        return asks(environment, *self._known[key])

    def keep(self, deployment_ids: Iterable[int | None]) -> None:
        """Forgets the others."""
        kept = frozenset(deployment_ids)
        self._known = {key: value for key, value in self._known.items() if key in kept}


def _read(plan: Plan | None) -> tuple[tuple[Route, ...], tuple[Probe, ...]]:
    return (routes_in(plan.stack), plan.probes) if plan else ((), ())


def asks(environment: Environment, routes: tuple[Route, ...], probes: tuple[Probe, ...]) -> tuple[Ask, ...]:
    """No address twice."""
    wanted = _at_path(probes, environment.uptime_path) if environment.uptime_path else probes
    found = {ask.route: ask for ask in (Ask(environment, _service(routes, probe), probe) for probe in reversed(wanted))}
    return tuple(islice(reversed(found.values()), MOST_ROUTES))


def _at_path(probes: Iterable[Probe], path: str) -> tuple[Probe, ...]:
    """Each name once. Which of its routes has the path, and so answers, is for the router to say."""
    return tuple(Probe(host, path) for host in dict.fromkeys(probe.host for probe in probes))


def _service(routes: tuple[Route, ...], probe: Probe) -> str:
    """Of the route that answers first; empty where none of this environment does."""
    request = request_of(f"https://{probe.address}", probe.method, dict(probe.headers))
    found = answering(routes, request)
    return found[0].service if found else ""


def without_marks(probe: Probe) -> Probe:
    """As long as a deployment is under way, what answers may be a route of that one."""
    return replace(probe, marks=())
