"""From a release, an environment and its configuration to the plan of a deployment: nothing runs here."""

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from cabestan.compose.difference import difference
from cabestan.compose.load import Loaded, load
from cabestan.compose.placeholder import secret_placeholder
from cabestan.compose.render import StackContext, render
from cabestan.compose.stack import Stack
from cabestan.domain.configuration import Configuration, Setting, fingerprint, nearest
from cabestan.domain.deployment import Deployment, Plan, PlannedChange, Step, StepKind
from cabestan.domain.environment import Environment
from cabestan.domain.release import Release
from cabestan.domain.status import DeploymentStatus
from cabestan.engine.managed import use
from cabestan.engine.services import Services
from cabestan.errors import Conflict, Invalid
from cabestan.store import configuration as configuration_store
from cabestan.store import deployments as deployment_store
from cabestan.store import environments as environment_store
from cabestan.store import projects as project_store


@dataclass(frozen=True)
class Wanted:
    """What a plan is made for. `restores` is an earlier deployment whose variables and secrets come back."""

    release: Release
    environment: Environment
    restores: int | None = None


def make_plan(services: Services, tx: sa.Connection, wanted: Wanted) -> Plan:
    """Raises Invalid (or ComposeRefused, with file and line) and Conflict where it cannot be deployed."""
    if not wanted.release.compose:
        raise Invalid(
            f"Release {wanted.release.number} has no Compose file, so there is nothing to deploy.",
            "Commit a docker-compose.yml that names the services.",
        )
    configuration = _configuration(tx, wanted)
    managed = use.use_of(tx, wanted.release, wanted.environment)
    filled = variables(services, wanted, configuration) | managed.variables
    loaded = load(wanted.release.compose, wanted.release.compose_file, filled)
    compose = use.without(services.settings, loaded.compose, managed)
    stack = render(compose, _context(services, wanted, configuration.secrets | managed.secrets))
    hosts = tuple(sorted({host for route in stack.routes for host in route.hosts}))
    _refuse_taken_hosts(tx, wanted.environment, hosts)
    plan = _plan(services, tx, wanted, configuration, loaded, stack, hosts)
    return use.with_managed(services.settings, tx, wanted.environment, plan, managed, configuration)


def _plan(
    services: Services,
    tx: sa.Connection,
    wanted: Wanted,
    configuration: Configuration,
    loaded: Loaded,
    stack: Stack,
    hosts: tuple[str, ...],
) -> Plan:
    current = _current(tx, wanted.environment)
    before = deployment_store.plan_of(tx, current.id) if current else None
    changes = [PlannedChange(c.kind, c.subject, c.text) for c in difference(_stack_of(before), stack)]
    changes += _configuration_changes(tx, before, configuration)
    document = stack.to_yaml()
    probes = tuple(address for route in stack.routes for address in _addresses(route.addresses))
    steps = _steps(services, wanted, stack, probes)
    versions = tuple(sorted(configuration.versions.items()))
    return Plan(
        steps=steps,
        changes=tuple(changes),
        warnings=(*_troubles(tx, wanted), *(str(finding) for finding in loaded.warnings)),
        stack=document,
        hosts=hosts,
        probes=probes,
        services=stack.services,
        secrets=tuple(sorted(stack.secrets_used)),
        versions=versions,
        fingerprint=fingerprint(wanted.release.id, current.id if current else 0, versions, document),
    )


def variables(services: Services, wanted: Wanted, configuration: Configuration) -> dict[str, str]:
    """All that the Compose file may use; secrets stand in as placeholders."""
    release, environment = wanted.release, wanted.environment
    return {
        **configuration.variables,
        **{name: secret_placeholder(name) for name in configuration.secrets},
        **release_variables(services, release),
        "CI_ENVIRONMENT_NAME": environment.name,
        "CI_ENVIRONMENT_SLUG": environment.name.replace("/", "-"),
        "CI_ENVIRONMENT_DOMAIN": environment.full_domain(services.settings.target_domain),
        "CI_ENVIRONMENT_URL": url_of(services, environment),
    }


def release_variables(services: Services, release: Release) -> dict[str, str]:
    """Those that do not depend on the environment."""
    return {
        "CI_COMMIT_SHA": release.commit,
        "CI_COMMIT_SHORT_SHA": release.commit[:8],
        "CI_COMMIT_BRANCH": release.branch,
        "CI_COMMIT_REF_NAME": release.branch,
        "CI_PROJECT_PATH": release.project,
        "CI_REGISTRY": services.settings.registry,
        "CI_REGISTRY_IMAGE": f"{services.settings.registry}/{release.project}",
    }


def url_of(services: Services, environment: Environment) -> str:
    return services.settings.address_of(environment.full_domain(services.settings.target_domain))


def network_of(stack: str) -> str:
    """The environment's own network."""
    return f"{stack}-net"


def _context(services: Services, wanted: Wanted, secrets: frozenset[str]) -> StackContext:
    environment, settings = wanted.environment, services.settings
    stack = environment.stack_name(settings.instance)
    return StackContext(
        stack=stack,
        network=network_of(stack),
        instance=settings.instance,
        project=environment.project,
        environment=environment.name,
        release=wanted.release.number,
        images=wanted.release.images,
        domain=environment.full_domain(settings.target_domain),
        secrets=secrets,
        labels={"cabestan.commit": wanted.release.commit},
        job_mode=services.stacks.client_knows_jobs,
    )


def _configuration(tx: sa.Connection, wanted: Wanted) -> Configuration:
    """The present one, or, for a rollback, the versions that the earlier deployment ran with."""
    if wanted.restores is not None and (plan := deployment_store.plan_of(tx, wanted.restores)):
        return Configuration(configuration_store.by_ids(tx, (version for _, version in plan.versions)))
    return nearest(configuration_store.current(tx, wanted.environment.project_id), wanted.environment.name)


def _current(tx: sa.Connection, environment: Environment) -> Deployment | None:
    key = environment.current_deployment_id
    return deployment_store.get(tx, key) if key is not None else None


def _stack_of(plan: Plan | None) -> Stack | None:
    return Stack.from_yaml(plan.stack) if plan else None


def _troubles(tx: sa.Connection, wanted: Wanted) -> Iterable[str]:
    """Where the same release did not do well."""
    for deployment in deployment_store.of_release(tx, wanted.release.id):
        if deployment.status in (DeploymentStatus.FAILED, DeploymentStatus.ROLLED_BACK):
            ended = str(deployment.status).replace("_", " ")
            yield f"On {deployment.environment}, deployment {deployment.id} of this release {ended}."


def _configuration_changes(
    tx: sa.Connection, before: Plan | None, configuration: Configuration
) -> Iterable[PlannedChange]:
    """Secrets of which another version is used now; of variables the difference of the stacks tells the values."""
    known = {s.name: s for s in configuration_store.by_ids(tx, (key for _, key in before.versions))} if before else {}
    for setting in configuration.settings:
        old = known.get(setting.name)
        if setting.secret and old and old.id != setting.id:
            yield PlannedChange("secret changed", setting.name, _version_words(old, setting))


def _version_words(old: Setting, new: Setting) -> str:
    return f"Secret {new.name}: version {old.version} becomes version {new.version}"


def _refuse_taken_hosts(tx: sa.Connection, environment: Environment, hosts: tuple[str, ...]) -> None:
    for host, owner in environment_store.host_owners(tx, hosts).items():
        if owner != environment.project_id:
            raise Conflict(
                f"The host name {host} belongs to the project {project_store.by_id(tx, owner).name}.",
                f"Route another name in {environment.project}, or have that project give it up.",
            )


def _steps(services: Services, wanted: Wanted, stack: Stack, probes: tuple[tuple[str, str], ...]) -> tuple[Step, ...]:
    settings = services.settings
    images = tuple(dict.fromkeys(service["image"] for service in stack.document["services"].values()))
    healthy = settings.healthy_seconds + wanted.environment.watch_seconds
    steps = [
        Step(StepKind.PULL, images, settings.pull_seconds),
        Step(StepKind.APPLY, stack.services, settings.apply_seconds),
        Step(StepKind.WATCH, stack.services, healthy),
    ]
    if probes:
        shown = tuple(f"{host}{path}" for host, path in probes)
        steps.append(Step(StepKind.ROUTES, shown, settings.routes_seconds))
    return tuple(steps)


def _addresses(addresses: Iterable[str]) -> Iterable[tuple[str, str]]:
    for address in addresses:
        host, _, path = address.partition("/")
        yield host, f"/{path}"
