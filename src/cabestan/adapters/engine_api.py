"""The connection to the Docker Engine."""

import socket
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import docker
import requests
from docker.errors import APIError, DockerException

from cabestan.domain.redaction import Redactor
from cabestan.errors import DeadlineExceeded, EngineUnavailable, StepFailed

_T = TypeVar("_T")
#: How long one answer of the engine may take.
_ANSWER_SECONDS = 60
_CONNECT_SECONDS = 10
_RETRY_SECONDS = 1.0
#: what an engine says while its Swarm is not ready yet
_COMING_UP = (
    "does not have a leader",
    "not a swarm manager",
    "rpc error",
    "context deadline exceeded",
    "shutting down",
)
#: the same from the `docker` client, where the engine went away from it or has just come
_AWAY = (
    "cannot connect to the docker daemon",
    "error during connect",
    "does not have a leader",
    "not a swarm manager",
    "code = unavailable",
    "context deadline exceeded",
    "shutting down",
)
#: how a Swarm that is well says that what it was asked for cannot be
_WRONG = "code = invalidargument"


class Engine:
    """Hands out a client whose API version is negotiated, and turns its failures into ours."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._client: docker.DockerClient | None = None

    @property
    def client(self) -> docker.DockerClient:
        """Raises EngineUnavailable when the engine does not answer."""
        self._check_socket()
        if self._client is None:
            try:
                self._client = docker.DockerClient(base_url=self.address, version="auto", timeout=_ANSWER_SECONDS)
            except DockerException as error:
                raise unavailable(self.address, type(error).__name__) from error
        return self._client

    def _check_socket(self) -> None:
        """Before docker-py tries, which leaves its socket open where nobody listens."""
        scheme, _, path = self.address.partition("://")
        if scheme != "unix":
            return
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(_CONNECT_SECONDS)
            try:
                connection.connect(path)
            except OSError as error:
                raise unavailable(self.address, type(error).__name__) from error

    @contextmanager
    def speaking(self, action: str, secrets: Iterable[str] = ()) -> Iterator[docker.DockerClient]:
        """For a few calls; `action` says what they are for, as in “create the network”.

        `secrets` are what it is told meanwhile, and may repeat when it refuses.
        """
        try:
            yield self.client
        except APIError as error:  # first, for it is a RequestException too
            if is_coming_up(error):
                raise unavailable(self.address, type(error).__name__) from error
            words = Redactor(secrets).text(str(error.explanation or error))
            raise StepFailed(f"The engine would not {action}: {words}.") from error
        except requests.exceptions.RequestException as error:
            raise unavailable(self.address, type(error).__name__) from error

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


def is_coming_up(error: APIError) -> bool:
    """Whether a refusal is that of an engine which has just started, or whose Swarm has: it will say yes later."""
    words = str(error.explanation or error).lower()
    if _WRONG in words:
        return False
    return error.status_code == 503 or any(phrase in words for phrase in _COMING_UP)


def is_away(words: str) -> bool:
    """Whether the words of the `docker` client tell that there was no engine, or none that is ready."""
    told = words.lower()
    return any(phrase in told for phrase in _AWAY)


def unavailable(address: str, why: str) -> EngineUnavailable:
    """The error that is waited for, see `Engine.patiently`."""
    return EngineUnavailable(
        f"The Docker Engine at {address} does not answer ({why}).",
        "Start it (systemctl start docker), then run `cabestan doctor`.",
    )
