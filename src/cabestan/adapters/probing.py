"""Asking the router as a browser would: whether a route answers, and which certificate is shown for a name."""

import socket
import ssl

import httpx

from cabestan.domain.route import DOWN_ROUTE, NO_ROUTE, ROUTE_HEADER, Probe
from cabestan.errors import StepFailed

_SECONDS = 5
_BAD_GATEWAY = (502, 503, 504)


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
