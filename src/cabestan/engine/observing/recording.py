"""Keeps what is seen of an environment, and tells of what has changed."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from cabestan.adapters.tasks import StackState
from cabestan.domain.environment import Environment
from cabestan.domain.observed import (
    WELL,
    Condition,
    Seen,
    SeenService,
    condition_of,
    service_condition,
    with_answers,
)
from cabestan.domain.outbox import Subject
from cabestan.domain.uptime import Outage
from cabestan.engine.observing import alarming, memory
from cabestan.engine.observing.asked import Asked
from cabestan.engine.observing.judging import judged
from cabestan.engine.observing.last_words import with_last_words
from cabestan.engine.observing.outages import unanswered
from cabestan.engine.services import Services
from cabestan.store import deployments as deployment_store
from cabestan.store import observations as store
from cabestan.store import outbox


class Recorder:
    """Remembers what each deployment is made of: plans are large, and do not change."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._wanted: dict[int, tuple[str, ...]] = {}
        self._asked = Asked(services)
        #: environments whose alerts were looked at: a former process may have ended between row and alert
        self._known: set[int] = set()

    def record(
        self,
        environment: Environment,
        former: Seen | None,
        state: StackState,
        trouble: str,
        outages: Iterable[Outage] = (),
    ) -> None:
        """`former` was seen last, `outages` are open. Where nobody could ask, `trouble` says why."""
        services, key = self._services, environment.current_deployment_id
        if key is None:
            _forget(services, environment, former)
        elif trouble:
            self._take(environment, former, _unknown(services, former, trouble))
        else:
            wrong = unanswered(environment, self._asked.of(environment), outages) if outages else {}
            seen = _seen(services, environment, former, state, self._services_of(key), wrong)
            self._take(environment, former, seen)

    def _take(self, environment: Environment, former: Seen | None, seen: Seen) -> None:
        services = self._services
        if seen != former:
            _keep(services, environment, former, seen)
        first = seen != former or environment.id not in self._known
        if first or seen.condition not in WELL:
            alarming.look(services, environment, seen)
        if first or memory.is_recent(seen, services.now()):
            memory.look(services, environment, seen, alarming.KIND)
        self._known.add(environment.id)

    def _services_of(self, deployment_id: int) -> tuple[str, ...]:
        if deployment_id not in self._wanted:
            with self._services.database.reading() as tx:
                plan = deployment_store.plan_of(tx, deployment_id)
            self._wanted[deployment_id] = plan.services if plan else ()
        return self._wanted[deployment_id]


def _forget(services: Services, environment: Environment, former: Seen | None) -> None:
    if former:
        with services.database.writing() as tx:
            store.drop(tx, environment.id)
            outbox.tell(tx, environment.project_id, services.now())
        alarming.clear(services, environment)
        memory.clear(services, environment)


def _seen(
    services: Services,
    environment: Environment,
    former: Seen | None,
    state: StackState,
    wanted: Iterable[str],
    wrong: Mapping[str, tuple[tuple[str, ...], bool]],
) -> Seen:
    now = services.now()
    there = {one.name: judged(one, now) for one in state.services if not one.one_shot}
    gone = (SeenService(name, service_condition(1, 0, 0), 1, 0) for name in wanted if name not in there)
    before = {service.name: service for service in former.services} if former else {}
    told = (with_last_words(services, environment, state, one, before.get(one.name)) for one in there.values())
    ordered = tuple(sorted((_answered(one, wrong) for one in (*told, *gone)), key=lambda service: service.name))
    condition = condition_of(ordered)
    return Seen(condition, former.since if former and former.condition is condition else now, ordered)


def _answered(service: SeenService, wrong: Mapping[str, tuple[tuple[str, ...], bool]]) -> SeenService:
    reasons, none = wrong.get(service.name, ((), False))
    return with_answers(service, reasons, none=none)


def _unknown(services: Services, former: Seen | None, trouble: str) -> Seen:
    """What was seen last is kept beside it."""
    if former and former.condition is Condition.UNKNOWN:
        return replace(former, trouble=trouble)
    return Seen(Condition.UNKNOWN, services.now(), former.services if former else (), trouble)


def _keep(services: Services, environment: Environment, former: Seen | None, seen: Seen) -> None:
    before, now = former.condition if former else "", services.now()
    with services.database.writing() as tx:
        store.put(tx, environment.id, seen)
        if before == seen.condition:
            outbox.tell(tx, environment.project_id, now)
            return
        about = Subject.CONDITION
        outbox.tell(
            tx, environment.project_id, now, subject=about, key=environment.id, former=before, status=seen.condition
        )
