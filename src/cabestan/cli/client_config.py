"""Which server the command line talks to, and with which token.

The file is `$CABESTAN_CLIENT_CONFIG`, else `client.toml` in `cabestan` under `$XDG_CONFIG_HOME` or `~/.config`:

    url = "http://127.0.0.1:8600"
    token = "..."

`CABESTAN_URL` and `CABESTAN_TOKEN` win over it. Only the standard library and the errors are imported here, for the
server's set-up writes this file too.
"""

import contextlib
import json
import os
import stat
import tempfile
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cabestan.errors import ConfigurationError, NotSignedIn

FILE_VARIABLE = "CABESTAN_CLIENT_CONFIG"
_KEYS = frozenset({"url", "token"})


@dataclass(frozen=True)
class ClientConfig:
    """`url` has no slash at its end; `token` is empty where none is known."""

    url: str
    token: str = field(default="", repr=False)


def path() -> Path:
    """Where the file is, or would be."""
    named = os.environ.get(FILE_VARIABLE)
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "cabestan" / "client.toml"


def read() -> ClientConfig:
    """Raises NotSignedIn where no server is known, ConfigurationError where the file cannot be trusted or read."""
    stored = _stored(path())
    url = os.environ.get("CABESTAN_URL") or stored.get("url", "")
    if not url:
        raise NotSignedIn("No server is known.", "Log in with: cabestan login URL")
    if not is_address(url):
        place = "CABESTAN_URL" if os.environ.get("CABESTAN_URL") else f"url in {path()}"
        raise ConfigurationError(
            f"{place} is {url!r}, which is no server's address.", "It must be like https://HOST or http://HOST:PORT."
        )
    return ClientConfig(url.rstrip("/"), _token(url.rstrip("/"), stored))


def is_address(url: str) -> bool:
    """Whether it is one of a server, without a user's name in it."""
    try:
        parts = urlsplit(url)
        known = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:  # the port is no number, or too large
        return False
    return bool(known and not parts.username and not parts.query and not parts.fragment)


def write(url: str, token: str) -> Path:
    """Replaces the file, at once and whole, readable by its owner only; returns where it is."""
    file = path()
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=".client-", dir=file.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(f"url = {_toml_string(url.rstrip('/'))}\ntoken = {_toml_string(token)}\n")
            out.flush()
            os.fsync(out.fileno())
        Path(temporary).replace(file)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            Path(temporary).unlink()
        raise
    return file


def _token(url: str, stored: dict[str, str]) -> str:
    """The stored token belongs to the stored server: another server named by CABESTAN_URL never gets it."""
    given = os.environ.get("CABESTAN_TOKEN")
    if given:
        return given
    return stored.get("token", "") if url == stored.get("url", "").rstrip("/") else ""


def _stored(file: Path) -> dict[str, str]:
    try:
        with file.open("rb") as source:
            _check_mode(file, os.fstat(source.fileno()).st_mode)
            return _checked(file, tomllib.load(source))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigurationError(
            f"{file} cannot be read: {error.strerror}.", "Check its owner and its mode."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file} is not valid TOML: {error}.", "Write it anew: cabestan login URL") from error


def _check_mode(file: Path, mode: int) -> None:
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigurationError(f"{file} holds a token, and others may read it.", f"Run: chmod 600 {file}")


def _checked(file: Path, values: dict[str, Any]) -> dict[str, str]:
    unknown = sorted(values.keys() - _KEYS)
    if unknown:
        raise ConfigurationError(f"{file} has an unknown key: {unknown[0]}.", "It may have only url and token.")
    wrong = sorted(key for key, value in values.items() if not isinstance(value, str))
    if wrong:
        raise ConfigurationError(f"{wrong[0]} in {file} must be a text in quotes.")
    return values


def _toml_string(text: str) -> str:
    """A basic string of TOML escapes as JSON does, but for DEL, which JSON leaves as it is."""
    return json.dumps(text).replace("\x7f", "\\u007f")
