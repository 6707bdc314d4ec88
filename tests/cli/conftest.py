"""A fake server for each test, and the command line run against it within this process."""

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.cli.fake_server import TOKEN, FakeServer, running

import cabestan
from cabestan.cli import client_config
from cabestan.cli.main import main


@dataclass(frozen=True)
class Result:
    """What a command wrote, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Cli = Callable[..., Result]


@pytest.fixture(scope="session")
def one_server() -> Iterator[FakeServer]:
    with running() as fake:
        yield fake


@pytest.fixture
def server(one_server: FakeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    """Its address and token are in the client's configuration; the working folder is no clone."""
    one_server.forget()
    for name in ("CABESTAN_URL", "CABESTAN_TOKEN", "XDG_CONFIG_HOME", "FORCE_COLOR", "NO_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CABESTAN_CLIENT_CONFIG", str(tmp_path / "client.toml"))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(Path(cabestan.__file__).parents[1]))
    client_config.write(one_server.url, TOKEN)
    return one_server


@pytest.fixture
def cli(server: FakeServer, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    def run(*arguments: str, stdin: bytes = b"") -> Result:
        capfd.readouterr()
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"))
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        out, err = capfd.readouterr()
        return Result(int(ended.value.code or 0), out, err)

    return run
