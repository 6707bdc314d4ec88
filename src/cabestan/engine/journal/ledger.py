"""The journals' writers, and which container belongs to which."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Sequence
from functools import partial

from cabestan.adapters.container_lines import Container
from cabestan.domain.journal import Origin, Position, Said, Source
from cabestan.domain.labels import ENVIRONMENT_LABEL, MANAGED_LABEL, PROJECT_LABEL, ROLE_LABEL, RUN_LABEL, SERVICE_LABEL
from cabestan.domain.redaction import Redactor
from cabestan.engine.journal.access import AccessTap, Requests
from cabestan.engine.journal.merging import merged, taken
from cabestan.engine.journal.tap import Tap
from cabestan.engine.services import Services
from cabestan.engine.variables import secrets
from cabestan.store import environments as environment_store
from cabestan.store import projects as project_store
from cabestan.store.fullness import storage_full
from cabestan.store.journal import JournalWriter, Taken

_SHORT_ID = 12
_NEVER: Position = Position()


def journal_key(environment_id: int) -> str:
    """What followers of an environment's lines wait for in the hub."""
    return f"journal-{environment_id}"


class Ledger:
    """Shared by the collectors of all engines."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lock = threading.Lock()
        self._writers: dict[int, JournalWriter] = {}
        self._redactors: dict[int, Redactor] = {}
        #: ended containers of which all was taken
        self._over: set[str] = set()
        #: by engine
        self._there: dict[str, Collection[str]] = {}
        self.settling = services.settling

    def tap(self, container: Container) -> Tap | AccessTap | None:
        """For one that has more to say than was taken of it, of an environment that is there; and the router's."""
        labels = container.labels
        if container.id in self._over and not container.running:
            return None
        if ROLE_LABEL in labels:
            if not container.running:
                return None
            return AccessTap(container.id, self._services.settings.instance, partial(self._requests, container.id))
        with self._services.database.reading() as tx:
            project = project_store.find(tx, labels.get(PROJECT_LABEL, ""))
            environment = project and environment_store.find(tx, project.id, labels.get(ENVIRONMENT_LABEL, ""))
            if not project or not environment:
                return None
            redactor = secrets.redactor(tx, self._services.vault, project)
        with self._lock:
            self._redactors[environment.id] = redactor
            position = self._writer(environment.id).positions.get(container.id, _NEVER)
            if position.ended and not container.running:
                self._over.add(container.id)
                return None
        most = self._services.settings.journal_lines_per_second
        return Tap(container.id, environment.id, source_of(container), position, running=container.running, most=most)

    def _requests(self, router: str, environment_id: int) -> Requests | None:
        with self._services.database.reading() as tx:
            if environment_id not in {environment.id for environment in environment_store.all_environments(tx)}:
                return None
            environment = environment_store.by_id(tx, environment_id)
            redactor = secrets.redactor(tx, self._services.vault, project_store.by_id(tx, environment.project_id))
        with self._lock:
            self._redactors[environment_id] = redactor
            position = self._writer(environment_id).positions.get(router, _NEVER)
        return Requests(router, environment_id, position, self._services.settings.journal_lines_per_second)

    def write(self, environment_id: int, taps: Sequence[Tap | Requests]) -> None:
        """Keeps what is ready of what they said. Raises StorageFull, and leaves the journal as it was."""
        now = time.monotonic()
        for tap in taps:
            tap.note_dropped(now)
        of = {id(tap.waiting): tap for tap in taps}
        parts = [(of[id(waiting)], lines) for waiting, lines in taken((tap.waiting for tap in taps), now)]
        told = {tap.id for tap, _ in parts}
        over: list[tuple[Tap | Requests, list[Said]]] = [
            (tap, []) for tap in taps if tap.is_over and tap.id not in told
        ]
        if not parts and not over:
            return
        if self._services.database.out_of_room.is_set():
            raise storage_full()
        lines = merged((tap.waiting.source, lines) for tap, lines in parts)
        with self._lock:
            positions = {tap.id: tap.took(lines) for tap, lines in (*parts, *over)}
            self._writer(environment_id).append(Taken(self._masked(environment_id, lines), positions))
        self._services.hub.advanced(journal_key(environment_id))

    def forget_all_but(self, engine: str, there: Collection[str]) -> None:
        """Containers that are on no engine any more have no position to go on from."""
        with self._lock:
            self._there[engine] = frozenset(there)
            known = frozenset(container for of in self._there.values() for container in of)
            self._over &= known
            for writer in self._writers.values():
                if len(self._there) == self._engines():
                    writer.forget(set(writer.positions) - known)

    def _engines(self) -> int:
        return sum(len(cluster.nodes.all) for cluster in self._services.clusters.values())

    def _writer(self, environment_id: int) -> JournalWriter:
        if environment_id not in self._writers:
            self._writers[environment_id] = self._services.journals.writer(environment_id)
        return self._writers[environment_id]

    def _masked(self, environment_id: int, lines: Sequence[tuple[Source, Said]]) -> list[tuple[Source, Said]]:
        """Without secrets: all at once, and line by line where a mask took a line's end with it."""
        redactor = self._redactors[environment_id]
        whole = b"\n".join(said.text for _, said in lines)
        masked = redactor.redact(whole)
        if masked == whole:
            return list(lines)
        texts = masked.split(b"\n")
        if len(texts) != len(lines):
            texts = [redactor.redact(said.text) for _, said in lines]
        return [(source, said._replace(text=text)) for (source, said), text in zip(lines, texts, strict=True)]

    def bound(self, environment_id: int, most: int, oldest: int, now: int) -> None:
        """Packs what is old of what is written, then takes away what is too old or too much."""
        with self._lock:
            if writer := self._writers.get(environment_id):
                writer.pack_old(now)
        self._services.journals.bound(environment_id, most, oldest)  # of what nobody writes any more

    def open(self) -> tuple[int, ...]:
        """The environments whose journals are written."""
        with self._lock:
            return tuple(self._writers)

    def drop(self, environment_id: int) -> None:
        """The environment is gone."""
        with self._lock:
            if writer := self._writers.pop(environment_id, None):
                writer.close()
            self._redactors.pop(environment_id, None)
            self._services.journals.delete(environment_id)

    def close(self) -> None:
        with self._lock:
            for writer in self._writers.values():
                writer.close()
            self._writers.clear()


def source_of(container: Container) -> Source:
    labels = container.labels
    if MANAGED_LABEL in labels:
        origin, service = Origin.MANAGED, labels[MANAGED_LABEL]
    else:
        origin, service = (Origin.RUN if RUN_LABEL in labels else Origin.SERVICE), labels.get(SERVICE_LABEL, "")
    replica = container.replica if origin is Origin.SERVICE else 0
    return Source(service, origin, replica, container.release, container.id[:_SHORT_ID])
