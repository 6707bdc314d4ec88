"""What a campaign says at its end."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """`findings` is empty where all went as it must."""

    summary: str
    findings: tuple[str, ...] = ()
