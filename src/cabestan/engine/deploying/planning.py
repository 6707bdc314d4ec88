"""From a release, an environment and its configuration to the plan of a deployment: nothing runs here."""

from collections.abc import Iterable
from dataclasses import asdict, replace

import sqlalchemy as sa

from cabestan.adapters.traefik import RESOLVER
from cabestan.checks.composed import Composed
from cabestan.compose.difference import difference
from cabestan.compose.dotenv import check_dotenv
from cabestan.compose.entrances import Entrances
from cabestan.compose.model import ComposeFile
from cabestan.compose.phases import Phase, Start, phases
from cabestan.compose.render import StackContext, render
from cabestan.compose.routing.trying import probes as probes_of
from cabestan.compose.stack import Stack
from cabestan.config import Settings
from cabestan.domain import docker_names
from cabestan.domain.action import kept_words
from cabestan.domain.deployment import Plan, PlannedChange, Step, StepKind
from cabestan.domain.environment import DEFAULT_BRANCH, Environment
from cabestan.domain.labels import COMMIT_LABEL
from cabestan.domain.release import Release
from cabestan.domain.route import Probe
from cabestan.domain.status import DeploymentStatus
from cabestan.domain.variable import Variable, Variables, fingerprint
from cabestan.engine.deploying.composing import Gathered, Wanted, compose, gather
from cabestan.engine.managed import use
from cabestan.engine.names import hosts as host_engine
from cabestan.engine.services import Services
from cabestan.engine.variables import levels, secrets
from cabestan.errors import Conflict
from cabestan.store import deployments as deployment_store


def make_plan(services: Services, tx: sa.Connection, wanted: Wanted) -> Plan:
    """Raises Invalid (or ComposeRefused, with file and line) and Conflict where it cannot be deployed."""
    _check_branch(tx, wanted)
    gathered = gather(services, tx, wanted)
    made = compose(services, gathered)
    rendered = render(_with_ports(made.compose, wanted.release), _context(services, tx, gathered, made))
    stack = rendered.keeping(wanted.environment.kept)
    hosts = tuple(sorted({claim for route in stack.routes for claim in route.claims}))
    host_engine.check(services, tx, wanted.environment, hosts)
    plan = _plan(services, tx, gathered, made, stack, hosts)
    plan = use.with_managed(services.settings, tx, wanted.environment, plan, made.kinds, gathered.configuration)
    return replace(plan, fingerprint=_fingerprint(wanted, plan))


def _check_branch(tx: sa.Connection, wanted: Wanted) -> None:
    """Raises Conflict for a release of a branch that does not come here, unless it has served here before."""
    release, environment = wanted.release, wanted.environment
    if wanted.restores is not None or environment.takes(release.branch, release.default_branch):
        return
    served = (d for d in deployment_store.of_release(tx, release.id) if d.environment_id == environment.id)
    if not any(deployment.status is DeploymentStatus.SUCCEEDED for deployment in served):
        taken = ", ".join(environment.branches).replace(DEFAULT_BRANCH, release.default_branch) or "none"
        raise Conflict(
            f"Release {release.number} is of the branch {release.branch}; {environment.name} takes only: {taken}.",
            f"Merge it, or have a maintainer change that: `cabestan environment set {environment.name} --branch …`.",
        )


def _fingerprint(wanted: Wanted, plan: Plan) -> str:
    """What an approval binds to: the release, what it takes the place of, and all of the plan but for its warnings."""
    bound = asdict(replace(plan, warnings=(), fingerprint=""))
    return fingerprint(wanted.release.id, wanted.environment.current_deployment_id or 0, bound)


def _plan(
    services: Services, tx: sa.Connection, gathered: Gathered, made: Composed, stack: Stack, hosts: tuple[str, ...]
) -> Plan:
    """All but what managed services add, and the fingerprint."""
    wanted, configuration = gathered.wanted, gathered.configuration
    environment = wanted.environment
    before = _serving(tx, environment)
    former = Stack.from_yaml(before.stack).keeping(environment.kept) if before else None
    changes = [PlannedChange(c.kind, c.subject, c.text) for c in difference(former, stack)]
    changes += kept_changes(environment, stack)
    elsewhere = tuple(host_engine.routed_elsewhere(tx, environment, hosts))
    probes = probes_of(stack.awake, gathered.place.stack, {other.pattern for other in elsewhere})
    first = phases(made.compose, former.services if former else (), stack.services)
    return Plan(
        steps=_steps(services, wanted, stack, first, probes),
        changes=(*changes, *_configuration_changes(tx, before, configuration)),
        warnings=(
            *_troubles(tx, wanted),
            *host_engine.shared(environment, elsewhere),
            *_configuration_warnings(gathered),
            *(str(finding) for finding in made.warnings),
        ),
        stack=stack.to_yaml(),
        hosts=hosts,
        probes=probes,
        services=stack.services,
        secrets=tuple(sorted({*stack.secrets_used, *stack.secret_files.values()})),
        versions=tuple(sorted(configuration.versions.items())),
        fingerprint="",
        compose_files=tuple(file.path for file in made.sources),
    )


def kept_changes(environment: Environment, stack: Stack) -> Iterable[PlannedChange]:
    """What people have stopped and scaled, and stays so: no change, but something to know before one says yes."""
    for subject, text in kept_words(environment.kept, environment.name, stack.numbers):
        yield PlannedChange("kept", subject, text)


def _with_ports(file: ComposeFile, release: Release) -> ComposeFile:
    """Of all images: what the release does not know of declares none."""
    return file.with_ports({service.image: release.ports.get(service.image, ()) for service in file.services})


def _context(services: Services, tx: sa.Connection, gathered: Gathered, made: Composed) -> StackContext:
    wanted, configuration, settings = gathered.wanted, gathered.configuration, services.settings
    environment, stack = wanted.environment, made.place.stack
    passwords = use.coming_passwords(services, tx, environment, made.kinds)
    files = made.compose.secret_files
    return StackContext(
        stack=stack,
        network=docker_names.network(stack),
        instance=settings.instance,
        project=environment.project,
        environment=environment.name,
        release=wanted.release.number,
        images=wanted.release.images,
        domain=environment.full_domain(settings.target_domain),
        secrets=made.place.secrets or frozenset(),
        entrances=_entrances(environment, settings),
        secret_files=secrets.file_names(tx, services.vault, stack, configuration, passwords, files),
        secret_sizes=secrets.sizes(tx, services.vault, configuration, made.compose.secret_variables),
        labels={COMMIT_LABEL: wanted.release.commit},
    )


def _entrances(environment: Environment, settings: Settings) -> Entrances:
    resolver = RESOLVER if settings.acme_email else ""
    return Entrances(environment.plain_http, resolver, settings.private_domain_names)


def _serving(tx: sa.Connection, environment: Environment) -> Plan | None:
    """The plan of what serves there."""
    key = environment.current_deployment_id
    return deployment_store.plan_of(tx, key) if key is not None else None


def _troubles(tx: sa.Connection, wanted: Wanted) -> Iterable[str]:
    """Where the same release did not do well."""
    for deployment in deployment_store.of_release(tx, wanted.release.id):
        if deployment.status in (DeploymentStatus.FAILED, DeploymentStatus.ROLLED_BACK):
            ended = str(deployment.status).replace("_", " ")
            yield f"On {deployment.environment}, deployment {deployment.id} of this release {ended}."


def _configuration_warnings(gathered: Gathered) -> Iterable[str]:
    """What somebody may expect to have here and does not have."""
    release, configuration = gathered.wanted.release, gathered.configuration
    for name in configuration.withheld:
        yield f"{name} is protected and the branch {release.branch} is not: this deployment does not get it."
    for name in configuration.ignored:
        yield f"The pipeline was given {name}, which is secret or protected here: the value that was set stays."
    platform = gathered.place.variables
    hidden = configuration.secrets | {s.name for s in configuration.settings if s.masked}
    yield from (str(finding) for finding in check_dotenv(release.dotenv, release.texts.values(), platform, hidden))


def _configuration_changes(tx: sa.Connection, before: Plan | None, configuration: Variables) -> Iterable[PlannedChange]:
    """Secrets of which another version is used now; of variables the difference of the stacks tells the values."""
    known = {setting.name: setting for setting in levels.restored(tx, before)} if before else {}
    for setting in configuration.settings:
        old = known.get(setting.name)
        if setting.secret and old and old.id != setting.id:
            yield PlannedChange("secret changed", setting.name, _version_words(old, setting))


def _version_words(old: Variable, new: Variable) -> str:
    return f"Secret {new.name}: version {old.version} becomes version {new.version}"


def _steps(
    services: Services,
    wanted: Wanted,
    stack: Stack,
    first: tuple[Phase, ...],
    probes: tuple[Probe, ...],
) -> tuple[Step, ...]:
    settings = services.settings
    images = tuple(dict.fromkeys(service["image"] for service in stack.all_services.values()))
    healthy = settings.healthy_seconds + wanted.environment.watch_seconds
    steps = [
        Step(StepKind.PULL, images, settings.pull_seconds),
        *(_first_step(services, phase) for phase in first),
        Step(StepKind.APPLY, stack.services, settings.apply_seconds),
        Step(StepKind.WATCH, stack.services, healthy),
    ]
    if probes:
        shown = tuple(str(probe) for probe in probes)
        steps.append(Step(StepKind.ROUTES, shown, settings.routes_seconds))
    return tuple(steps)


def _first_step(services: Services, phase: Phase) -> Step:
    if isinstance(phase, Start):
        return Step(StepKind.START, phase.services, services.settings.healthy_seconds)
    return Step(StepKind.RUN, (phase.service,), services.settings.run_seconds)
