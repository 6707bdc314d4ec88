"""Which middlewares of Traefik 3 a project may use, and what their options may say.

Left out are those that read the router's files, load code into it, or have it ask other addresses. What a request may
take of the router's memory is bounded, for all projects share it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from cabestan.compose.routing import matchers
from cabestan.compose.routing.auth import check_users
from cabestan.domain.route import Middleware

Check = Callable[[str], str]
_DURATION = re.compile(r"(?:[0-9]{1,9}(?:\.[0-9]{1,9})?(?:ns|us|ms|s|m|h))+|[0-9]{1,9}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,15}", re.ASCII)
_HEADER = re.compile(r"[A-Za-z0-9_-]{1,100}", re.ASCII)
_LONGEST = 4000
_HIGHEST_PORT = 65535
#: bytes of a body that one request may have the router hold in its memory, which is as much as it holds by default
_IN_MEMORY = 1024**2
#: bytes of a body that it writes to the disk meanwhile
_ON_DISK = 10 * 1024**3
_MOST_ATTEMPTS = 100
#: a pattern may fit each letter of an address, which becomes so many times longer
_LONGEST_REPLACEMENT = 500


class UnknownOption(ValueError):
    """There is no such middleware, or it has no such option, or not here."""


def make(name: str, kind: str, options: Mapping[str, str]) -> Middleware:
    """Checked; raises ValueError with what is wrong. Options may be in any case.

    An empty option is left out, but for a header, which is taken away.
    """
    known = KINDS.get(kind)
    if known is None:
        raise UnknownOption(f"the middleware {kind[:40]} is not available; there are {', '.join(sorted(KINDS))}")
    found = [_option(known, kind, option, value) for option, value in options.items() if value or _names_header(option)]
    return Middleware(name, kind, tuple(sorted(found)))


def _names_header(option: str) -> bool:
    return option.partition(".")[0].lower().endswith("headers") and "." in option


def _option(known: Mapping[str, Check], kind: str, option: str, value: str) -> tuple[str, str]:
    key = option.lower()
    group, dot, header = option.partition(".")
    if dot and f"{group.lower()}.*" in known:
        if not _HEADER.fullmatch(header):
            raise ValueError(f"{header[:40]!r} is no name of a header")
        return f"{group.lower()}.{header}", known[f"{group.lower()}.*"](value)
    if key not in known:
        options = ", ".join(sorted(option for option in known if option)) or "none"
        raise UnknownOption(f"{kind} has no option {option[:60]} here; it has {options}")
    return key, known[key](value)


def text(value: str) -> str:
    stripped = value.strip()
    if len(stripped) > _LONGEST or not stripped.isprintable():
        raise ValueError(f"a value has control characters, or more than {_LONGEST} of any kind")
    return stripped


def flag(value: str) -> str:
    word = value.strip().lower()
    if word not in ("true", "false"):
        raise ValueError(f"{value[:40]!r} is neither true nor false")
    return word


def number(value: str) -> str:
    if not _NUMBER.fullmatch(value.strip()):
        raise ValueError(f"{value[:40]!r} is no number")
    return str(int(value.strip()))


def at_most(most: int) -> Check:
    """A number up to this one."""

    def check(value: str) -> str:
        found = number(value)
        if int(found) > most:
            raise ValueError(f"{found} is more than {most}, which is the most here")
        return found

    return check


def replacement(value: str) -> str:
    found = text(value)
    if len(found) > _LONGEST_REPLACEMENT:
        raise ValueError(f"a replacement has more than {_LONGEST_REPLACEMENT} characters")
    return found


def port(value: str) -> str:
    found = number(value)
    if not 1 <= int(found) <= _HIGHEST_PORT:
        raise ValueError(f"{value[:40]!r} is no port")
    return found


def duration(value: str) -> str:
    if not _DURATION.fullmatch(value.strip()):
        raise ValueError(f"{value[:40]!r} is no duration, such as 10s")
    return value.strip()


def each(check: Check) -> Check:
    """Values separated by commas."""
    return lambda value: ",".join(check(part.strip()) for part in value.split(",") if part.strip())


def scheme(value: str) -> str:
    if value.strip() not in ("http", "https"):
        raise ValueError(f"{value[:40]!r} is neither http nor https")
    return value.strip()


def _path(value: str) -> str:
    return matchers.plain_path(value.strip())


def _regex(value: str) -> str:
    return matchers.regex(value.strip())


_ranges = each(matchers.address_range)
_SOURCE: Mapping[str, Check] = {
    "sourcecriterion.requestheadername": text,
    "sourcecriterion.requesthost": flag,
    "sourcecriterion.ipstrategy.depth": number,
    "sourcecriterion.ipstrategy.excludedips": _ranges,
}
_ALLOW_LIST: Mapping[str, Check] = {
    "sourcerange": _ranges,
    "ipstrategy.depth": number,
    "ipstrategy.excludedips": _ranges,
    "rejectstatuscode": number,
}
_HEADERS: Mapping[str, Check] = {
    "customrequestheaders.*": text,
    "customresponseheaders.*": text,
    "sslproxyheaders.*": text,
    **dict.fromkeys(
        (
            "accesscontrolallowcredentials",
            "addvaryheader",
            "browserxssfilter",
            "contenttypenosniff",
            "forcestsheader",
            "framedeny",
            "isdevelopment",
            "stsincludesubdomains",
            "stspreload",
        ),
        flag,
    ),
    **dict.fromkeys(
        (
            "accesscontrolallowheaders",
            "accesscontrolallowmethods",
            "accesscontrolalloworiginlist",
            "accesscontrolexposeheaders",
            "allowedhosts",
            "contentsecuritypolicy",
            "contentsecuritypolicyreportonly",
            "custombrowserxssvalue",
            "customframeoptionsvalue",
            "hostsproxyheaders",
            "permissionspolicy",
            "publickey",
            "referrerpolicy",
        ),
        text,
    ),
    "accesscontrolalloworiginlistregex": each(_regex),
    "accesscontrolmaxage": number,
    "stsseconds": number,
}

#: kind, in the words of Traefik 3, to its options and how each is checked
KINDS: Mapping[str, Mapping[str, Check]] = {
    "addprefix": {"prefix": _path},
    "basicauth": {"users": check_users, "realm": text, "headerfield": text, "removeheader": flag},
    "buffering": {
        "maxrequestbodybytes": at_most(_ON_DISK),
        "memrequestbodybytes": at_most(_IN_MEMORY),
        "maxresponsebodybytes": at_most(_ON_DISK),
        "memresponsebodybytes": at_most(_IN_MEMORY),
        "retryexpression": text,
    },
    "circuitbreaker": {
        "expression": text,
        "checkperiod": duration,
        "fallbackduration": duration,
        "recoveryduration": duration,
        "responsecode": number,
    },
    "compress": {
        "": flag,
        "excludedcontenttypes": text,
        "includedcontenttypes": text,
        "minresponsebodybytes": at_most(_IN_MEMORY),  # it holds a response until it knows whether to compress it
        "encodings": text,
        "defaultencoding": text,
    },
    "contenttype": {"": flag},
    "headers": _HEADERS,
    "inflightreq": {"amount": number, **_SOURCE},
    "ipallowlist": _ALLOW_LIST,
    "ratelimit": {"average": number, "period": duration, "burst": number, **_SOURCE},
    "redirectregex": {"regex": _regex, "replacement": replacement, "permanent": flag},
    "redirectscheme": {"scheme": scheme, "port": port, "permanent": flag},
    "replacepath": {"path": _path},
    "replacepathregex": {"regex": _regex, "replacement": replacement},
    "retry": {"attempts": at_most(_MOST_ATTEMPTS), "initialinterval": duration},
    "stripprefix": {"prefixes": each(_path)},
    "stripprefixregex": {"regex": each(_regex)},
}
