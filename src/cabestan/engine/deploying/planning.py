"""From a release, an environment and its configuration to the plan of a deployment: nothing runs here."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace

import sqlalchemy as sa

from cabestan.adapters.traefik import RESOLVER
from cabestan.compose import rules
from cabestan.compose.difference import difference
from cabestan.compose.dotenv import check_dotenv
from cabestan.compose.entrances import Entrances
from cabestan.compose.findings import Waivers
from cabestan.compose.load import Loaded, load_files
from cabestan.compose.model import ComposeFile
from cabestan.compose.phases import Phase, Start, phases
from cabestan.compose.placeholder import secret_placeholder
from cabestan.compose.render import StackContext, render
from cabestan.compose.routing.trying import probes as probes_of
from cabestan.compose.stack import Stack
from cabestan.config import Settings
from cabestan.domain import docker_names
from cabestan.domain.deployment import Deployment, Plan, PlannedChange, Step, StepKind
from cabestan.domain.environment import DEFAULT_BRANCH, Environment
from cabestan.domain.labels import COMMIT_LABEL
from cabestan.domain.release import Release
from cabestan.domain.route import Probe
from cabestan.domain.status import DeploymentStatus
from cabestan.domain.variable import Variable, Variables, fingerprint
from cabestan.engine.deploying.compose_files import check_mounts, names_before, sources
from cabestan.engine.managed import use
from cabestan.engine.names import hosts as host_engine
from cabestan.engine.services import Services
from cabestan.engine.variables import levels, predefined, secrets
from cabestan.errors import Conflict
from cabestan.store import deployments as deployment_store
from cabestan.store import waivers as waiver_store


@dataclass(frozen=True)
class Wanted:
    """What a plan is made for. `restores` is an earlier deployment whose variables and secrets come back."""

    release: Release
    environment: Environment
    restores: int | None = None


def make_plan(services: Services, tx: sa.Connection, wanted: Wanted) -> Plan:
    """Raises Invalid (or ComposeRefused, with file and line) and Conflict where it cannot be deployed."""
    release = wanted.release
    _check_branch(tx, wanted)
    files = sources(release, wanted.environment, names_before(tx, release, wanted.restores))
    configuration = levels.configuration(tx, wanted.environment, release, wanted.restores)
    managed = use.use_of(tx, wanted.environment, files)
    given = variables(services, wanted, configuration) | managed.variables
    waivers = waivers_of(services, tx, wanted.environment.project_id)
    loaded = load_files(files, given, read=release.texts.get, waivers=waivers)
    compose = use.without(services.settings, loaded.compose, managed)
    if wanted.restores is None:  # what has served may come back
        check_mounts(services, release, compose)
    loaded = replace(loaded, compose=compose.with_ports(_ports(release, compose)))
    secret_files = _secret_files(services, tx, wanted, configuration, managed, loaded)
    known = configuration.secrets | managed.secrets
    sizes = secrets.sizes(tx, services.vault, configuration, loaded.compose.secret_variables)
    context = replace(_context(services, wanted, known, secret_files), secret_sizes=sizes)
    stack = render(loaded.compose, context)
    hosts = tuple(sorted({claim for route in stack.routes for claim in route.claims}))
    host_engine.check(services, tx, wanted.environment, hosts)
    plan = _plan(services, tx, wanted, configuration, loaded, stack, hosts)
    plan = replace(plan, compose_files=tuple(file.path for file in files))
    plan = use.with_managed(services.settings, tx, wanted.environment, plan, managed, configuration)
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
    services: Services,
    tx: sa.Connection,
    wanted: Wanted,
    configuration: Variables,
    loaded: Loaded,
    stack: Stack,
    hosts: tuple[str, ...],
) -> Plan:
    current = _current(tx, wanted.environment)
    before = deployment_store.plan_of(tx, current.id) if current else None
    former = _stack_of(before)
    changes = [PlannedChange(c.kind, c.subject, c.text) for c in difference(former, stack)]
    changes += _configuration_changes(tx, before, configuration)
    document = stack.to_yaml()
    elsewhere = tuple(host_engine.routed_elsewhere(tx, wanted.environment, hosts))
    shared = {other.pattern for other in elsewhere}
    probes = probes_of(stack.routes, wanted.environment.stack_name(services.settings.instance), shared)
    running = former.services if former else ()
    first = phases(loaded.compose, running, stack.services)
    steps = _steps(services, wanted, stack, first, probes)
    versions = tuple(sorted(configuration.versions.items()))
    return Plan(
        steps=steps,
        changes=tuple(changes),
        warnings=(
            *_troubles(tx, wanted),
            *host_engine.shared(wanted.environment, elsewhere),
            *_configuration_warnings(services, wanted, configuration),
            *(str(finding) for finding in loaded.warnings),
        ),
        stack=document,
        hosts=hosts,
        probes=probes,
        services=stack.services,
        secrets=tuple(sorted({*stack.secrets_used, *stack.secret_files.values()})),
        versions=versions,
        fingerprint="",
    )


def _ports(release: Release, compose: ComposeFile) -> dict[str, tuple[int, ...]]:
    """Of all images: what the release does not know of declares none."""
    return {service.image: release.ports.get(service.image, ()) for service in compose.services}


def waivers_of(services: Services, tx: sa.Connection, project_id: int) -> Waivers:
    """The rules that the project is let off, and those that are strict here."""
    return rules.waivers(waiver_store.holding(tx, project_id), services.settings.strict_rule_codes)


def variables(services: Services, wanted: Wanted, configuration: Variables) -> dict[str, str]:
    """All that the Compose file may use; secrets stand in as placeholders."""
    release, environment = wanted.release, wanted.environment
    domain = environment.full_domain(services.settings.target_domain)
    return {
        **configuration.variables,
        **{name: secret_placeholder(name) for name in configuration.secrets},
        **predefined.of_release(services.settings, release, protected=configuration.protected),
        **predefined.of_environment(environment, domain, url_of(services, environment)),
    }


def url_of(services: Services, environment: Environment) -> str:
    return services.settings.address_of(environment.full_domain(services.settings.target_domain))


def _secret_files(
    services: Services,
    tx: sa.Connection,
    wanted: Wanted,
    configuration: Variables,
    managed: use.ManagedUse,
    loaded: Loaded,
) -> dict[str, str]:
    stack = wanted.environment.stack_name(services.settings.instance)
    passwords = use.coming_passwords(services, tx, wanted.environment, managed)
    return secrets.file_names(tx, services.vault, stack, configuration, passwords, loaded.compose.secret_files)


def _context(services: Services, wanted: Wanted, known: frozenset[str], files: Mapping[str, str]) -> StackContext:
    environment, settings = wanted.environment, services.settings
    stack = environment.stack_name(settings.instance)
    return StackContext(
        stack=stack,
        network=docker_names.network(stack),
        instance=settings.instance,
        project=environment.project,
        environment=environment.name,
        release=wanted.release.number,
        images=wanted.release.images,
        domain=environment.full_domain(settings.target_domain),
        secrets=known,
        entrances=_entrances(environment, settings),
        secret_files=files,
        labels={COMMIT_LABEL: wanted.release.commit},
    )


def _entrances(environment: Environment, settings: Settings) -> Entrances:
    resolver = RESOLVER if settings.acme_email else ""
    return Entrances(environment.plain_http, resolver, settings.private_domain_names)


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


def _configuration_warnings(services: Services, wanted: Wanted, configuration: Variables) -> Iterable[str]:
    """What somebody may expect to have here and does not have."""
    release = wanted.release
    for name in configuration.withheld:
        yield f"{name} is protected and the branch {release.branch} is not: this deployment does not get it."
    for name in configuration.ignored:
        yield f"The pipeline was given {name}, which is secret or protected here: the value that was set stays."
    platform = variables(services, wanted, configuration)
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
