"""The engine's own copies of images that are in our registry."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from docker.errors import APIError, NotFound

from cabestan.adapters.engine_api import Engine


@dataclass(frozen=True)
class LocalImage:
    """`digests` are its references by digest, `tags` those by tag; both in our registry only."""

    tags: tuple[str, ...]
    digests: tuple[str, ...]
    created_at: datetime


class LocalImages:
    """Sees and removes nothing but references that begin with our registry's address."""

    def __init__(self, engine: Engine, registry: str) -> None:
        self._engine = engine
        self._registry = registry

    def present(self) -> tuple[LocalImage, ...]:
        with self._engine.speaking("list the images") as client:
            return parse_images(client.api.images(), self._registry)

    def remove(self, image: LocalImage) -> None:
        """Takes our references away; what a container runs stays."""
        with self._engine.speaking("remove an old image") as client:
            for reference in (*image.tags, *image.digests):
                try:
                    client.api.remove_image(reference, noprune=False)
                except NotFound:
                    continue
                except APIError as error:
                    if error.status_code != 409:  # a container uses it
                        raise


def of_project(images: Iterable[LocalImage], registry: str, project: str) -> tuple[LocalImage, ...]:
    """Those that were built for a project; of one that is another's too, the references that are the project's."""
    beginnings = tuple(f"{registry}/{project}{sign}" for sign in ("/", ":", "@"))
    found = []
    for image in images:
        tags = tuple(tag for tag in image.tags if tag.startswith(beginnings))
        digests = tuple(digest for digest in image.digests if digest.startswith(beginnings))
        if tags or digests:
            found.append(LocalImage(tags, digests, image.created_at))
    return tuple(found)


def parse_images(answer: Iterable[Mapping[str, Any]], registry: str) -> tuple[LocalImage, ...]:
    """From the engine's `GET /images/json`, those that have a reference in the registry."""
    found = []
    for image in answer:
        tags = tuple(tag for tag in image.get("RepoTags") or () if tag.startswith(f"{registry}/"))
        digests = tuple(digest for digest in image.get("RepoDigests") or () if digest.startswith(f"{registry}/"))
        if tags or digests:
            found.append(LocalImage(tags, digests, datetime.fromtimestamp(image["Created"], UTC)))
    return tuple(found)
