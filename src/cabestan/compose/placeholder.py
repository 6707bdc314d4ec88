"""Stand-ins for secret values, so that no secret is ever in a rendered file.

A caller gives `secret_placeholder(NAME)` as the variable's value. It travels through interpolation like any
text, and the renderer turns it into `${CABESTAN_SECRET_NAME}`, which `docker stack deploy` fills from its
environment. The marks are private-use characters, which a Compose file may not contain.
"""

from __future__ import annotations

import re

from cabestan.errors import Invalid

_OPEN = "\ue0ca"
_CLOSE = "\ue0cb"
#: the characters that may not stand in a file
MARKS = frozenset({_OPEN, _CLOSE})
SECRET_VARIABLE = "CABESTAN_SECRET_"  # noqa: S105 (the name of a variable)

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_PLACEHOLDER = re.compile(f"{_OPEN}([A-Za-z_][A-Za-z0-9_]*){_CLOSE}", re.ASCII)


def secret_placeholder(name: str) -> str:
    """The stand-in for the secret of this name; raises Invalid for a name that no variable can have."""
    if not _NAME.fullmatch(name):
        raise Invalid(
            f"{name!r} cannot be the name of a secret.",
            "Use letters, digits and underscores, no digit first.",
        )
    return f"{_OPEN}{name}{_CLOSE}"


def holds_secret(text: str) -> bool:
    return not MARKS.isdisjoint(text)


def is_mixed(text: str) -> bool:
    """Whether marks stand in it without its being one placeholder, as nobody but a forger would write."""
    return holds_secret(text) and not _PLACEHOLDER.fullmatch(text)


def secrets_in(text: str) -> tuple[str, ...]:
    return tuple(_PLACEHOLDER.findall(text))


def without_secrets(text: str) -> str:
    return _PLACEHOLDER.sub("", text)


def for_stack_file(text: str) -> str:
    """The text as a stack file holds it: each `$` doubled, each placeholder a reference to its variable."""
    doubled = text.replace("$", "$$")
    return _PLACEHOLDER.sub(rf"${{{SECRET_VARIABLE}\1}}", doubled) if holds_secret(doubled) else doubled


def hide_placeholders(text: str) -> str:
    """For people: placeholders become `(secret NAME)`."""
    return _PLACEHOLDER.sub(r"(secret \1)", text) if holds_secret(text) else text
