"""What a Compose file meets on an environment: gathered here for the checks of a commit, for releases and for plans."""

from dataclasses import dataclass

import sqlalchemy as sa

from cabestan.checks.composed import Composed, Files, composed
from cabestan.checks.subject import Place
from cabestan.compose import rules
from cabestan.compose.findings import Waivers
from cabestan.compose.placeholder import secret_placeholder
from cabestan.domain.environment import Environment
from cabestan.domain.managed import Kind
from cabestan.domain.release import Release
from cabestan.domain.variable import Variables
from cabestan.engine.deploying.compose_files import names_before, sources, tree_of
from cabestan.engine.services import Services
from cabestan.engine.variables import levels, predefined
from cabestan.store import managed as managed_store
from cabestan.store import waivers as waiver_store


@dataclass(frozen=True)
class Wanted:
    """What is to be deployed where. `restores` is an earlier deployment whose variables and secrets come back."""

    release: Release
    environment: Environment
    restores: int | None = None


@dataclass(frozen=True)
class Gathered:
    """All that the database knows of it. `place` is the environment as the Compose file sees it."""

    wanted: Wanted
    configuration: Variables
    place: Place
    waivers: Waivers


def gather(services: Services, tx: sa.Connection, wanted: Wanted) -> Gathered:
    release, environment = wanted.release, wanted.environment
    configuration = levels.configuration(tx, environment, release, wanted.restores)
    place = Place(
        name=environment.name,
        variables=variables(services, wanted, configuration),
        compose=names_before(tx, release, wanted.restores) or environment.compose_files,
        stack=environment.stack_name(services.settings.instance),
        instance=services.settings.instance,
        secrets=configuration.secrets,
        managed=managed_store.is_managed(tx, environment),
    )
    return Gathered(wanted, configuration, place, waivers_of(services, tx, environment.project_id))


def compose(services: Services, gathered: Gathered) -> Composed:
    """Raises Invalid where the commit lacks a file, ComposeRefused, with file and line, for what must not be deployed.

    What has served may come back, whatever it hides of the commit.
    """
    wanted, place = gathered.wanted, gathered.place
    release = wanted.release
    files = Files(
        sources(release, place.name, place.compose),
        release.texts.get,
        lambda: tree_of(services, release) if wanted.restores is None else None,
    )
    lacking = {} if services.settings.mongodb_image else {Kind.MONGODB: "mongodb_image"}
    made = composed(place, wanted.environment.project, files, gathered.waivers, lacking)
    made.refuse_if_wrong()
    return made


def waivers_of(services: Services, tx: sa.Connection, project_id: int) -> Waivers:
    """The rules that the project is let off, and those that are strict here."""
    return rules.waivers(waiver_store.holding(tx, project_id), services.settings.strict_rule_codes)


def variables(services: Services, wanted: Wanted, configuration: Variables) -> dict[str, str]:
    """All that the Compose file may use but for those of managed services; secrets stand in as placeholders."""
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
