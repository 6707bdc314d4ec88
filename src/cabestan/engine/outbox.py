"""Hands on what was told of changes (`store/outbox.py`): to open pages, and to consumers that must not miss any.

Each consumer has a thread, so that a slow one holds up nobody. One that must not miss any is handed each event at
least once, those of one lane in their order; what it does not take is handed to it again, for hours, across restarts.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa

from cabestan.domain.outbox import Event
from cabestan.engine.alarm import Alarm
from cabestan.engine.alerts import clear_all, raise_alert
from cabestan.engine.repeating import Repeating
from cabestan.engine.services import Services
from cabestan.store import alerts as alert_store
from cabestan.store import outbox

ALERT = "delivery"
#: what another process wrote is seen after so many seconds
_LOOK_SECONDS = 5.0
_AT_ONCE = 200
#: seconds until it is handed to a consumer again: twice as many each time
_AGAIN, _LONGEST = 1.0, 900.0
#: with those pauses that is some ten hours
_ATTEMPTS = 50
#: events that everybody was handed are kept so long, for who wants to look
_KEPT = timedelta(days=1)
_REASON_LENGTH = 500
#: that one was not handed on is told for so long
_TOLD = timedelta(days=7)


@dataclass(frozen=True)
class Consumer:
    """`take` raises where it cannot take an event now. It may be handed one twice, so it does it once."""

    name: str
    take: Callable[[Event], None]


class _Reader(Repeating):
    """Looks whenever something was written."""

    def __init__(self, services: Services, name: str) -> None:
        self._services = services
        self._written = Alarm()
        super().__init__(name, lambda _rang: 0 if self.look() else None, _LOOK_SECONDS, alarm=self._written)

    def start(self) -> None:
        self._services.database.when_written.append(self._written.ring)
        super().start()

    def look(self) -> bool:
        """Whether there may be more."""
        raise NotImplementedError


class Listening(_Reader):
    """To who is here, from now on, and finds out by other means what was before."""

    def __init__(self, services: Services, name: str, hear: Callable[[Event], None]) -> None:
        super().__init__(services, name)
        self._hear = hear
        with services.database.reading() as tx:
            self._newest = outbox.newest(tx)

    def look(self) -> bool:
        with self._services.database.reading() as tx:
            events = outbox.after(tx, self._newest, _AT_ONCE)
        for event in events:
            self._hear(event)
            self._newest = event.id
        return len(events) == _AT_ONCE


def pages(services: Services) -> Listening:
    """To open pages: one that was not open then asks for everything anyway."""
    return Listening(services, "pages", lambda event: services.changes.publish(event.project, *event.topics))


class Delivery(_Reader):
    """To a consumer that must not miss any, from the first time that it was there."""

    def __init__(self, services: Services, consumer: Consumer) -> None:
        super().__init__(services, consumer.name)
        self._consumer = consumer

    def start(self) -> None:
        self.prepare()
        super().start()

    def prepare(self) -> None:
        """A new one begins with what comes."""
        with self._services.database.writing() as tx:
            if outbox.cursor(tx, self._consumer.name) is None:
                outbox.set_cursor(tx, self._consumer.name, outbox.newest(tx))

    def look(self) -> bool:
        name, services = self._consumer.name, self._services
        behind = self._hand_on_again()
        with services.database.reading() as tx:
            events = outbox.after(tx, outbox.cursor(tx, name) or 0, _AT_ONCE)
        for event in events:
            if self.stopped:
                break
            failure = "It waits for an earlier one." if event.lane in behind else self._failure(event)
            with services.database.writing() as tx:
                outbox.set_cursor(tx, name, event.id)
                if failure:
                    self._put_again(tx, event, 0 if event.lane in behind else 1, failure)
            if failure:
                behind.add(event.lane)
        return len(events) == _AT_ONCE

    def _hand_on_again(self) -> set[str]:
        """Hands on what is to be handed on again; the lanes that are still behind."""
        with self._services.database.reading() as tx:
            waiting = outbox.retries(tx, self._consumer.name)
        behind: set[str] = set()
        for event, attempts, again_at in waiting:
            if event.lane in behind or again_at > self._services.now() or self.stopped:
                behind.add(event.lane)
                continue
            failure = self._failure(event)
            with self._services.database.writing() as tx:
                if failure and attempts + 1 < _ATTEMPTS:
                    self._put_again(tx, event, attempts + 1, failure)
                    behind.add(event.lane)
                else:
                    outbox.drop_retry(tx, self._consumer.name, event.id)
            if failure and attempts + 1 >= _ATTEMPTS:
                self._give_up(event, failure)
        return behind

    def _give_up(self, event: Event, failure: str) -> None:
        name = self._consumer.name
        message = f"{name} was not told that {event.lane} is {event.status or 'changed'}: {failure}"
        raise_alert(self._services, ALERT, f"{name} {event.lane}", message, "What comes next is told all the same.")

    def _failure(self, event: Event) -> str:
        """Hands it on; empty, or why it was not taken."""
        try:
            self._consumer.take(event)
        except Exception as error:  # whatever it is, the others go on
            return f"{type(error).__name__}: {error}"[:_REASON_LENGTH]
        return ""

    def _put_again(self, tx: sa.Connection, event: Event, attempts: int, failure: str) -> None:
        pause = min(_LONGEST, _AGAIN * 2 ** max(0, attempts - 1))
        again_at = self._services.now() + timedelta(seconds=pause)
        outbox.put_retry(tx, self._consumer.name, event.id, attempts, failure, again_at)


def drop_old(services: Services) -> None:
    """Events that were handed to everybody, and alerts that one was not: nothing else ends them."""
    now = services.now()
    with services.database.writing() as tx:
        outbox.drop(tx, now - _KEPT)
    with services.database.reading() as tx:
        old = {alert.subject for alert in alert_store.all_open(tx, ALERT) if now - alert.raised_at > _TOLD}
    clear_all(services, ALERT, old.__contains__)
