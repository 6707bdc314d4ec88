"""The router's answers for what is deployed and of which nothing runs: they stand in the router, ready for then."""

from collections.abc import Mapping

import sqlalchemy as sa

from cabestan.adapters.traefik import down_file
from cabestan.compose.stack import routes_in
from cabestan.engine.services import Services
from cabestan.store import deployments as deployment_store
from cabestan.store import environments as environment_store


class DownPages:
    """Remembers the rules of each deployment, and what each router was given."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._rules: dict[int, Mapping[str, str]] = {}
        self._given: dict[str, bytes] = {}

    def deliver(self) -> None:
        """Where it has changed since."""
        wanted = self._wanted()
        for name, cluster in self._services.clusters.items():
            path, content = down_file(wanted[name])
            if self._given.get(name) != content:
                cluster.platform.write(cluster.router, {path: content})
                self._given[name] = content

    def _wanted(self) -> Mapping[str, Mapping[str, str]]:
        """By target; each rule by the name of its router."""
        found: dict[str, dict[str, str]] = {name: {} for name in self._services.clusters}
        with self._services.database.reading() as tx:
            for environment in environment_store.all_environments(tx):
                key = environment.current_deployment_id
                if key is not None and environment.target in found:
                    stack = environment.stack_name(self._services.settings.instance)
                    rules = self._rules_of(tx, key)
                    found[environment.target] |= {f"{stack}-{name}": rule for name, rule in rules.items()}
        return found

    def _rules_of(self, tx: sa.Connection, deployment_id: int) -> Mapping[str, str]:
        if deployment_id not in self._rules:
            plan = deployment_store.plan_of(tx, deployment_id)
            self._rules[deployment_id] = {route.name: route.rule for route in routes_in(plan.stack)} if plan else {}
        return self._rules[deployment_id]
