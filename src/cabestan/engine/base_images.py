"""Base images that something needs and the engine does not have yet: built then, not at the start of the platform."""

import json
import queue
import threading
from collections.abc import Callable, Iterable, Sequence

from cabestan.adapters.images import BuildEvent
from cabestan.domain.references import found_at, stored
from cabestan.engine.services import Services
from cabestan.pipeline.base_images import BaseImages
from cabestan.store import facts
from cabestan.store.database import Database

#: the recipes that the platform itself runs on, and the one that most first projects begin with
PLATFORM = ("builder", "python", "registry", "router")
_BUILT = "built images"
_PUBLISHED = "published"
#: how often it is looked whether anybody still waits for the image
_LOOK_SECONDS = 0.5


def known(services: Services) -> BaseImages:
    """What the catalogue makes. Raises Invalid where it is malformed."""
    texts = services.images.dockerfiles()
    return BaseImages(tuple(texts), tuple(services.settings.image_aliases.split()), texts)


def ensure(services: Services, reference: str) -> None:
    """Builds the one image where the engine lacks it. Raises whatever the builder raises."""
    if services.images.lacking((reference,)):
        Building(services, (reference,)).follow(lambda _text: None, lambda: False)


def published(services: Services, reference: str) -> str:
    """The image of the catalogue, which the engine has, as the registry has it for builders: by digest."""
    image = services.images.identity(reference)
    with services.database.reading() as tx:
        known = json.loads(facts.get(tx, f"{_PUBLISHED} {reference}") or "{}")
    name, _, tag = reference.rpartition(":")
    if known.get("image") == image and known["at"].endswith(f"@{services.registry.find(name, tag)}"):
        return found_at(services.settings.registry)(known["at"])
    at = services.home.stacks.publish(reference)
    kept = {"image": image, "at": stored(services.settings.registry)(at)}
    with services.database.writing() as tx:
        facts.put(tx, f"{_PUBLISHED} {reference}", json.dumps(kept))
    return at


def remember(database: Database, references: Iterable[str]) -> None:
    """What is of our making, so that a purge takes that and no more."""
    with database.writing() as tx:
        before = json.loads(facts.get(tx, _BUILT) or "[]")
        facts.put(tx, _BUILT, json.dumps(list(dict.fromkeys([*before, *references]))))


def remembered(database: Database) -> tuple[str, ...]:
    """The references of all that this installation built."""
    with database.reading() as tx:
        return tuple(json.loads(facts.get(tx, _BUILT) or "[]"))


class Building:
    """One build, in a thread of its own, so that nobody has to wait for it longer than they want to."""

    def __init__(self, services: Services, references: Sequence[str]) -> None:
        self._services = services
        self._references = tuple(references)
        self._events: queue.SimpleQueue[BuildEvent | None] = queue.SimpleQueue()
        self._failure: Exception | None = None

    def follow(self, tell: Callable[[str], None], stopped: Callable[[], bool]) -> None:
        """Builds; `tell` gets each line. Comes back early when `stopped`."""
        threading.Thread(target=self._build, name="base images", daemon=True).start()
        told = ""
        while not stopped():
            try:
                event = self._events.get(timeout=_LOOK_SECONDS)
            except queue.Empty:
                continue
            if event is None:
                break
            # who waits for another builder says so twice a second
            if event.text != told:
                tell(f"{event.image}: {event.text}")
            told = event.text
        if self._failure:
            raise self._failure

    def _build(self) -> None:
        try:
            built = self._services.images.ensure(self._references, self._events.put)
            remember(self._services.database, built)
        except Exception as error:  # it is the waiting thread's to tell
            self._failure = error
        finally:
            self._events.put(None)
