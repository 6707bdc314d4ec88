"""Seals secrets with a key that is kept outside the database."""

import base64
import hmac
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cabestan.domain.known_secrets import KnownSecrets
from cabestan.errors import ConfigurationError

_NONCE_BYTES = 12
_KEY_BYTES = 32
_CHECK = b"cabestan key check"


class Vault:
    """AES-256-GCM. `context` is bound to what is sealed, so that a sealed value cannot be moved to another place.

    `known` learns of every value that goes in or comes out, and of every token.
    """

    def __init__(self, key: bytes, known: KnownSecrets | None = None) -> None:
        self.known = known or KnownSecrets()
        self._cipher = AESGCM(key)
        self._derivation_key = hmac.digest(key, b"cabestan derivation", "sha256")

    def seal(self, text: str, context: str) -> bytes:
        self.known.add(text)
        return self._sealed(text, context)

    def open(self, sealed: bytes, context: str) -> str:
        """Raises ConfigurationError when the key is not the one that sealed it."""
        text = self._opened(sealed, context)
        self.known.add(text)
        return text

    def _sealed(self, text: str, context: str) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, text.encode(), context.encode())

    def _opened(self, sealed: bytes, context: str) -> str:
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], context.encode()).decode()
        except (InvalidTag, ValueError) as error:
            raise ConfigurationError(
                "A stored secret cannot be opened with this key.", "Bring back the key file that it was sealed with."
            ) from error

    def derive(self, purpose: str) -> str:
        """A token for one purpose, the same each time: 256 bits that only the key's holder can make."""
        digest = hmac.digest(self._derivation_key, purpose.encode(), "sha256")
        token = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        self.known.add(token)
        return token

    def hash(self, text: str, context: str) -> str:
        """Tells equal texts in a context from others. Without the key nobody can try out short ones."""
        key = hmac.digest(self._derivation_key, b"content of " + context.encode(), "sha256")
        return hmac.digest(key, text.encode(), "sha256").hex()

    def check_value(self) -> str:
        """What is stored in the database to recognise the key by."""
        return self._sealed(_CHECK.decode(), "check").hex()

    def recognises(self, check_value: str) -> bool:
        try:
            return self._opened(bytes.fromhex(check_value), "check") == _CHECK.decode()
        except (ConfigurationError, ValueError):
            return False


def read_key(path: Path) -> bytes:
    """The key in a file, of 64 hexadecimal digits; raises ConfigurationError."""
    try:
        key = bytes.fromhex(path.read_text().strip())
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"The key file {path} cannot be read: {error}.", "Bring it back from your backup, or set key_file."
        ) from error
    if len(key) != _KEY_BYTES:
        raise ConfigurationError(
            f"The key in {path} has {len(key)} bytes, not {_KEY_BYTES}.", "Bring back the right one."
        )
    return key


def make_key(path: Path) -> None:
    """Writes a new key, readable by its owner alone; never over one that is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(_KEY_BYTES) + "\n")
