"""Asking the router as a browser would: whether a route answers, and which certificate is shown for a name."""

import socket
import ssl
import time

import httpx

from cabestan.domain.route import DOWN_ROUTE, NO_ROUTE, ROUTE_HEADER, Probe, RouteAnswer
from cabestan.errors import StepFailed

_SECONDS = 5
_BAD_GATEWAY = (502, 503, 504)
#: what is asked every minute
_ANSWER_SECONDS, _IDLE_SECONDS = 10, 30
#: a connection whose answer is not longer may be used again
_READ_BYTES = 64 * 1024
#: how it is known in the log of an application
_AGENT = "Cabestan-Uptime"


def probe(address: str, port: int, wanted: Probe) -> str:
    """Asks for a route through the router; empty when it answers, else what is wrong.

    The route is judged, not the certificate: one that was asked for just now may take another minute to come.
    """
    named = wanted.host if port == 443 else f"{wanted.host}:{port}"
    headers = {**dict(wanted.headers), "Host": named}
    try:
        with httpx.Client(verify=_trusting(), trust_env=False, timeout=_SECONDS) as client:
            url, extensions = f"https://{address}:{port}{wanted.path}", {"sni_hostname": wanted.host}
            answer = client.request(wanted.method, url, headers=headers, extensions=extensions)
    except httpx.HTTPError as error:
        return f"the router gives no answer for {wanted}: {error}"
    return judge_answer(answer.status_code, answer.headers, wanted)


class Asking:
    """Asks through one router, by any number of threads, over connections that are used again."""

    def __init__(self, address: str, port: int, at_once: int) -> None:
        self._address, self._port = address, port
        limits = httpx.Limits(max_connections=at_once, keepalive_expiry=_IDLE_SECONDS)
        timeout = httpx.Timeout(_ANSWER_SECONDS, connect=_SECONDS)
        self._client = httpx.Client(verify=_trusting(), trust_env=False, timeout=timeout, limits=limits)

    def __call__(self, wanted: Probe) -> RouteAnswer:
        """Once more where a connection that was used before had just been closed."""
        try:
            try:
                return self._asked(wanted)
            except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
                return self._asked(wanted)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            return RouteAnswer(trouble="gets no answer, for the router is not there", reached=False)
        except httpx.TimeoutException:
            return RouteAnswer(trouble=f"gets no answer within {_ANSWER_SECONDS} s")
        except httpx.HTTPError as error:
            return RouteAnswer(trouble=f"gets no answer: {error}")

    def close(self) -> None:
        self._client.close()

    def _asked(self, wanted: Probe) -> RouteAnswer:
        named = wanted.host if self._port == 443 else f"{wanted.host}:{self._port}"
        headers = {"User-Agent": _AGENT, **dict(wanted.headers), "Host": named}
        url, extensions = f"https://{self._address}:{self._port}{wanted.path}", {"sni_hostname": wanted.host}
        begun = time.monotonic()
        with self._client.stream(wanted.method, url, headers=headers, extensions=extensions) as answer:
            took = (time.monotonic() - begun) * 1000
            if int(answer.headers.get("Content-Length", _READ_BYTES + 1)) <= _READ_BYTES:
                for _ in answer.iter_raw():
                    if time.monotonic() - begun > _ANSWER_SECONDS:
                        break
            return RouteAnswer(answer.status_code, answer.headers.get(ROUTE_HEADER, ""), took)


def judge_answer(status: int, headers: httpx.Headers, wanted: Probe) -> str:
    """An application may answer what it likes, its own 404 too; the router's own refusals do not count.

    A redirect, a wish for a password and a method that is not allowed are answers as well. One that came by another
    route is none: a wider one of the same name answers until the router has the narrower.
    """
    mark = headers.get(ROUTE_HEADER, "")
    if mark in (NO_ROUTE, DOWN_ROUTE):
        return f"the router has no route for {wanted}"
    if wanted.marks and mark not in wanted.marks:
        return f"{wanted} is answered by another route than its own ({status})"
    if status in _BAD_GATEWAY:
        return f"{wanted} answers {status}"
    return ""


def served_certificate(address: str, port: int, host: str) -> bytes:
    """The certificate that the router shows for a name, as DER, whether it is good or not. Raises StepFailed."""
    try:
        with (
            socket.create_connection((address, port), timeout=_SECONDS) as connection,
            _trusting().wrap_socket(connection, server_hostname=host) as secured,
        ):
            return secured.getpeercert(binary_form=True) or b""
    except OSError as error:
        raise StepFailed(
            f"The router shows no certificate for {host}: {error}.", "`cabestan doctor` looks at the router."
        ) from error


def _trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
