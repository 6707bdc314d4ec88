"""Preparing the machine: Swarm, base images, registry, router, administrator."""

import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import docker
from docker.errors import APIError

from cabestan.adapters.engine_api import Engine
from cabestan.adapters.images import BuildEvent, ImageCatalogue
from cabestan.adapters.router import ServiceContainer, registry_container
from cabestan.adapters.traefik import Acme, Ports, router_container
from cabestan.adapters.vault import Vault
from cabestan.compose.stack import networks_in
from cabestan.config import Settings
from cabestan.domain import docker_names
from cabestan.engine import base_images
from cabestan.engine.cluster import Cluster
from cabestan.engine.names.certificate_watch import kept_account
from cabestan.engine.registry_login import registry_login
from cabestan.errors import ConfigurationError, StepFailed
from cabestan.store import deployments as deployment_store
from cabestan.store import environments, users
from cabestan.store.database import Database

ADMINISTRATOR = "admin"
ROUTER_IMAGE = "cabestan/router:5"
REGISTRY_IMAGE = "cabestan/registry:3"
#: for a Swarm to come up
_SWARM_SECONDS = 30


def ensure_swarm(engine: Engine) -> bool:
    """Uses the Swarm that is there, or makes one of this node alone. True where it made it.

    One that somebody else is making at this moment, or that comes up with its engine, is waited for.
    """
    with engine.speaking("make a Swarm") as client:
        if _settled(client)["LocalNodeState"] == "inactive" and _made_swarm(client):
            return True
        state = _settled(client)
        if state["LocalNodeState"] != "active":
            raise StepFailed(f"The Swarm here is {state['LocalNodeState']}.", "See `docker info`; unlock or leave it.")
        if not state["ControlAvailable"]:
            raise StepFailed("This node is a worker of a Swarm.", "Run Cabestan on one of its managers.")
        return False


def _settled(client: docker.DockerClient) -> dict[str, Any]:
    """What the engine says of its Swarm, once that does not change any more by itself."""
    deadline = time.monotonic() + _SWARM_SECONDS
    while (state := client.info()["Swarm"])["LocalNodeState"] == "pending" and time.monotonic() < deadline:
        time.sleep(0.1)
    return dict(state)


def _made_swarm(client: docker.DockerClient) -> bool:
    """False where somebody else was faster."""
    try:
        client.swarm.init(advertise_addr="127.0.0.1", listen_addr="127.0.0.1:2377")
    except APIError as error:
        if "already part of a swarm" in str(error.explanation):
            return False
        raise StepFailed(f"The engine cannot make a Swarm: {error.explanation}.", "Is port 2377 free?") from error
    return True


def build_images(settings: Settings, engine: Engine, report: Callable[[BuildEvent], None]) -> tuple[str, ...]:
    """Builds those of the platform's own base images that are missing; gives the references of what it built."""
    return ImageCatalogue(engine, settings.images, settings.ca_bundle).ensure(base_images.PLATFORM, report)


def start_containers(settings: Settings, vault: Vault, home: Cluster) -> None:
    """Registry and router, as the settings have them."""
    home.platform.ensure(wanted_registry(settings, vault))
    start_router(settings, vault, home)


def start_router(settings: Settings, vault: Vault, cluster: Cluster) -> None:
    cluster.platform.ensure(wanted_router(settings, vault, cluster))


def wanted_registry(settings: Settings, vault: Vault) -> ServiceContainer:
    login = registry_login(settings, vault)
    realm = f"{settings.internal_url}/registry/token"
    return registry_container(settings.instance, REGISTRY_IMAGE, settings.registry_port, login, realm)


def wanted_router(settings: Settings, vault: Vault, cluster: Cluster) -> ServiceContainer:
    """With the copy of its ACME account, where it has lost its own. Raises ConfigurationError."""
    target, acme = cluster.target, acme_of(settings)
    ports = Ports(target.router_address, target.router_port, target.router_tls_port, settings.tls_port)
    account = kept_account(settings, vault, target.name)
    if account and cluster.platform.has_volume(docker_names.acme_volume(settings.instance)):
        account = b""
    return router_container(settings.instance, ROUTER_IMAGE, ports, settings.target_domain, acme, account)


def acme_of(settings: Settings) -> Acme | None:
    """None where no account is wanted. Raises ConfigurationError where a file that is named cannot be read."""
    if not settings.acme_email:
        return None
    bundle = settings.acme_ca_bundle
    return Acme(
        email=settings.acme_email,
        server=settings.acme_server,
        authorities=_read(bundle, "acme_ca_bundle") if bundle else b"",
        dns_provider=settings.acme_dns_provider,
        dns_variables=_dns_variables(settings),
        dns_resolvers=settings.acme_dns_resolver_addresses,
        dns_seconds=settings.acme_dns_seconds,
    )


def _dns_variables(settings: Settings) -> dict[str, str]:
    file = settings.acme_dns_file
    if not file:
        return {}
    content = _read(file, "acme_dns_file").decode(errors="replace")
    if file.stat().st_mode & 0o077:
        raise ConfigurationError(f"Others may read {file}.", f"chmod 600 {file}")
    lines = [line.strip() for line in content.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if wrong := [number for number, line in enumerate(lines, 1) if "=" not in line]:
        raise ConfigurationError(f"Entry {wrong[0]} of {file} has no =.", "Write a line NAME=VALUE for each variable.")
    return {name.strip(): value.strip() for name, _, value in (line.partition("=") for line in lines)}


def _read(path: Path, setting: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}.", f"Correct {setting}.") from error


def ensure_administrator(database: Database, *, known: str = "") -> str | None:
    """A token for the administrator, who is made where there is none; None where `known` is a good one already."""
    now = datetime.now(UTC)
    with database.writing() as tx:
        if known and users.identity_of_token(tx, known, now):
            return None
        token = secrets.token_urlsafe(32)
        admin = users.find(tx, ADMINISTRATOR) or users.create(tx, ADMINISTRATOR, admin=True, now=now)
        users.add_token(tx, token, kind="personal", user_id=admin.id, name="made by up", now=now)
    return token


def rejoin_router(settings: Settings, database: Database, cluster: Cluster) -> None:
    """The router must be in the network of each environment that something was deployed to."""
    with database.reading() as tx:
        here = (one for one in environments.all_environments(tx) if one.target == cluster.target.name)
        found = [one for one in here if one.current_deployment_id is not None]
        plans = {one.id: deployment_store.plan_of(tx, one.current_deployment_id or 0) for one in found}
    present = cluster.platform.networks(cluster.router)
    for environment in found:
        plan = plans[environment.id]
        own = [(one.name, one.internal) for one in networks_in(plan.stack) if one.routed] if plan else []
        for network, internal in ((docker_names.network(environment.stack_name(settings.instance)), False), *own):
            if network not in present:
                cluster.stacks.ensure_network(network, environment.id, internal=internal)
                cluster.platform.join(cluster.router, network)
