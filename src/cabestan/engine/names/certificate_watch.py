"""Looks at the certificates that the routers really show, and keeps copies of their ACME accounts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from cabestan.adapters.certificates import read_der
from cabestan.adapters.probing import served_certificate
from cabestan.adapters.traefik import ACME_FILE
from cabestan.adapters.vault import Vault
from cabestan.config import Settings
from cabestan.domain import docker_names
from cabestan.domain.certificate import Certificate, CertificateKind
from cabestan.domain.project import Project
from cabestan.domain.target import LOCAL
from cabestan.engine.alerts import clear_alert, clear_all, raise_alert
from cabestan.engine.cluster import Cluster
from cabestan.engine.names.signers import signer_of
from cabestan.engine.services import Services
from cabestan.store import deployments as deployment_store
from cabestan.store import environments as environment_store
from cabestan.store import projects as project_store

_log = structlog.get_logger(__name__)
KIND = "certificate"
_SEALED_AS = "acme"
#: an ACME server may take so long for a new name
_GRACE = timedelta(minutes=10)
#: of a certificate's life, and at most so many days, are left when it should have been renewed long ago
_LATE_PART = 1 / 4
_LATE = timedelta(days=20)


@dataclass(frozen=True)
class Routed:
    """A name that leads to an application, on which cluster, and since when."""

    host: str
    target: str
    project: Project
    since: datetime


def watch(services: Services) -> None:
    """Raises and clears the alerts. Raises StepFailed where the router shows nothing at all."""
    routed = routed_names(services)
    for name in routed.values():
        problem = _problem(services, name)
        if problem:
            raise_alert(services, KIND, name.host, problem, _remedy(services.settings, name.host), project=name.project)
        else:
            clear_alert(services, KIND, name.host)
    clear_all(services, KIND, lambda host: host not in routed)


def routed_names(services: Services) -> Mapping[str, Routed]:
    """By name. One that may be any of many (a pattern, a wildcard) cannot be asked for, and is left out."""
    found: dict[str, Routed] = {}
    with services.database.reading() as tx:
        for environment in environment_store.all_environments(tx):
            key = environment.current_deployment_id
            plan = deployment_store.plan_of(tx, key) if key is not None else None
            if key is None or plan is None:
                continue
            since = deployment_store.get(tx, key).finished_at or services.now()
            project = project_store.by_id(tx, environment.project_id)
            found |= {host: Routed(host, environment.target, project, since) for host in plan.hosts if "*" not in host}
    return found


def _problem(services: Services, name: Routed) -> str:
    der = served_certificate(*services.cluster_of(name).target.entrance, name.host)
    problem = judge(read_der(der), name.host, services.now())
    return "" if services.now() - name.since < _GRACE else problem


def judge(shown: Certificate, host: str, now: datetime) -> str:
    """What is wrong with a certificate that is shown for a name; empty where it is good."""
    if not shown.holds_for(host):
        return f"The router has no certificate for {host}: browsers warn."
    left, life = shown.not_after - now, shown.not_after - shown.not_before
    if left <= timedelta():
        return f"The certificate of {host} ended on {shown.not_after:%Y-%m-%d}: browsers warn."
    if left < min(life * _LATE_PART, _LATE):
        return f"The certificate of {host} ends on {shown.not_after:%Y-%m-%d} and was not renewed."
    return ""


def _remedy(settings: Settings, host: str) -> str:
    match signer_of(settings, host):
        case CertificateKind.ACME:
            router = docker_names.router(settings.instance)
            return f"`docker logs {router}` tells what the ACME server said; does the name lead here?"
        case CertificateKind.OWN:
            return "`cabestan doctor` looks at the router; the server's log tells why it was not made anew."
    return "Set acme_email, bring one (`cabestan certificate add`), or name its domain in private_domains."


def keep_accounts(services: Services) -> None:
    """Sealed copies, in the data folder, of the routers' ACME accounts with their keys and certificates."""
    if services.settings.acme_email:
        for cluster in services.clusters.values():
            _keep_account(services, cluster)


def _keep_account(services: Services, cluster: Cluster) -> None:
    target, content = cluster.target.name, cluster.platform.read(cluster.router, ACME_FILE)
    if content and content != kept_account(services.settings, services.vault, target):
        file = _copy(services.settings, target)
        fresh = file.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_bytes(services.vault.seal(content.decode(), _SEALED_AS))
        fresh.replace(file)


def kept_account(settings: Settings, vault: Vault, target: str) -> bytes:
    """Empty where there is no copy."""
    file = _copy(settings, target)
    return vault.open(file.read_bytes(), _SEALED_AS).encode() if file.exists() else b""


def _copy(settings: Settings, target: str) -> Path:
    return settings.data / ("acme.sealed" if target == LOCAL else f"acme-{target}.sealed")
