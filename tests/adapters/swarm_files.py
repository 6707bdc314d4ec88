"""The part of the engine's API that has secrets and configs."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from docker.errors import APIError, NotFound


def refused(status: int, words: str) -> APIError:
    """As docker-py tells of an engine that says no."""
    return APIError(words, SimpleNamespace(status_code=status, reason="x"), words)


class Client:
    """Has secrets or configs of these names, whatever they are filtered by; those in `used` are in use.

    Those in `gone` are listed, but somebody else removes them first.
    """

    def __init__(self, names: Sequence[str] = (), used: Sequence[str] = (), gone: Sequence[str] = ()) -> None:
        self.there = list(names)
        self.used, self.gone = used, gone
        self.made: list[tuple[str, bytes, dict[str, str]]] = []
        self.filters: list[dict[str, list[str]]] = []
        self.api = SimpleNamespace(
            secrets=self.list,
            create_secret=self.create,
            remove_secret=self.remove,
            configs=self.list,
            create_config=self.create,
            remove_config=self.remove,
        )

    def list(self, filters: dict[str, list[str]]) -> list[dict[str, Any]]:
        self.filters.append(filters)
        return [{"ID": f"id-{name}", "Spec": {"Name": name}} for name in self.there]

    def create(self, name: str, data: bytes, labels: dict[str, str]) -> None:
        self.made.append((name, data, labels))

    def remove(self, key: str) -> None:
        name = key.removeprefix("id-")
        if name in self.used:
            raise refused(
                400, f"rpc error: code = InvalidArgument desc = '{name}' is in use by the following service: web"
            )
        self.there.remove(name)
        if name in self.gone:
            raise NotFound("no such object")
