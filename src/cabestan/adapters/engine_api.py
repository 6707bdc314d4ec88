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
_NOT_READY = (
    "does not have a leader",
    "not a swarm manager",
    "context deadline exceeded",
    "shutting down",
)
#: to the API
_COMING_UP = (*_NOT_READY, "rpc error")
#: to the `docker` client, which also says itself that there was no engine
_AWAY = (*_NOT_READY, "code = unavailable", "cannot connect to the docker daemon", "error during connect")
#: how a Swarm that is well says that what it was asked for cannot be
_WRONG = "code = invalidargument"


class Engine:
    """Hands out a client whose API version is negotiated, and turns its failures into ours."""

    def __init__(self, address: str, patience: float = 60) -> None:
        """`patience`: how long work in flight waits for one that does not answer (seconds)."""
        self.address = address
        self._patience = patience
        self._client: docker.DockerClient | None = None

    @property
    def client(self) -> docker.DockerClient:
        """Raises EngineUnavailable when the engine does not answer."""
        self._check_socket()
        if self._client is None:
            try:
                self._client = docker.DockerClient(base_url=self.address, version="auto", timeout=_ANSWER_SECONDS)
            except DockerException as error:
                raise self._unavailable(type(error).__name__) from error
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
                raise self._unavailable(type(error).__name__) from error

    @contextmanager
    def speaking(self, action: str, secrets: Iterable[str] = ()) -> Iterator[docker.DockerClient]:
        """For a few calls; `action` says what they are for, as in “create the network”.

        `secrets` are what it is told meanwhile, and may repeat when it refuses.
        """
        try:
            yield self.client
        except APIError as error:  # first, for it is a RequestException too
            if is_coming_up(error):
                raise self._unavailable(type(error).__name__) from error
            words = Redactor(secrets).text(str(error.explanation or error))
            raise StepFailed(f"The engine would not {action}: {words}.") from error
        except requests.exceptions.RequestException as error:
            raise self._unavailable(type(error).__name__) from error

    def refuse_absence(self, words: str) -> None:
        """Raises EngineUnavailable where the words of the `docker` client tell that no engine was ready for it."""
        if is_away(words):
            raise self._unavailable(words.splitlines()[-1])

    def _unavailable(self, why: str) -> EngineUnavailable:
        return EngineUnavailable(
            f"The Docker Engine at {self.address} does not answer ({why}).",
            "Start it (systemctl start docker), then run `cabestan doctor`.",
        )

    def patiently(self, work: Callable[[], _T], seconds: float | None = None) -> _T:
        """Does it, again and again while the engine does not answer, for as long as its patience, or what is given.

        The work must be one that may be repeated. Raises DeadlineExceeded.
        """
        seconds = self._patience if seconds is None else seconds
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
