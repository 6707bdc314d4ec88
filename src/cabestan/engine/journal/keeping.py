"""Collects on every engine, and keeps the journals within their bounds."""

from __future__ import annotations

import time

from cabestan.engine.journal.collector import Collector
from cabestan.engine.journal.ledger import Ledger
from cabestan.engine.repeating import every
from cabestan.engine.services import Services
from cabestan.store import environments as environment_store

#: a journal grows by so much at most before it is bounded (seconds)
_BOUND_SECONDS = 60.0
_DAY = 86400 * 10**9


class JournalKeeper:
    """Its threads."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._ledger = Ledger(services)
        self._collectors = [
            Collector(engine, cluster.engine, services.settings.instance, self._ledger)
            for cluster in services.clusters.values()
            for engine in cluster.nodes.all
        ]
        self._bounding = every("journal-bounds", self.bound, _BOUND_SECONDS)

    def start(self) -> None:
        for collector in self._collectors:
            collector.start()
        self._bounding.start()

    def stop(self) -> None:
        self._bounding.stop()
        for collector in self._collectors:
            collector.stop()
        self._ledger.close()

    def bound(self) -> None:
        """Those of environments that are gone go whole."""
        with self._services.database.reading() as tx:
            there = {environment.id for environment in environment_store.all_environments(tx)}
        now = time.time_ns()
        settings = self._services.settings
        for environment_id in {*self._services.journals.present(), *self._ledger.open()}:
            if environment_id in there:
                oldest = now - settings.journal_days * _DAY
                self._ledger.bound(environment_id, settings.journal_bytes, oldest, now)
            else:
                self._ledger.drop(environment_id)
