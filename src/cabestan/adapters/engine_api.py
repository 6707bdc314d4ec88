"""The connection to the Docker Engine."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import docker
import requests
from docker.errors import APIError, DockerException, NotFound

from cabestan.errors import DeadlineExceeded, EngineUnavailable, StepFailed

_T = TypeVar("_T")
#: How long one answer of the engine may take.
_ANSWER_SECONDS = 60
_RETRY_SECONDS = 1.0


class Engine:
    """Hands out a client whose API version is negotiated, and turns its failures into ours."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._client: docker.DockerClient | None = None

    @property
    def client(self) -> docker.DockerClient:
        """Raises EngineUnavailable when the engine does not answer."""
        if self._client is None:
            try:
                self._client = docker.DockerClient(base_url=self.address, version="auto", timeout=_ANSWER_SECONDS)
            except DockerException as error:
                raise _unavailable(self.address, error) from error
        return self._client

    @contextmanager
    def speaking(self, action: str) -> Iterator[docker.DockerClient]:
        """For a few calls; `action` says what they are for, as in “create the network”."""
        try:
            yield self.client
        except requests.exceptions.RequestException as error:
            raise _unavailable(self.address, error) from error
        except NotFound:
            raise
        except APIError as error:
            raise StepFailed(f"The engine would not {action}: {error.explanation or error}.") from error

    def patiently(self, seconds: float, work: Callable[[], _T]) -> _T:
        """Does it, again and again while the engine does not answer, for as long as given.

        The work must be one that may be repeated. Raises DeadlineExceeded.
        """
        deadline = time.monotonic() + seconds
        while True:
            try:
                return work()
            except EngineUnavailable as error:
                if time.monotonic() > deadline:
                    raise DeadlineExceeded(
                        f"{error.message} It was waited for {seconds:.0f} s.", error.remedy
                    ) from error
                time.sleep(_RETRY_SECONDS)


def _unavailable(address: str, error: Exception) -> EngineUnavailable:
    return EngineUnavailable(
        f"The Docker Engine at {address} does not answer ({type(error).__name__}).",
        "Start it (systemctl start docker), then run `cabestan doctor`.",
    )
