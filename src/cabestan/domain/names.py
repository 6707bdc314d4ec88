"""Names and references: their forms and bounds, checked where they come in."""

import re
from collections.abc import Iterable
from difflib import get_close_matches

from cabestan.errors import Invalid

#: one part of a project's name, an environment's, a job's: as in a host name
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
_ENVIRONMENT = re.compile(r"[a-z0-9](?:[a-z0-9/-]*[a-z0-9])?")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_USER = re.compile(r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?")
_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*")
_BRANCH_PATTERN = re.compile(r"[A-Za-z0-9._/*+@-]+")
#: what Git takes as a branch, but for what is a pattern here
_BRANCH = re.compile(
    r"(?!-)(?!@$)(?!.*(?:\.\.|//|@\{|/\.|\.lock(?:/|$)))[A-Za-z0-9_+@-](?:[A-Za-z0-9._/+@-]*[A-Za-z0-9_+@-])?"
)

#: so much of what was typed is compared with what there is
_COMPARED = 64

#: `group/project`, as long as a Unix account's name may be
PROJECT_NAME_LENGTH = 32
ENVIRONMENT_NAME_LENGTH = 40
USER_NAME_LENGTH = 32
#: between two dots of a host name
LABEL_LENGTH = 63
VARIABLE_NAME_LENGTH = 128
VARIABLE_VALUE_LENGTH = 64 * 1024
#: an environment `review/plan` would stand where the plan of `review` does
_RESERVED_ENDINGS = ("/plan", "/deployments", "/rollback", "/variables")
#: names that would stand where the server's own addresses are
_RESERVED_GROUPS = frozenset(
    {"api", "static", "login", "logout", "search", "live", "internal", "docs", "openapi", "new", "groups", "registry"}
    | {"deletions", "account", "users"}
    # and where images that are no project's are in the registry
    | {"cabestan", "library"}
)


def project_name(text: str) -> str:
    """`group/name`, lower case, at most 32 characters in all."""
    group, slash, name = text.partition("/")
    if not slash or not _LABEL.fullmatch(group) or not _LABEL.fullmatch(name):
        raise Invalid(
            f"“{_shown(text)}” is not a project name.",
            "Write group/name with lower-case letters, digits and hyphens, such as shop/api.",
        )
    if len(text) > PROJECT_NAME_LENGTH:
        raise Invalid(
            f"The project name “{_shown(text)}” has {len(text)} characters.",
            f"Choose one of at most {PROJECT_NAME_LENGTH}, the slash included.",
        )
    if group in _RESERVED_GROUPS:
        raise Invalid(f"The group name “{group}” is used by Cabestan itself.", "Choose another.")
    return text


def environment_name(text: str) -> str:
    """Lower case, digits, hyphens and slashes (`review/login`), at most 40 characters."""
    if len(text) > ENVIRONMENT_NAME_LENGTH or "//" in text or not _ENVIRONMENT.fullmatch(text):
        raise Invalid(
            f"“{_shown(text)}” is not an environment name.",
            f"Use lower-case letters, digits, hyphens and slashes, at most {ENVIRONMENT_NAME_LENGTH} characters.",
        )
    if text.endswith(_RESERVED_ENDINGS):
        raise Invalid(f"The ending of “{text}” is used by Cabestan itself.", "Choose another name.")
    return text


def variable_name(text: str) -> str:
    if len(text) > VARIABLE_NAME_LENGTH or not _VARIABLE.fullmatch(text):
        raise Invalid(
            f"“{_shown(text)}” is not a variable name.",
            f"Use letters, digits and underscores, no digit first, at most {VARIABLE_NAME_LENGTH} characters.",
        )
    if text.startswith(("CI_", "CABESTAN_")):
        raise Invalid(
            f"The variable {text} is set by Cabestan itself.",
            "Choose a name that begins neither with CI_ nor with CABESTAN_.",
        )
    return text


def variable_value(text: str) -> str:
    if len(text.encode()) > VARIABLE_VALUE_LENGTH:
        raise Invalid(
            f"The value has {len(text.encode())} bytes.",
            f"At most {VARIABLE_VALUE_LENGTH} are kept; put larger data into a volume.",
        )
    if "\0" in text:
        raise Invalid(
            "The value holds a NUL character, which no environment variable can.",
            "Encode it, for instance as base64.",
        )
    return text


def user_name(text: str) -> str:
    if len(text) > USER_NAME_LENGTH or not _USER.fullmatch(text):
        raise Invalid(
            f"“{_shown(text)}” is not a user name.",
            f"Use lower-case letters, digits, dots, hyphens and underscores, at most {USER_NAME_LENGTH}.",
        )
    return text


def host_name(text: str) -> str:
    if not _HOST.fullmatch(text):
        raise Invalid(
            f"“{_shown(text)}” is not a host name.",
            "Write it in lower case without scheme, port or path, such as www.example.org.",
        )
    return text


def branch_pattern(text: str) -> str:
    """A branch, or several by `*`: `main`, `release/*`, `*`."""
    if len(text) > 200 or not _BRANCH_PATTERN.fullmatch(text):
        raise Invalid(
            f"“{_shown(text)}” is not a branch or a pattern of branches.",
            "Write a branch such as main, or a pattern such as release/*.",
        )
    return text


def branch_name(text: str) -> str:
    """One branch, in a form that Git takes."""
    if len(text) > 200 or not _BRANCH.fullmatch(text):
        raise Invalid(f"“{_shown(text)}” is not the name of a branch.", "Name one branch, such as main.")
    return text


def slug(text: str, most: int = LABEL_LENGTH) -> str:
    """A name as one label of a host name, cut where it is too long."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:most].strip("-")


def _shown(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:77]}…"


def meant(name: str, names: Iterable[str]) -> str:
    """`Did you mean staging? `, for the beginning of a remedy; empty where none of the names is like it."""
    close = get_close_matches(name[:_COMPARED], names, n=1)
    return f"Did you mean {close[0]}? " if close else ""
