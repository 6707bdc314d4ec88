"""Reads labels of Traefik 2 and 3, `traefik.http.routers.NAME.rule` and the like, and checks what any labels define.

Names hold within the Compose file: a router may use a service and middlewares that another service's labels define.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from cabestan.compose.routing import middlewares
from cabestan.compose.routing.labels import Labels
from cabestan.compose.routing.middlewares import make
from cabestan.compose.routing.parts import BALANCER, PORT, SCHEME, Definitions, Part, Said, wrong_in
from cabestan.domain.route import Middleware

HTTP = "traefik.http."
_NAME = re.compile(r"[a-z0-9_-]{1,60}", re.ASCII)
_COOKIE = re.compile(r"[A-Za-z0-9_./-]{1,100}", re.ASCII)
#: older names, and kinds whose options became others
_KIND_NAMES = {"ipwhitelist": "ipallowlist"}


def _cookie_word(value: str) -> str:
    if not _COOKIE.fullmatch(value):
        raise ValueError(f"{value[:40]!r} is no word for a cookie")
    return value


#: options of the load balancer
BALANCING: Mapping[str, middlewares.Check] = {
    "passhostheader": middlewares.flag,
    "responseforwarding.flushinterval": middlewares.duration,
    "sticky.cookie": middlewares.flag,
    "sticky.cookie.name": _cookie_word,
    "sticky.cookie.path": _cookie_word,
    "sticky.cookie.samesite": _cookie_word,
    "sticky.cookie.secure": middlewares.flag,
    "sticky.cookie.httponly": middlewares.flag,
    "sticky.cookie.maxage": middlewares.number,
}
_SERVICE_OPTIONS = (PORT, SCHEME, *BALANCING)


def definitions(every: Iterable[Labels]) -> Definitions:
    """Checked; what is wrong goes into the report."""
    found = Definitions()
    for labels in every:
        for key, (label, value) in labels.values.items():
            if key.startswith(HTTP):
                _define(found, labels, key, label, value)
            elif key.startswith(("traefik.tcp.", "traefik.udp.", "traefik.tls.")):
                message = f"The label {label} is not supported: the router takes HTTP alone."
                labels.wrong(label, message, "Remove it.", code="route-label")
    check(found)
    return found


def _define(found: Definitions, labels: Labels, key: str, label: str, value: str) -> None:
    kind, _, rest = key.removeprefix(HTTP).partition(".")
    name, _, option = rest.partition(".")
    parts = {"routers": found.routers, "services": found.services, "middlewares": found.middlewares}.get(kind)
    if parts is None or not option or not _NAME.fullmatch(name):
        remedy = "Write traefik.http.routers.NAME.…, .services.NAME.… or .middlewares.NAME.… with a plain NAME."
        labels.wrong(label, f"The label {label} is not supported.", remedy, code="route-label")
        return
    part = parts.setdefault(name, Part(name, labels, label))
    if part.labels is not labels:
        message = f"{name} is defined by {part.labels.service.name} as well."
        labels.wrong(label, message, "Choose another name.")
    else:
        part.options[option] = Said(label, label[len(label) - len(option) :], value)


def check(known: Definitions) -> None:
    """Checks services, and makes the middlewares, each of them once and also where no router uses it."""
    for service in known.services.values():
        _check_service(service)
    for part in known.middlewares.values():
        if "chain.middlewares" not in part.options:
            known.made[part.name] = _made(part)
        elif len(part.options) > 1:
            part.labels.wrong(part.place, f"{part.name} is a chain and more.", "Make two middlewares of it.")


def _check_service(service: Part) -> None:
    """Refuses options that are not understood."""
    for option, (label, _, value) in service.options.items():
        name = option.removeprefix(BALANCER)
        if name == option or name not in _SERVICE_OPTIONS:
            remedy = f"Of loadbalancer there are {', '.join(_SERVICE_OPTIONS)}."
            service.labels.wrong(label, f"The label {label} is not supported.", remedy, code="route-label")
        elif name in BALANCING:
            try:
                BALANCING[name](value)
            except ValueError as error:
                wrong_in(service.labels, label, error)


def _made(part: Part) -> tuple[Middleware, ...]:
    """The middleware; two where an older option has become one of its own; none where it is wrong."""
    try:
        kind = _kind(part)
        options = {option.partition(".")[2]: value for _, option, value in part.options.values()}
        return _of_kind(part.name, _KIND_NAMES.get(kind, kind), options)
    except ValueError as error:
        wrong_in(part.labels, part.place, error)
        return ()


def _kind(part: Part) -> str:
    kinds = sorted({option.partition(".")[0] for option in part.options})
    if len(kinds) != 1:
        raise ValueError(f"{part.name} is of several kinds: {', '.join(kinds)}")
    return kinds[0]


def _of_kind(name: str, kind: str, options: dict[str, str]) -> tuple[Middleware, ...]:
    if kind == "headers" and any(option.lower().startswith("ssl") for option in options):
        return _older_headers(name, options)
    return (make(name, kind, options),)


def _older_headers(name: str, options: dict[str, str]) -> tuple[Middleware, ...]:
    """Traefik 2 redirected to HTTPS by `headers.sslredirect`, Traefik 3 does so by a middleware of its own."""
    lower = {option.lower(): value for option, value in options.items()}
    kept = {o: v for o, v in options.items() if o.lower() not in ("sslredirect", "ssltemporaryredirect")}
    rest = (make(name, "headers", kept),) if kept else ()
    permanent = to_https(lower.get("sslredirect", "false"), lower.get("ssltemporaryredirect", "false"))
    if permanent is None:
        return rest
    return (make(f"{name}-ssl", "redirectscheme", {"scheme": "https", "permanent": permanent}), *rest)


def to_https(redirect: str, temporary: str) -> str | None:
    """Whether `sslredirect` and `ssltemporaryredirect` ask for a redirect for ever; None where they ask for none."""
    if middlewares.flag(redirect) == "false":
        return None
    return "false" if middlewares.flag(temporary) == "true" else "true"
