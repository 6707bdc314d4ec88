"""The labels of a service that the router reads, in any case, with their places."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cabestan.compose.findings import Report
from cabestan.compose.model import Service
from cabestan.compose.nodes import Spot

PREFIX = "traefik."
ENABLE = "traefik.enable"


@dataclass(frozen=True, slots=True)
class Labels:
    """`values` maps a label in lower case to the label as it is written and its value, without spaces around."""

    report: Report
    service: Service
    values: Mapping[str, tuple[str, str]]

    @classmethod
    def of(cls, report: Report, service: Service) -> Labels:
        """Refuses labels that differ in case alone."""
        found: dict[str, tuple[str, str]] = {}
        labels = cls(report, service, found)
        for label, value in service.labels.items():
            key = label.lower()
            if key.startswith(PREFIX) and key in found:
                labels.wrong(label, f"{label} stands twice.", "Keep one of the two.")
            elif key.startswith(PREFIX):
                found[key] = (label, value.strip())
        return labels

    def get(self, label: str) -> str | None:
        found = self.values.get(label)
        return found[1] if found else None

    def below(self, prefix: str) -> Iterator[tuple[str, str]]:
        """What follows the prefix, as it is written, and the value."""
        for key, (label, value) in self.values.items():
            if key.startswith(prefix):
                yield label[len(prefix) :], value

    def spot(self, label: str) -> Spot:
        written = self.values.get(label.lower(), (label, ""))[0]
        return self.service.places.get(f"labels.{written}") or self.service.place("labels")

    def wrong(self, label: str, message: str, remedy: str, code: str = "route") -> None:
        self.report.error(code, self.spot(label), message, remedy)

    def doubt(self, label: str, message: str, remedy: str, code: str = "route-ignored") -> None:
        self.report.warn(code, self.spot(label), message, remedy)
