"""The volumes of a rendered stack, as they must be made before anything uses them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from cabestan.compose.stack import Stack
from cabestan.domain.references import Form


@dataclass(frozen=True, slots=True)
class Place:
    """Where a service has a volume. `copies`: an empty one is filled with what the image has there."""

    image: str
    target: str
    copies: bool


@dataclass(frozen=True, slots=True)
class StackVolume:
    """`name` is Docker's; `places` are in the order of the file, at least one."""

    key: str
    name: str
    labels: Mapping[str, str]
    places: tuple[Place, ...]

    def found(self, form: Form) -> StackVolume:
        """The same, with its images by other references."""
        return replace(self, places=tuple(replace(place, image=form(place.image)) for place in self.places))


def volumes_of(stack: Stack, services: Collection[str] = ()) -> tuple[StackVolume, ...]:
    """Those that services mount, or that one of the given services does."""
    places: dict[str, list[Place]] = {}
    wanted: set[str] = set()
    for name, service in stack.all_services.items():
        for mount in _mounts(service):
            place = Place(service["image"], mount["target"], not mount.get("volume", {}).get("nocopy"))
            places.setdefault(mount["source"], []).append(place)
            if not services or name in services:
                wanted.add(mount["source"])
    declared = stack.document.get("volumes", {})
    return tuple(
        StackVolume(key, declared[key]["name"], _labels(declared[key]), tuple(found))
        for key, found in places.items()
        if key in wanted
    )


def filled_already(stack: Stack) -> Stack:
    """The same for Docker, which would fill an empty volume again with each container, and give it back to root."""
    services = {name: _uncopied(service) for name, service in stack.document["services"].items()}
    return Stack({**stack.document, "services": services})


def _uncopied(service: Mapping[str, Any]) -> Mapping[str, Any]:
    if not any(_mounts(service)):
        return service
    mounts = [{**m, "volume": {"nocopy": True}} if m["type"] == "volume" else m for m in service["volumes"]]
    return {**service, "volumes": mounts}


def _mounts(service: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    return (mount for mount in service.get("volumes", ()) if mount["type"] == "volume")


def _labels(volume: Mapping[str, Any]) -> dict[str, str]:
    """As Docker reads them out of the file."""
    return {name: value.replace("$$", "$") for name, value in volume.get("labels", {}).items()}
