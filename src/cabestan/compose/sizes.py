"""What is too large for a process or for Swarm, found before anything runs.

Linux gives a process no variable and no word of more than 128 KiB (`MAX_ARG_STRLEN`). Swarm stores no change of more
than 1.5 MiB, in which a service that is updated stands twice: as it is to be, and as it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cabestan.compose.braces import literal
from cabestan.compose.findings import Report
from cabestan.compose.model import Service
from cabestan.compose.placeholder import secrets_in, without_secrets

#: bytes of `NAME=value`, or of a word; one more ends it
LONGEST_TEXT = 128 * 1024 - 1
#: bytes of all variables and words of one service, as Swarm is given them; measured: 780,000 can be updated
MOST_OF_A_SERVICE = 700_000
#: of those that are too large together, so many are named
_NAMED = 3


@dataclass(frozen=True, slots=True)
class SecretSize:
    """Bytes of a secret's value, and as Swarm is given it."""

    plain: int
    given: int


@dataclass(frozen=True, slots=True)
class Excess:
    """What is too large. `variable` is the largest one, or the one that is too large alone; empty for a word."""

    code: str
    variable: str
    message: str
    remedy: str


def size_of_secret(value: str) -> SecretSize:
    return SecretSize(_bytes(value), _bytes(literal(value)))


def excess(
    environment: Mapping[str, str], words: Iterable[str], secrets: Mapping[str, SecretSize] | None = None
) -> Excess | None:
    """Of one container; None where all of it fits. Placeholders count as the secrets that they stand for."""
    sizes = {name: _size(f"{name}=", value, secrets or {}) for name, value in environment.items()}
    for name, size in sizes.items():
        if size.plain > LONGEST_TEXT:
            return _too_long(f"the variable {name} has {size.plain:,} bytes", name)
    sized = [_size("", word, {}) for word in words]
    if too_long := max((size.plain for size in sized if size.plain > LONGEST_TEXT), default=0):
        return _too_long(f"a word of its command has {too_long:,} bytes", "")
    total = sum(size.given for size in (*sizes.values(), *sized))
    return _too_much(sizes, total) if total > MOST_OF_A_SERVICE else None


def check_sizes(report: Report, service: Service, secrets: Mapping[str, SecretSize]) -> None:
    """Errors in place of what the engine would say in the middle of a deployment."""
    found = excess(service.environment, (*service.entrypoint, *service.command), secrets)
    if found:
        place = service.place(f"environment.{found.variable}") if found.variable else service.place("command")
        report.error(found.code, place, f"In {service.name}, {found.message}", found.remedy)


def _too_long(what: str, variable: str) -> Excess:
    message = f"{what}; Linux gives a process at most {LONGEST_TEXT:,} in one."
    return Excess("variable-too-long", variable, message, "Give it as a file: a secret under secrets:, or a volume.")


def _too_much(sizes: Mapping[str, SecretSize], total: int) -> Excess:
    largest = sorted(sizes, key=lambda name: -sizes[name].given)[:_NAMED]
    named = ", ".join(f"{name} ({sizes[name].given:,})" for name in largest)
    message = f"variables and command have {total:,} bytes together, and Swarm takes {MOST_OF_A_SERVICE:,} per service."
    told = f"{message} The largest: {named}." if named else message
    remedy = "Give large ones as files (secrets: in the Compose file), or only to the services that need them."
    return Excess("variables-too-large", largest[0] if largest else "", told, remedy)


def _size(before: str, text: str, secrets: Mapping[str, SecretSize]) -> SecretSize:
    held = [secrets.get(name, SecretSize(0, 0)) for name in secrets_in(text)]
    own = before + (without_secrets(text) if held else text)
    return SecretSize(
        _bytes(own) + sum(size.plain for size in held), _bytes(literal(own)) + sum(size.given for size in held)
    )


def _bytes(text: str) -> int:
    return len(text.encode(errors="surrogatepass"))
