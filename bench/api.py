"""A client of the HTTP API, as a user's program would be."""

import json
import socket
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import httpx

from bench.time_limits import until

_SECONDS = 60
_BLOCK = 1 << 20
_ENDED = frozenset({"succeeded", "failed", "rolled_back", "superseded", "canceled", "skipped"})


class Api:
    """Answers are the parsed JSON; an error raises httpx.HTTPStatusError."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self.token = token
        self._client = httpx.Client(
            base_url=f"{url}/api/v1",
            headers={"Authorization": f"Bearer {token}"},
            timeout=_SECONDS,
            trust_env=False,
        )

    def get(self, path: str) -> Any:
        return self._client.get(path).raise_for_status().json()

    def post(self, path: str, **body: Any) -> Any:
        return self._client.post(path, json=body).raise_for_status().json()

    def put(self, path: str, **body: Any) -> None:
        self._client.put(path, json=body).raise_for_status()

    def ended(self, path: str, seconds: float = 120) -> Any:
        """The pipeline, job or deployment, as soon as it has ended."""

        def look() -> Any:
            shown = self.get(path)
            return shown if shown["status"] in _ENDED else None

        return until(look, seconds, path)

    def first_job(self, pipeline_id: int) -> int:
        """The id of the first one that runs in a container, as soon as there is one."""

        def look() -> Any:
            return [job for job in self.get(f"/pipelines/{pipeline_id}")["jobs"] if job["kind"] != "lint"]

        return int(until(look, 30, "a job", pause=0.005)[0]["id"])

    def cancel(self, pipeline_id: int) -> None:
        """And waits until nothing is left of it."""
        self._client.post(f"/pipelines/{pipeline_id}/cancel")
        self.ended(f"/pipelines/{pipeline_id}")

    def log(self, job_id: int) -> str:
        return self._client.get(f"/jobs/{job_id}/log").raise_for_status().text

    def text(self, path: str) -> str:
        return self._client.get(path).raise_for_status().text

    def follow(self, job_id: int) -> Iterator[str]:
        """The job's log as it arrives. In HTTP/1.0 the stream comes bare, not in chunks."""
        for event in self._events(f"/api/v1/jobs/{job_id}/log/stream"):
            for line in event.split(b"\n"):
                if line.startswith(b'data: {"offset"'):
                    yield json.loads(line[6:])["text"]

    def _events(self, path: str) -> Iterator[bytes]:
        address = urlsplit(self.url)
        with closing(socket.create_connection((address.hostname, address.port), _SECONDS)) as connection:
            connection.sendall(stream_request(path, self.token))
            pending = [b""]
            while block := connection.recv(_BLOCK):
                pending.append(block)
                if b"\n\n" in block or block.startswith(b"\n"):
                    *whole, rest = b"".join(pending).split(b"\n\n")
                    yield from whole
                    pending = [rest]


def stream_request(path: str, token: str) -> bytes:
    return f"GET {path} HTTP/1.0\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
