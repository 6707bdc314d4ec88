"""The sign-in that MongoDB's drivers choose by themselves, SCRAM-SHA-256 of RFC 5802 and 7677, of one user."""

import base64
import hashlib
import hmac
import os
import secrets
from typing import Any

_MECHANISM = "SCRAM-SHA-256"
_ITERATIONS = 15_000
LARGEST = 48_000_000

Document = dict[str, Any]

#: no `compression`, so that none is used, and no sessions
_GREETING: Document = {
    "helloOk": True,
    "ismaster": True,
    "isWritablePrimary": True,
    "readOnly": False,
    "minWireVersion": 6,
    "maxWireVersion": 21,
    "maxBsonObjectSize": 2**24,
    "maxMessageSizeBytes": LARGEST,
    "maxWriteBatchSize": 100_000,
}


class Refused(Exception):
    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.document = {"ok": 0.0, "code": code, "errmsg": text}


class Credentials:
    """What a server keeps of a password. Names and passwords are plain ASCII here, which is sent as it is."""

    def __init__(self, database: str, user: str, password: str) -> None:
        self.database, self.user, self.salt = database, user, os.urandom(28)
        salted = hashlib.pbkdf2_hmac("sha256", password.encode(), self.salt, _ITERATIONS)
        self._stored = hashlib.sha256(_keyed(salted, b"Client Key")).digest()
        self._server = _keyed(salted, b"Server Key")

    def proved(self, proof: bytes, conversation: bytes) -> bool:
        signature = _keyed(self._stored, conversation)
        key = bytes(a ^ b for a, b in zip(proof, signature, strict=True))
        return hmac.compare_digest(hashlib.sha256(key).digest(), self._stored)

    def signature(self, conversation: bytes) -> bytes:
        """By which a client knows that the server has the password too."""
        return _keyed(self._server, conversation)


class Session:
    """One connection: who it is, and what it may ask."""

    def __init__(self, credentials: Credentials) -> None:
        self._known = credentials
        self._signed_in = False
        self._first = self._challenge = self._final = b""

    def answer(self, command: Document) -> Document | None:
        """None where the answer is the server's. Raises Refused."""
        match next(iter(command)):
            case "hello" | "isMaster" | "ismaster":
                return self._greeting(command.get("saslSupportedMechs"))
            case "ping" | "endSessions":
                return {}
            case "saslStart":
                return self._start(command)
            case "saslContinue":
                return self._finish(command["payload"])
        if not self._signed_in or command.get("$db") != self._known.database:
            raise Refused(13, f"not authorized on {command.get('$db')} to execute this command")
        return None

    def _greeting(self, asked_for: str | None) -> Document:
        if asked_for != f"{self._known.database}.{self._known.user}":
            return _GREETING
        return {**_GREETING, "saslSupportedMechs": [_MECHANISM]}

    def _start(self, command: Document) -> Document:
        self._signed_in = False
        if (command.get("mechanism"), command.get("$db")) != (_MECHANISM, self._known.database):
            raise Refused(18, "Authentication failed.")
        binding, _, self._first = command["payload"].partition(b",,")
        asked = _fields(self._first)
        if (binding, asked["n"]) != (b"n", self._known.user):
            raise Refused(18, "Authentication failed.")
        nonce = asked["r"] + secrets.token_urlsafe(18)
        salt = base64.b64encode(self._known.salt).decode()
        self._challenge = f"r={nonce},s={salt},i={_ITERATIONS}".encode()
        self._final = f"c=biws,r={nonce}".encode()
        return {"conversationId": 1, "done": False, "payload": self._challenge}

    def _finish(self, payload: bytes) -> Document:
        final, _, proof = payload.rpartition(b",p=")
        conversation = b",".join((self._first, self._challenge, final))
        if not self._final or final != self._final or not self._known.proved(base64.b64decode(proof), conversation):
            raise Refused(18, "Authentication failed.")
        self._signed_in, self._final = True, b""
        verifier = b"v=" + base64.b64encode(self._known.signature(conversation))
        return {"conversationId": 1, "done": True, "payload": verifier}


def _keyed(key: bytes, text: bytes) -> bytes:
    return hmac.digest(key, text, "sha256")


def _fields(text: bytes) -> dict[str, str]:
    return dict(field.split("=", 1) for field in text.decode().split(",") if field)
