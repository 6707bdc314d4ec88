"""Making the base images that an engine is missing."""

import errno
import os
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docker
import requests
from docker.errors import APIError, DockerException, ImageNotFound

from cabestan.adapters.images.context import write_context
from cabestan.adapters.images.debian import write_root
from cabestan.adapters.images.recipes import MMDEBSTRAP, ImageRecipe, missing, wanted
from cabestan.adapters.images.side_by_side import make_each
from cabestan.adapters.images.workspace import Workspace, default_folder, workspace
from cabestan.domain.labels import IMAGE_LABEL, RECIPE_LABEL
from cabestan.errors import DeadlineExceeded, EngineUnavailable, StepFailed

#: seconds that one image may take
BUILD_LIMIT = 900.0
#: seconds to wait for another process that builds
LOCK_LIMIT = 1800.0
#: lines of output that a failure shows
TAIL = 15

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY")
_FULL_DISK = "no space left on device"


@dataclass(frozen=True)
class BuildEvent:
    """Something to show while images are made."""

    #: the recipe's name
    image: str
    #: a line of output
    text: str
    #: since the image was begun
    seconds: float
    #: nothing more comes of this: the image is made, or no longer waited for
    done: bool = False


@dataclass
class _Progress:
    """Passes lines on, and keeps the last ones for the error."""

    image: str
    report: Callable[[BuildEvent], None]
    #: nobody wants the image any more
    given_up: threading.Event = field(default_factory=threading.Event)
    begun: float = field(default_factory=time.monotonic)
    tail: deque[str] = field(default_factory=lambda: deque(maxlen=TAIL))

    def line(self, text: str) -> None:
        """Raises StepFailed where the image was given up."""
        if self.given_up.is_set():
            raise StepFailed("It was given up.")
        if text := text.strip():
            self.tail.append(text)
            self.report(BuildEvent(self.image, text, time.monotonic() - self.begun))

    def done(self, text: str) -> None:
        self.report(BuildEvent(self.image, text, time.monotonic() - self.begun, done=True))


class ImageBuilder:
    """Builds recipes with an engine's own builder; needs mmdebstrap, but no docker client, on the machine.

    Several processes may ask at once: one builds, the others wait and find the images there. A killed one
    leaves no tag, and the next sweeps up its files.
    """

    def __init__(
        self,
        client: docker.DockerClient,
        *,
        recipes: Sequence[ImageRecipe],
        report: Callable[[BuildEvent], None],
        ca_bundle: Path | None = None,
        environment: Mapping[str, str] | None = None,
        work: Path | None = None,
    ) -> None:
        """`ca_bundle`: PEM, trusted by apt while building only. `environment`: for HTTP_PROXY and so on."""
        self._client = client
        self._recipes = tuple(recipes)
        self._report = report
        self._ca_bundle = ca_bundle
        self._proxies = proxies(os.environ if environment is None else environment)
        self._work = work or default_folder()

    def ensure(self, names: Iterable[str] | None = None) -> tuple[ImageRecipe, ...]:
        """Build what the engine lacks of these (None: of all) and of their bases; returns what was built.

        Raises StepFailed, DeadlineExceeded and EngineUnavailable.
        """
        recipes = self._recipes if names is None else wanted(self._recipes, names)
        if not missing(recipes, self.present(recipes)):
            return ()
        with self._workspace(recipes[0].name) as work:
            # looked at again: another process may just have built them
            lacking = missing(recipes, self.present(recipes))
            make_each(lacking, lambda recipe, given_up: self._build(recipe, work, given_up))
        return lacking

    def lacking(self, names: Iterable[str]) -> tuple[ImageRecipe, ...]:
        """What `ensure` would build for these names."""
        recipes = wanted(self._recipes, names)
        return missing(recipes, self.present(recipes))

    def build(self, recipe: ImageRecipe) -> None:
        """Build this one image, present or not. Its base must be there. Raises like `ensure`."""
        with self._workspace(recipe.name) as work:
            self._build(recipe, work, threading.Event())

    def present(self, recipes: Iterable[ImageRecipe]) -> dict[str, str]:
        """Reference → recipe label, of the images that the engine has."""
        with _engine_errors():
            return {r.reference: label for r in recipes if (label := self._label(r.reference)) is not None}

    def _label(self, reference: str) -> str | None:
        try:
            return str(self._client.images.get(reference).labels.get(RECIPE_LABEL, ""))
        except ImageNotFound:
            return None

    @contextmanager
    def _workspace(self, image: str) -> Iterator[Workspace]:
        progress = _Progress(image, self._report)
        deadline = time.monotonic() + LOCK_LIMIT
        with workspace(self._work, deadline, lambda: progress.line("another process is building, waiting")) as work:
            if progress.tail:
                progress.done("no longer waiting")
            yield work

    def _build(self, recipe: ImageRecipe, work: Workspace, given_up: threading.Event) -> None:
        progress = _Progress(recipe.name, self._report, given_up)
        deadline = progress.begun + BUILD_LIMIT
        earlier = self._image_id(recipe.reference)
        make = self._import if (recipe.folder / MMDEBSTRAP).exists() else self._build_dockerfile
        with _told(recipe, progress):
            make(recipe, work, progress, deadline)
            self._remove_superseded(recipe, earlier)
        progress.done("built")

    def _import(self, recipe: ImageRecipe, work: Workspace, progress: _Progress, deadline: float) -> None:
        with tempfile.TemporaryFile(dir=work.folder) as tar:
            write_root(recipe, tar, work, proxies=self._proxies, deadline=deadline, line=progress.line)
            tar.seek(0)
            progress.line("handing the file system to the engine")
            repository, _, tag = recipe.reference.rpartition(":")
            changes = [f'LABEL {name}="{value}"' for name, value in _labels(recipe).items()]
            self._client.api.import_image_from_data(
                tar, repository, tag, changes=[*changes, 'CMD ["/bin/bash"]', "ENV LANG=C.UTF-8"]
            )

    def _build_dockerfile(self, recipe: ImageRecipe, work: Workspace, progress: _Progress, deadline: float) -> None:
        with tempfile.TemporaryFile(dir=work.folder) as context:
            write_context(recipe, context, self._ca_bundle)
            context.seek(0)
            # the engine sets the tag when all steps are done, and stops building when we hang up
            output = self._client.api.build(
                fileobj=context,
                custom_context=True,
                tag=recipe.reference,
                labels=_labels(recipe),
                buildargs=dict(self._proxies),
                rm=True,
                forcerm=True,
                decode=True,
                timeout=max(1, int(deadline - time.monotonic())),
            )
            _follow(output, progress, deadline)

    def _image_id(self, reference: str) -> str | None:
        try:
            return str(self._client.images.get(reference).id)
        except ImageNotFound:
            return None

    def _remove_superseded(self, recipe: ImageRecipe, earlier: str | None) -> None:
        """Remove the image that had the tag before, if it is ours, nameless now, and nothing uses it."""
        if earlier is None or earlier == self._image_id(recipe.reference):
            return
        try:
            image = self._client.images.get(earlier)
            if not image.tags and image.labels.get(IMAGE_LABEL) == recipe.name:
                self._client.images.remove(earlier)
        except APIError as error:
            # 404: gone already; 409: a container or another image still needs it
            if error.status_code not in (404, 409):
                raise


def _labels(recipe: ImageRecipe) -> dict[str, str]:
    return {IMAGE_LABEL: recipe.name, RECIPE_LABEL: recipe.recipe}


def proxies(environment: Mapping[str, str]) -> dict[str, str]:
    """In both spellings: apt reads the small one only. Docker keeps these out of the image's history."""
    found: dict[str, str] = {}
    for name in _PROXIES:
        if value := environment.get(name) or environment.get(name.lower()):
            found |= {name: value, name.lower(): value}
    return found


def _follow(output: Iterable[Mapping[str, Any]], progress: _Progress, deadline: float) -> None:
    """Pass on the engine's messages: `{"stream": text}`, at last perhaps `{"error": text}`."""
    error = ""
    # read to the end also after an error: the connection can then be used again
    for message in output:
        if time.monotonic() > deadline:
            raise DeadlineExceeded("The build took too long.")
        for text in str(message.get("stream", "")).splitlines():
            progress.line(text)
        error = str(message.get("error", error))
    if error:
        raise StepFailed(error)


@contextmanager
def _told(recipe: ImageRecipe, progress: _Progress) -> Iterator[None]:
    """Turn whatever fails into an error that names the image, the place, the last lines and the remedy."""
    try:
        with _engine_errors():
            yield
    except requests.exceptions.Timeout as error:
        raise _failure(DeadlineExceeded, recipe, progress, "The build took too long.") from error
    except StepFailed as error:
        raise _failure(type(error), recipe, progress, error.message, error.remedy) from error
    except (OSError, DockerException) as error:
        raise _failure(StepFailed, recipe, progress, str(error)) from error


@contextmanager
def _engine_errors() -> Iterator[None]:
    try:
        yield
    except requests.exceptions.ConnectionError as error:
        raise EngineUnavailable(
            f"The Docker Engine does not answer: {error}.", "Start it, then run the same command again."
        ) from error


def _failure(
    kind: type[StepFailed], recipe: ImageRecipe, progress: _Progress, why: str, remedy: str = ""
) -> StepFailed:
    shown = "\n".join(f"    {text}" for text in progress.tail)
    message = f"The base image {recipe.reference} ({recipe.folder}) was not built: {why}\n{shown}\n"
    return kind(message, _remedy(why, shown, remedy))


def _remedy(why: str, shown: str, remedy: str) -> str:
    told = f"{why}\n{shown}".lower()
    if _FULL_DISK in told or os.strerror(errno.EDQUOT).lower() in told:
        return "The disk is full: `df -h` and `docker system df` show where. Free some, then try again."
    if "unable to fetch" in told or "failed to fetch" in told or "could not resolve" in told:
        return "Debian's package servers were not reached: check name resolution and HTTP_PROXY, then try again."
    return remedy or "Mend what the last lines name, then run the same command again: it goes on from here."
