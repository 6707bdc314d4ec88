"""Whether a route answers: two wrong answers in a row are an outage, and one that is as it should be ends it."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from cabestan.domain.environment import Environment
from cabestan.domain.observed import Condition
from cabestan.domain.route import RouteAnswer
from cabestan.domain.status import DeploymentStatus
from cabestan.domain.uptime import Outage
from cabestan.engine.observing.asked import Ask, without_marks
from cabestan.engine.services import Services
from cabestan.store import deployments as deployment_store
from cabestan.store import environments as environment_store
from cabestan.store import observations as observation_store
from cabestan.store import uptime as store
from cabestan.store.uptime import Key

#: of an environment, so many stay as history
_KEPT = 100


class Outages:
    """Those that are open stand in the database, so that a restart of the server tells nothing twice."""

    def __init__(self, services: Services, changed: Callable[[str], None]) -> None:
        self._services = services
        self._changed = changed
        self._open: dict[Key, Outage] = {}
        #: routes that answered wrongly once, and when
        self._doubtful: dict[Key, datetime] = {}

    def keep(self, asked: Iterable[Ask]) -> None:
        """Ends those of routes that are not asked any more, or are another deployment's by now."""
        deployments = {ask.key: ask.deployment_id for ask in asked}
        with self._services.database.reading() as tx:
            every = [one for several in store.open_outages(tx).values() for one in several]
        self._open = {(one.environment_id, one.route): one for one in every}
        self._doubtful = {key: at for key, at in self._doubtful.items() if key in deployments}
        for key, one in tuple(self._open.items()):
            if deployments.get(key) != one.deployment_id:
                self._end(key)

    def judge(self, ask: Ask, answer: RouteAnswer, at: datetime) -> bool | None:
        """Whether it counts as good; None where it does not count, for things are not any more as they were asked."""
        wrong = answer.wrong(ask.probe, ask.environment.uptime_status)
        if not wrong:
            self._well(ask.key)
            return True
        environment = self._now(ask)
        if environment is None:
            return None
        if not answer.wrong(without_marks(ask.probe), environment.uptime_status) and self._is_deploying(environment):
            self._well(ask.key)
            return True
        if answer.reached:  # that the router itself is not there is told once, for all
            self._unwell(ask, wrong, at)
        return False

    def _well(self, key: Key) -> None:
        self._doubtful.pop(key, None)
        if key in self._open:
            self._end(key)

    def _unwell(self, ask: Ask, wrong: str, at: datetime) -> None:
        if ask.key in self._open:
            return
        if ask.key not in self._doubtful:
            self._doubtful[ask.key] = at
            return
        assert ask.deployment_id is not None, "only what is deployed is asked"
        began = self._doubtful.pop(ask.key)
        outage = Outage(0, ask.environment.id, ask.deployment_id, ask.route, ask.service, wrong, began)
        with self._services.database.writing() as tx:
            store.begin(tx, outage, _KEPT)
            found = store.open_outages(tx, [ask.environment.id])[ask.environment.id]
        self._open |= {(one.environment_id, one.route): one for one in found}
        self._changed(ask.environment.stack_name(self._services.settings.instance))

    def _end(self, key: Key) -> None:
        with self._services.database.writing() as tx:
            store.end(tx, self._open.pop(key), self._services.now())
            environment = environment_store.find_by_id(tx, key[0])
        if environment:
            self._changed(environment.stack_name(self._services.settings.instance))

    def _now(self, ask: Ask) -> Environment | None:
        """The environment, where it still serves what was asked and nobody has stopped it."""
        with self._services.database.reading() as tx:
            found = environment_store.find_by_id(tx, ask.environment.id)
            seen = observation_store.find(tx, ask.environment.id)
        same = found is not None and found.current_deployment_id == ask.deployment_id
        return found if same and not (seen and seen.condition is Condition.STOPPED) else None

    def _is_deploying(self, environment: Environment) -> bool:
        return is_deploying(self._services, environment)


def is_deploying(services: Services, environment: Environment) -> bool:
    with services.database.reading() as tx:
        return any(one.status is DeploymentStatus.RUNNING for one in deployment_store.open_in(tx, environment.id))


def unanswered(
    environment: Environment, asked: Iterable[Ask], open_now: Iterable[Outage]
) -> Mapping[str, tuple[tuple[str, ...], bool]]:
    """By service: why its routes do not answer, and whether none does. Those of a former deployment are over."""
    current = {one.route: one for one in open_now if one.deployment_id == environment.current_deployment_id}
    of: dict[str, list[str]] = {}
    for ask in asked:
        of.setdefault(ask.service, []).append(ask.route)
    wrong = {service: [current[route] for route in routes if route in current] for service, routes in of.items()}
    return {
        service: (tuple(one.reason for one in found), len(found) == len(of[service]))
        for service, found in wrong.items()
        if found
    }
