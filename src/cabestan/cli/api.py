"""The HTTP API, as docs/api.md has it, through the standard library (it is imported in a fraction of the time)."""

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from typing import Any, cast
from urllib.parse import quote, urlencode, urlsplit

from cabestan import __version__
from cabestan.cli.client_config import ClientConfig
from cabestan.cli.failures import Refused, Unreachable
from cabestan.errors import CabestanError

#: a thing as the API gives it
Thing = dict[str, Any]
#: of a parameter: several values are given one after the other
Value = str | int | Sequence[str] | None

_SECONDS = 60.0
_PAGE = 200
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_UNABLE = frozenset({502, 503, 504})


def address(*parts: str | int) -> str:
    """The path of a thing; each part is quoted, but for the slash within a project's name."""
    return "".join(f"/{quote(str(part), safe='/')}" for part in parts)


class Api:
    """One server. Raises Refused where it says no, Unreachable where none answers."""

    def __init__(self, server: ClientConfig, seconds: float = _SECONDS) -> None:
        self._server = server
        self._seconds = seconds
        self._opener = urllib.request.build_opener(_proxies(server.url), _NoRedirects())

    def get(self, path: str, **query: Value) -> Any:
        return self._exchange("GET", path, query, None)

    def post(self, path: str, body: Thing | None = None) -> Any:
        return self._exchange("POST", path, {}, body or {})

    def put(self, path: str, body: Thing) -> Any:
        return self._exchange("PUT", path, {}, body)

    def delete(self, path: str, **query: Value) -> Any:
        return self._exchange("DELETE", path, query, None)

    def items(self, path: str, limit: int, **query: Value) -> list[Thing]:
        """The first `limit` of a list, over as many pages as that takes."""
        items: list[Thing] = []
        cursor: str | int | None = None
        while len(items) < limit:
            page = self.get(path, limit=min(limit - len(items), _PAGE), before=cursor, **query)
            items += page["items"]
            cursor = page.get("next")
            if cursor is None or not page["items"]:
                break
        return items[:limit]

    def open(self, path: str, headers: Mapping[str, str] | None = None, **query: Value) -> http.client.HTTPResponse:
        """The answer as a stream; reading it may raise OSError or http.client.HTTPException."""
        return self._open("GET", path, query, None, headers or {})

    def _exchange(self, method: str, path: str, query: Mapping[str, Value], body: Thing | None) -> Any:
        try:
            with self._open(method, path, query, body, {}) as answer:
                content = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise self._unreachable(error) from error
        return self._decoded(content)

    def _open(
        self,
        method: str,
        path: str,
        query: Mapping[str, Value],
        body: Thing | None,
        headers: Mapping[str, str],
    ) -> http.client.HTTPResponse:
        request = self._request(method, path, query, body, headers)
        try:
            return cast(http.client.HTTPResponse, self._opener.open(request, timeout=self._seconds))
        except urllib.error.HTTPError as error:
            raise self._refusal(error) from error
        except urllib.error.URLError as error:
            raise self._unreachable(error.reason) from error
        except (OSError, http.client.HTTPException) as error:
            raise self._unreachable(error) from error

    def _request(
        self,
        method: str,
        path: str,
        query: Mapping[str, Value],
        body: Thing | None,
        headers: Mapping[str, str],
    ) -> urllib.request.Request:
        wanted = urlencode({key: value for key, value in query.items() if value is not None}, doseq=True)
        url = f"{self._server.url}/api/v1{path}" + (f"?{wanted}" if wanted else "")
        sent = {"Accept": "application/json", "User-Agent": f"cabestan/{__version__}", **headers}
        if self._server.token:
            sent["Authorization"] = f"Bearer {self._server.token}"
        if body is not None:
            sent["Content-Type"] = "application/json"
        return urllib.request.Request(url, None if body is None else json.dumps(body).encode(), sent, method=method)  # noqa: S310

    def _decoded(self, content: bytes) -> Any:
        try:
            return json.loads(content) if content else {}
        except ValueError as error:
            raise CabestanError(
                f"What answers at {self._server.url} is not a Cabestan server.", "Check the address: cabestan login URL"
            ) from error

    def _unreachable(self, why: BaseException | str) -> Unreachable:
        """In the system's words, without its number for them."""
        words = getattr(why, "strerror", None) or str(why)
        return Unreachable(
            f"No server answers at {self._server.url}: {words.rstrip('.')}.",
            "Start it with `cabestan up`, or name another: cabestan login URL",
        )

    def _refusal(self, answer: urllib.error.HTTPError) -> CabestanError:
        """The error that an answer other than 2xx stands for."""
        with answer:
            message, remedy, details = _explanation(answer)
        if answer.code in _UNABLE:
            return Unreachable(message, remedy)
        if answer.code >= 500:
            return CabestanError(message, remedy)
        if answer.code == 401:
            remedy = remedy or f"Log in with: cabestan login {self._server.url}"
        return Refused(message, remedy, details)


def _explanation(answer: urllib.error.HTTPError) -> tuple[str, str, list[Thing]]:
    """Message, remedy and findings out of an error's body, or out of its status where it has none of ours."""
    try:
        error = json.loads(answer.read())["error"]
        return str(error["message"]), str(error.get("remedy") or ""), list(error.get("details") or [])
    except (ValueError, KeyError, TypeError, OSError, http.client.HTTPException):
        where = answer.headers.get("Location")
        moved = f" and points to {where}" if where else ""
        return f"The server answered {answer.code} {answer.reason}{moved}.", "", []


def _proxies(url: str) -> urllib.request.ProxyHandler:
    """The customary variables name a proxy, but no proxy stands between a machine and itself."""
    host = urlsplit(url).hostname or ""
    if host in _LOOPBACK or host.endswith(".localhost"):
        return urllib.request.ProxyHandler({})
    return urllib.request.ProxyHandler()


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the token to whatever host it names."""

    def redirect_request(self, *_args: Any, **_kwargs: Any) -> None:
        return None
