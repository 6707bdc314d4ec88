import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import structlog

from cabestan.adapters.masked_output import mask_output
from cabestan.adapters.vault import Vault
from cabestan.domain.known_secrets import KnownSecrets
from cabestan.server import set_up_logging

CANARY = "canary-value-1234"


@contextmanager
def masked_output() -> Iterator[None]:
    """The process's output as the server has it, with one secret that its vault has opened."""
    before = sys.stdout, sys.stderr
    known = KnownSecrets()
    try:
        mask_output(known)
        Vault(b"k" * 32, known).open(Vault(b"k" * 32).seal(CANARY, "here"), "here")
        yield
    finally:
        sys.stdout, sys.stderr = before


def _fail() -> None:
    raise RuntimeError(f"cannot connect to postgresql://user:{CANARY}@db")


def test_a_traceback_in_the_log_shows_no_values(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("info")

    def fail(secret: str) -> None:
        raise RuntimeError(len(secret))

    try:
        fail("canary")
    except RuntimeError as error:
        structlog.get_logger().error("it broke", path="/x", exc_info=error)
    written = capsys.readouterr().out
    assert "canary" not in written.replace('fail("canary")', "")
    assert "RuntimeError: 6" in written
    assert "path=/x" in written


def test_an_error_that_quotes_a_secret_is_logged_without_it(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("info")
    try:
        _fail()
    except RuntimeError as error:
        with masked_output():
            structlog.get_logger().error("it broke", address=f"db/{CANARY}", exc_info=error)
    written = capsys.readouterr().out
    assert CANARY not in written
    assert "RuntimeError: cannot connect to postgresql://user:[secret]@db" in written
    assert "address=db/[secret]" in written


def test_what_libraries_and_broken_threads_print_is_masked_too(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        _fail()
    except RuntimeError as error:
        with masked_output():
            logger = logging.Logger("somebody.else")
            logger.addHandler(logging.StreamHandler())
            logger.exception("it broke")
            threading.__excepthook__(threading.ExceptHookArgs((RuntimeError, error, error.__traceback__, None)))
    written = capsys.readouterr().err
    assert CANARY not in written
    assert written.count("postgresql://user:[secret]@db") == 2


def test_less_is_said_where_less_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("error")
    structlog.get_logger().warning("not this")
    set_up_logging("info")
    assert capsys.readouterr().out == ""


def last_said(data: Path, run: str) -> str:
    """By the server's process, with `run` in the place of what would serve."""
    program = f"import uvicorn\nfrom cabestan import server\nuvicorn.run = {run}\nserver.main()\n"
    settings = {"CABESTAN_DATA": str(data), "CABESTAN_CONFIG": os.devnull, "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [sys.executable, "-c", program], env=settings, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


def test_the_server_masks_what_its_own_vault_has_had_in_its_hands(tmp_path: Path) -> None:
    run = "lambda app, **_: print('token', app.state.services.vault.derive('hook'))"
    assert last_said(tmp_path, run) == "token [secret]"


def test_the_server_believes_no_header_about_who_asks(tmp_path: Path) -> None:
    assert last_said(tmp_path, "lambda _app, **options: print(options['proxy_headers'])") == "False"


def test_a_server_that_starts_loads_nothing_that_it_has_no_use_for(tmp_path: Path) -> None:
    """With a setting that is wrong it ends when it has imported all that it begins with, and says so."""
    environment = {**os.environ, "CABESTAN_CONFIG": os.devnull, "CABESTAN_DATA": str(tmp_path), "CABESTAN_PORT": "none"}
    command = [sys.executable, "-X", "importtime", "-m", "cabestan.server"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    lines = done.stderr.splitlines()
    loaded = {line.rsplit("|", 1)[1].strip() for line in lines if line.startswith("import time:")}
    assert next(line for line in lines if not line.startswith("import time:")).startswith("error: ")
    assert loaded >= {"cabestan.web.app", "dbos", "docker", "httpx", "structlog"}
    unused = {"alembic", "charset_normalizer.api", "mako", "pygments.util", "rich.console", "typer"}
    assert loaded & unused == set()
