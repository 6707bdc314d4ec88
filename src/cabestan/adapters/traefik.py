"""What the router is started with, and the files that it watches while it runs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from cabestan.adapters import access_lines
from cabestan.adapters.certificates import Issued
from cabestan.adapters.router import ServiceContainer
from cabestan.domain import docker_names
from cabestan.domain.host import wildcard_of
from cabestan.domain.labels import INSTANCE_LABEL

#: the name, in labels, of what has certificates over ACME
RESOLVER = "acme"
ACME_FILE = "/acme/acme.json"
_SOCKET = "/var/run/docker.sock"
_WATCHED = "/router"
_ACME_AUTHORITIES = "/router/acme-authorities.pem"
#: lower than what any project may set, as `compose/routing/traefik3.py` has it
_LAST, _WHEN_DOWN = -1, 1
_DOWN = "down"
_PLUGIN = "nothinghere"
#: a request's first line and headers, all of which the router holds in its memory, and some middlewares in copies
_HEADER_BYTES = 64 * 1024
#: a connection to an application that is not taken so long is given up, and `retry` of the route tries another replica;
#: one that is shorter gives up good ones on a busy machine
_DIAL_TIMEOUT = "500ms"


@dataclass(frozen=True)
class Acme:
    """An account, and how it proves that a name is ours: by the DNS provider (with its variables), else over HTTP."""

    email: str
    server: str
    authorities: bytes = b""
    dns_provider: str = ""
    dns_variables: dict[str, str] = field(default_factory=dict, repr=False)
    dns_resolvers: tuple[str, ...] = ()
    #: how long to wait for an answer to be seen, instead of asking name servers; 0: ask them
    dns_seconds: int = 0


@dataclass(frozen=True)
class Ports:
    """Where requests come in; `public` is the port of HTTPS as users see it."""

    address: str
    plain: int
    secure: int
    public: int


def router_container(
    instance: str, image: str, ports: Ports, domain: str, acme: Acme | None, account: bytes = b""
) -> ServiceContainer:
    """Traefik, reading the labels of this installation's Swarm services every second.

    `domain`: that of the target. `account`: what is to be in the ACME file of a router that has none yet.
    """
    files = {f"{_WATCHED}/platform.yml": platform_file(ports, domain, wildcard=bool(acme and acme.dns_provider))}
    if acme and acme.authorities:
        files[_ACME_AUTHORITIES] = acme.authorities
    if account:
        files[ACME_FILE] = account
    return ServiceContainer(
        name=docker_names.router(instance),
        role="router",
        image=image,
        command=(*_command(instance), *(_acme_command(acme) if acme else ())),
        ports={"8000/tcp": (ports.address, ports.plain), "8443/tcp": (ports.address, ports.secure)},
        volumes={
            _SOCKET: _SOCKET,
            docker_names.router(instance): _WATCHED,
            docker_names.acme_volume(instance): "/acme",
        },
        environment=acme.dns_variables if acme else {},
        files=files,
    )


#: a line for each request, with nothing that a client or an application may have put secrets into but the path
_ACCESS_LOG = (
    "--accesslog=true",
    "--accesslog.format=json",
    "--accesslog.fields.defaultmode=drop",
    *(f"--accesslog.fields.names.{name}=keep" for name in access_lines.FIELDS),
)


def _command(instance: str) -> tuple[str, ...]:
    return (
        "--global.checknewversion=false",
        "--global.sendanonymoususage=false",
        "--entrypoints.web.address=:8000",
        "--entrypoints.web.transport.respondingtimeouts.readtimeout=0",
        f"--entrypoints.web.http.maxheaderbytes={_HEADER_BYTES}",
        "--entrypoints.websecure.address=:8443",
        "--entrypoints.websecure.transport.respondingtimeouts.readtimeout=0",
        f"--entrypoints.websecure.http.maxheaderbytes={_HEADER_BYTES}",
        "--entrypoints.ping.address=127.0.0.1:8082",
        "--ping.entrypoint=ping",
        "--providers.swarm=true",
        "--providers.swarm.endpoint=unix:///var/run/docker.sock",
        "--providers.swarm.exposedbydefault=false",
        "--providers.swarm.refreshseconds=1",
        f"--providers.swarm.constraints=Label(`{INSTANCE_LABEL}`, `{instance}`)",
        f"--providers.file.directory={_WATCHED}",
        "--providers.file.watch=true",
        f"--serverstransport.forwardingtimeouts.dialtimeout={_DIAL_TIMEOUT}",
        "--serverstransport.maxidleconnsperhost=64",
        "--providers.providersthrottleduration=200ms",
        f"--experimental.localplugins.{_PLUGIN}.modulename=cabestan/{_PLUGIN}",
        "--log.level=WARN",
        *_ACCESS_LOG,
    )


def _acme_command(acme: Acme) -> tuple[str, ...]:
    start = f"--certificatesresolvers.{RESOLVER}.acme"
    command = [
        f"{start}.email={acme.email}",
        f"{start}.caserver={acme.server}",
        f"{start}.storage={ACME_FILE}",
        f"{start}.keytype=EC256",
    ]
    if acme.authorities:
        command.append(f"{start}.cacertificates={_ACME_AUTHORITIES}")
    if not acme.dns_provider:
        return (*command, f"{start}.httpchallenge.entrypoint=web")
    command.append(f"{start}.dnschallenge.provider={acme.dns_provider}")
    if acme.dns_resolvers:
        command.append(f"{start}.dnschallenge.resolvers={','.join(acme.dns_resolvers)}")
    if acme.dns_seconds:
        command.append(f"{start}.dnschallenge.propagation.delaybeforechecks={acme.dns_seconds}s")
        command.append(f"{start}.dnschallenge.propagation.disablechecks=true")
    return tuple(command)


def platform_file(ports: Ports, domain: str, *, wildcard: bool) -> bytes:
    """The redirect to HTTPS, and what answers where no route does; `wildcard`: with a public certificate for it."""
    redirect: dict[str, Any] = {"scheme": "https", "permanent": False}
    if ports.public != 443:
        redirect["port"] = str(ports.public)
    tls: dict[str, Any] = {}
    if wildcard:
        names = {"main": domain, "sans": list(wildcard_of(domain))}
        tls = {"certResolver": RESOLVER, "domains": [names]}
    last = {"rule": "PathPrefix(`/`)", "priority": _LAST, "service": "noop@internal", "middlewares": ["nothing-here"]}
    routers = {
        "nothing-here": {**last, "entryPoints": ["web"]},
        "nothing-here-secure": {**last, "entryPoints": ["websecure"], "tls": tls},
    }
    middlewares = {
        "to-https": {"redirectScheme": redirect},
        "nothing-here": {"plugin": {_PLUGIN: {}}},
        _DOWN: {"plugin": {_PLUGIN: {"down": True}}},
    }
    return yaml.safe_dump({"http": {"routers": routers, "middlewares": middlewares}}).encode()


def down_file(rules: Mapping[str, str]) -> tuple[str, bytes]:
    """Path and content: what answers by a rule while no container does; `rules` by a name for each.

    A route of Swarm's services is there as long as a container runs, and comes before.
    """
    last = {"priority": _WHEN_DOWN, "service": "noop@internal", "middlewares": [_DOWN]}
    routers: dict[str, Any] = {}
    for name, rule in sorted(rules.items()):
        routers[f"{_DOWN}-{name}"] = {**last, "rule": rule, "entryPoints": ["web"]}
        routers[f"{_DOWN}-{name}-secure"] = {**last, "rule": rule, "entryPoints": ["websecure"], "tls": {}}
    return f"{_WATCHED}/down.yml", yaml.safe_dump({"http": {"routers": routers}} if routers else {}).encode()


def certificates_file(certificates: Iterable[Issued], default: Issued | None) -> tuple[str, bytes]:
    """Path and content: all certificates with their keys in one file, so that the router never sees half of them.

    `default` is shown for names that no other is for.
    """
    tls: dict[str, Any] = {"certificates": [_pair(issued) for issued in certificates]}
    if default:
        tls["stores"] = {"default": {"defaultCertificate": _pair(default)}}
    return f"{_WATCHED}/certificates.yml", yaml.safe_dump({"tls": tls}).encode()


def _pair(issued: Issued) -> dict[str, str]:
    return {"certFile": issued.certificate.chain, "keyFile": issued.key}
