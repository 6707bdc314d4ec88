"""Makes matchers of Traefik 3 from values as files have them. Each maker raises ValueError with what is wrong.

Values go into a rule between backticks, so none may hold one, nor any control character.
"""

from __future__ import annotations

import ipaddress
import re
from contextlib import suppress

from cabestan.compose.routing.hosts import claims_of_pattern, is_host
from cabestan.compose.routing.patterns import check_pattern, from_template, is_template, split_template
from cabestan.compose.routing.rule import Match

_LONGEST_VALUE = 1000
_PATH = re.compile(r"/[^\s`?#\\]*")
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_|~-]{1,100}", re.ASCII)
_METHOD = re.compile(r"[A-Za-z]{1,30}", re.ASCII)


class UnknownMatcher(ValueError):
    """There is no such matcher in the version of Traefik that a rule is written for."""


def host(text: str) -> Match:
    name = text.lower()
    if not is_host(name):
        raise ValueError(f"{text[:80]!r} is no host name")
    return Match("Host", (name,))


def host_pattern(text: str) -> Match:
    """A regular expression, a `{name:regex}` template of Traefik 1 and 2, or a plain name."""
    if is_host(text.lower()):
        return host(text)
    pattern = text
    if _has_named_part(text):
        pattern = f"^{from_template(_lower_text(text), '[^.]+')}$"
    return _host_regexp(pattern, text)


def _host_regexp(pattern: str, text: str) -> Match:
    checked(pattern)
    try:
        claims_of_pattern(pattern)
    except ValueError as error:
        raise ValueError(f"{text[:80]!r} does not tell whose hosts it means: {error}") from error
    return Match("HostRegexp", (pattern,))


def _lower_text(template: str) -> str:
    """Host names are compared in lower case; what stands in braces is left as it is."""
    return "".join(f"{{{text}}}" if pattern else text.lower() for text, pattern in split_template(template))


def _has_named_part(text: str) -> bool:
    """`{2,3}` counts in a regular expression; `{name}` and `{name:regex}` do not."""
    return re.search(r"\{\s*[A-Za-z_]", text) is not None


def path(text: str) -> Match:
    if is_template(text):
        return path_pattern(f"^{from_template(_path(text, template=True), '[^/]+')}$")
    return Match("Path", (_path(text),))


def path_prefix(text: str) -> Match:
    if is_template(text):
        return path_pattern(f"^{from_template(_path(text, template=True), '[^/]+')}")
    return Match("PathPrefix", (_path(text),))


def path_pattern(text: str) -> Match:
    return Match("PathRegexp", (regex(text),))


def _path(text: str, *, template: bool = False) -> str:
    if not (text.startswith("/") if template else _PATH.fullmatch(text)):
        raise ValueError(f"{text[:80]!r} is no path; it begins with a slash, without spaces and query")
    return checked(text)


def plain_path(text: str) -> str:
    """A path that is put before or in place of another."""
    return _path(text)


def method(text: str) -> Match:
    if not _METHOD.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is no method, such as GET")
    return Match("Method", (text.upper(),))


def header(name: str, value: str) -> Match:
    return Match("Header", (header_name(name), checked(value)))


def header_pattern(name: str, pattern: str) -> Match:
    return Match("HeaderRegexp", (header_name(name), regex(pattern)))


def header_name(text: str) -> str:
    if not _TOKEN.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is no name of a header")
    return text


def query(key: str, value: str | None) -> Match:
    """The key has the value; it has any where the value is None."""
    if not key:
        raise ValueError("a condition on the query needs a key")
    if value is None:
        return Match("QueryRegexp", (checked(key), ".*"))
    if is_template(value):
        return query_pattern(key, f"^{from_template(value, '.*')}$")
    return Match("Query", (checked(key), checked(value)))


def query_pattern(key: str, pattern: str) -> Match:
    return Match("QueryRegexp", (checked(key), regex(pattern)))


def client_address(text: str) -> Match:
    return Match("ClientIP", (address_range(text),))


def address_range(text: str) -> str:
    """An address or a range, as it is. After `%`, the zone of an address of IPv6, Python takes any character."""
    with suppress(ValueError):
        ipaddress.ip_network(text, strict=False)
        if "%" not in text:
            return text
    raise ValueError(f"{text[:80]!r} is no address and no range, such as 10.0.0.0/8")


def regex(text: str) -> str:
    """A regular expression as the router takes it."""
    checked(text)
    try:
        check_pattern(text)
    except ValueError as error:
        raise ValueError(f"{text[:80]!r} is no regular expression: {error}") from error
    return text


def checked(text: str) -> str:
    """What may stand in a rule and in a label."""
    if len(text) > _LONGEST_VALUE:
        raise ValueError(f"a value has more than {_LONGEST_VALUE} characters")
    if "`" in text or not text.isprintable():
        raise ValueError(f"{text[:80]!r} holds a backtick or a control character (\\x60 stands for a backtick)")
    return text
