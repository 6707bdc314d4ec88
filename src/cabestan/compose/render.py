"""From the checked Compose file to the Swarm stack of one environment and one release.

Choices that hold for every stack:

- `endpoint_mode: dnsrr`, because virtual addresses need IPVS, which not every kernel has.
- Networks are made by the platform: one, and others where the file keeps services apart. Docker itself gives each
  service its name there.
- An update that fails pauses. Swarm's own rollback would restore one service and hide the error of its task,
  while Cabestan judges by the tasks and puts the whole previous release back.
- The label of the release is on the service and not on the containers, where it would replace every one of them in
  every deployment, also of services that did not change.
- Services that run once or by the clock are not among the services, which Docker keeps running: they stand below
  `x-cabestan`, for the engine to start them when it is time.
- `expose` means nothing in Swarm, so it is read for routes and left out.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cabestan.compose.cron import CronJob, bash_words, cron_job
from cabestan.compose.entrances import Entrances
from cabestan.compose.findings import Report
from cabestan.compose.model import CommitFile, ComposeFile, Healthcheck, Logging, Mount, Resources, SecretFile, Service
from cabestan.compose.networks import ENVIRONMENT, Layout, lay_out
from cabestan.compose.placeholder import for_stack_file, secrets_in
from cabestan.compose.routing import NO_DOMAIN, check_routes
from cabestan.compose.routing.traefik3 import router_labels
from cabestan.compose.sizes import SecretSize, check_sizes
from cabestan.compose.stack import EXTENSION, Stack, extension
from cabestan.domain.labels import (
    ENVIRONMENT_LABEL,
    INSTANCE_LABEL,
    PROJECT_LABEL,
    RELEASE_LABEL,
    SERVICE_LABEL,
    VOLUME_LABEL,
)
from cabestan.domain.route import Route
from cabestan.errors import Invalid

_STACK = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
_NETWORK = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}", re.ASCII)
_BY_DIGEST = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:-]*@sha256:[0-9a-f]{64}", re.ASCII)
#: Swarm takes no longer name of a service
_LONGEST_NAME = 63
_HASH_DIGITS = 20
_LOG_DRIVER = "json-file"
_LOG_OPTIONS = {"max-size": "10m", "max-file": "3"}
#: seconds that Swarm itself watches after an update; Cabestan watches on
_MONITOR = "2s"


@dataclass(frozen=True, slots=True)
class StackContext:
    """Where the stack goes, and what it is made of."""

    #: of lower-case letters, digits and `-`, such as `cabestan-demo-hello-staging`
    stack: str
    #: an external attachable overlay network
    network: str
    instance: str
    project: str
    environment: str
    release: int
    #: image as the file names it, variables filled in, to `name@sha256:…`
    images: Mapping[str, str]
    domain: str = ""
    #: the names of the secrets that the environment has
    secrets: frozenset[str] = frozenset()
    #: how requests come to its routes
    entrances: Entrances = field(default_factory=Entrances)
    #: of those, the ones that services get as files, to what each is called in Swarm
    secret_files: Mapping[str, str] = field(default_factory=dict)
    #: of those that services get as variables
    secret_sizes: Mapping[str, SecretSize] = field(default_factory=dict)
    #: further labels of the services
    labels: Mapping[str, str] = field(default_factory=dict)


def render(compose: ComposeFile, context: StackContext) -> Stack:
    """The stack. Raises ComposeRefused where file and environment do not fit, Invalid for a bad context."""
    _check_context(context)
    report = Report(compose.file)
    found = check_routes(report, compose, context.domain or NO_DOMAIN)
    _check_services(report, compose, context)
    report.refuse_if_wrong()
    layout = lay_out(compose, context.network)
    services = {s.name: _for_file(_service(s, _of(s, found), layout, context)) for s in compose.services}
    document: dict[str, Any] = {
        "version": "3.8",
        "services": {name: services[name] for name in _kept_running(compose)},
        "networks": _declared_networks(layout, context),
    }
    if compose.volumes:
        document["volumes"] = {volume.key: _volume(volume.key, context) for volume in compose.volumes}
    if compose.secret_files:
        document["secrets"] = {name: _secret(name, context) for name in sorted(compose.secret_files)}
    if given := {config_name(context.stack, f.text): f.text for s in compose.services for f in s.files}:
        document["configs"] = {name: {"external": True, "name": name} for name in sorted(given)}
    images = {service.name: service.image for service in compose.services}
    once = {service.name: services[service.name] for service in compose.services if service.runs_once}
    cron = {s.name: services[s.name] | _for_file(_cron(job)) for s in compose.services if (job := cron_job(s))}
    joined = dict.fromkeys(layout.routed(route.service) for route in found)
    own = {one.name: {"internal": one.internal, "routed": key in joined} for key, one in layout.networks.items()}
    document[EXTENSION] = extension(found, images, once, cron, own, given)
    return Stack(document)


def _kept_running(compose: ComposeFile) -> list[str]:
    return [service.name for service in compose.services if not service.runs_once and not service.by_the_clock]


def _cron(job: CronJob) -> dict[str, Any]:
    return {
        "schedule": job.schedule,
        "run": job.command,
        "overlap": job.overlap,
        "timeout_seconds": job.timeout_seconds,
        "retries": job.retries,
    }


def _of(service: Service, routes: tuple[Route, ...]) -> tuple[Route, ...]:
    return tuple(route for route in routes if route.service == service.name)


def _check_context(context: StackContext) -> None:
    if not _STACK.fullmatch(context.stack):
        raise Invalid(f"{context.stack!r} cannot name a stack.", "Use lower-case letters, digits and -.")
    if not _NETWORK.fullmatch(context.network):
        raise Invalid(f"{context.network!r} cannot name a network.", "Use letters, digits and . _ -.")


def _check_services(report: Report, compose: ComposeFile, context: StackContext) -> None:
    for service in compose.services:
        if len(f"{context.stack}_{service.name}") > _LONGEST_NAME:
            message = f"The name {context.stack}_{service.name} has more than {_LONGEST_NAME} characters."
            report.error("name-too-long", service.spot, message, "Shorten the name of the service.")
        _check_image(report, service, context)
        check_sizes(report, service, context.secret_sizes)
        for name, value in service.environment.items():
            for secret in sorted(set(secrets_in(value)) - context.secrets):
                message = f"{context.environment} has no secret {secret}."
                report.error("secret-unknown", service.place(f"environment.{name}"), message, f"Set {secret} there.")
        for file in service.secrets:
            if file.secret not in context.secret_files:
                message = f"{context.environment} has no secret {file.secret}."
                report.error("secret-unknown", file.spot, message, f"Set {file.secret} there.")


def _check_image(report: Report, service: Service, context: StackContext) -> None:
    digest = context.images.get(service.image)
    if digest is None:
        message = f"The release has no image {service.image}."
        remedy = "Name an image that the pipeline built: ${CI_REGISTRY_IMAGE}:${CI_COMMIT_SHA}."
        report.error("image-unknown", service.place("image"), message, remedy)
    elif not _BY_DIGEST.fullmatch(digest):
        message = f"The image {service.image} is not known by its digest."
        report.error("image-unknown", service.place("image"), message, "Build the release again.")


def _declared_networks(layout: Layout, context: StackContext) -> dict[str, Any]:
    """All of them made by the platform, before the stack is handed over."""
    keys = (ENVIRONMENT, *layout.networks)
    return {key: {"external": True, "name": layout.named(key, context.network)} for key in keys}


def _service(service: Service, routes: tuple[Route, ...], layout: Layout, context: StackContext) -> dict[str, Any]:
    """The service as a stack file has it; keys without a value are left out."""
    document = {
        "image": context.images[service.image],
        "entrypoint": list(service.entrypoint),
        "command": _command(service),
        "environment": dict(sorted(service.environment.items())),
        "user": service.user,
        "working_dir": service.working_dir,
        "extra_hosts": list(service.extra_hosts),
        "healthcheck": _healthcheck(service.healthcheck),
        "init": service.init,
        "read_only": service.read_only,
        "stdin_open": service.stdin_open,
        "tty": service.tty,
        "stop_grace_period": service.stop_grace_period,
        "stop_signal": service.stop_signal,
        "volumes": [_mount(mount) for mount in service.mounts],
        "hostname": service.hostname,
        "networks": _networks(service, layout.of[service.name]),
        "secrets": [_secret_file(file) for file in service.secrets],
        "configs": [_commit_file(file, context) for file in service.files],
        "logging": _logging(service.logging),
        "labels": _container_labels(service, context),
        "deploy": _deploy(service, routes, layout.named(layout.routed(service.name), context.network), context),
    }
    return _without_empty(document)


def _command(service: Service) -> list[str]:
    job = cron_job(service)
    return list(bash_words(service.entrypoint, job.command) if job else service.command)


def _without_empty(document: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if value not in (None, [], {})}


def _healthcheck(check: Healthcheck | None) -> dict[str, Any]:
    if check is None:
        return {}
    if check.test == ("NONE",):
        return {"disable": True}
    return _without_empty(
        {
            "test": list(check.test),
            "interval": check.interval,
            "timeout": check.timeout,
            "retries": check.retries,
            "start_period": check.start_period,
        }
    )


def _mount(mount: Mount) -> dict[str, Any]:
    """In long form, because the short one takes `a:/b` for a path on a drive `a`."""
    kind = "tmpfs" if mount.source is None else "volume"
    document: dict[str, Any] = {"type": kind, "source": mount.source, "target": mount.target}
    document["read_only"] = mount.read_only or None
    document["volume"] = {"nocopy": True} if mount.nocopy else None
    document["tmpfs"] = {"size": mount.size} if mount.size is not None else None
    return _without_empty(document)


def _networks(service: Service, keys: tuple[str, ...]) -> list[str] | dict[str, Any]:
    return {key: {"aliases": list(service.aliases)} for key in keys} if service.aliases else list(keys)


def _secret_file(file: SecretFile) -> dict[str, Any]:
    document = {"source": file.secret, "target": file.target, "uid": file.uid, "gid": file.gid, "mode": file.mode}
    return _without_empty(document)


def config_name(stack: str, text: str) -> str:
    """Swarm's, by the content, for a config cannot be changed."""
    return f"{stack}_{hashlib.sha256(text.encode(errors='replace')).hexdigest()[:_HASH_DIGITS]}"


def _commit_file(file: CommitFile, context: StackContext) -> dict[str, Any]:
    name = config_name(context.stack, file.text)
    return _without_empty({"source": name, "target": file.target, "uid": file.uid, "gid": file.gid, "mode": file.mode})


def _secret(name: str, context: StackContext) -> dict[str, Any]:
    """Made before the stack is applied, under a name that tells its content, for Swarm's cannot be changed."""
    return {"external": True, "name": context.secret_files[name]}


def _logging(logging: Logging) -> dict[str, Any]:
    return {"driver": logging.driver or _LOG_DRIVER, "options": {**_LOG_OPTIONS, **logging.options}}


def _own_labels(context: StackContext) -> dict[str, str]:
    return {
        INSTANCE_LABEL: context.instance,
        PROJECT_LABEL: context.project,
        ENVIRONMENT_LABEL: context.environment,
    }


def _container_labels(service: Service, context: StackContext) -> dict[str, str]:
    """The file's own labels, without those that the router of old read, and ours."""
    labels = {name: value for name, value in service.labels.items() if not name.lower().startswith("traefik.")}
    labels |= _own_labels(context)
    labels[SERVICE_LABEL] = service.name
    return dict(sorted(labels.items()))


def _deploy(service: Service, routes: tuple[Route, ...], network: str, context: StackContext) -> dict[str, Any]:
    deploy = service.deploy
    labels = {**context.labels, **_own_labels(context)}
    labels |= {RELEASE_LABEL: str(context.release), SERVICE_LABEL: service.name}
    labels |= router_labels(routes, context.stack, network, context.entrances)
    resources = {"limits": _resources(deploy.limits), "reservations": _resources(deploy.reservations)}
    shared = {
        "labels": dict(sorted(labels.items())),
        "resources": _without_empty(resources),
        "placement": {"constraints": list(deploy.constraints)} if deploy.constraints else None,
    }
    if service.runs_once or service.by_the_clock:
        return _without_empty(shared)
    kept = {
        "mode": "replicated",
        "replicas": deploy.replicas,
        "endpoint_mode": "dnsrr",
        **shared,
        "restart_policy": _restart_policy(service),
        "update_config": _update_config(service),
    }
    return _without_empty(kept)


def _resources(resources: Resources) -> dict[str, str]:
    return _without_empty({"cpus": resources.cpus, "memory": resources.memory})


def _restart_policy(service: Service) -> dict[str, Any]:
    restart = service.restart
    return _without_empty({"condition": restart.condition, "max_attempts": restart.attempts})


def _update_config(service: Service) -> dict[str, Any]:
    """Two tasks at once on one volume could spoil it, so the old one stops first there."""
    order = service.deploy.order or ("stop-first" if service.has_volume else "start-first")
    return {"parallelism": 1, "order": order, "failure_action": "pause", "monitor": _MONITOR}


def _volume(key: str, context: StackContext) -> dict[str, Any]:
    """Its labels are part of the tasks that use it, so they name no release."""
    return {"name": f"{context.stack}_{key}", "labels": {**_own_labels(context), VOLUME_LABEL: key}}


def _for_file(value: Any) -> Any:
    """All texts as a stack file has them: `$` doubled, secrets as variables."""
    match value:
        case str():
            return for_stack_file(value)
        case list():
            return [_for_file(item) for item in value]
        case dict():
            return {key: _for_file(item) for key, item in value.items()}
    return value
