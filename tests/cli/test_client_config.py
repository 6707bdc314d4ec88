"""The client's configuration file."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from cabestan.cli import client_config
from cabestan.cli.client_config import ClientConfig
from cabestan.errors import ConfigurationError, NotSignedIn


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("CABESTAN_URL", "CABESTAN_TOKEN", "XDG_CONFIG_HOME", "CABESTAN_CLIENT_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_what_was_written_is_read_again_and_only_the_owner_may_read_it(home: Path) -> None:
    file = client_config.write("http://h:1/", 't"o\\k\x7fen')
    assert file == home / ".config/cabestan/client.toml"
    assert client_config.read() == ClientConfig("http://h:1", 't"o\\k\x7fen')
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [entry.name for entry in file.parent.iterdir()] == ["client.toml"]


def test_xdg_and_the_variable_name_other_places(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "x"))
    assert client_config.path() == home / "x/cabestan/client.toml"
    monkeypatch.setenv("CABESTAN_CLIENT_CONFIG", str(home / "y.toml"))
    assert client_config.path() == home / "y.toml"


def test_the_environment_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    client_config.write("http://h:1", "a")
    monkeypatch.setenv("CABESTAN_TOKEN", "b")
    assert client_config.read() == ClientConfig("http://h:1", "b")
    monkeypatch.setenv("CABESTAN_URL", "http://other:2/")
    assert client_config.read() == ClientConfig("http://other:2", "b")


def test_another_server_never_gets_the_stored_token(monkeypatch: pytest.MonkeyPatch) -> None:
    client_config.write("http://h:1", "a")
    monkeypatch.setenv("CABESTAN_URL", "http://other:2")
    assert client_config.read() == ClientConfig("http://other:2", "")


def test_a_file_that_others_may_read_is_refused() -> None:
    file = client_config.write("http://h:1", "a")
    file.chmod(0o640)
    with pytest.raises(ConfigurationError) as refused:
        client_config.read()
    assert str(refused.value) == f"{file} holds a token, and others may read it. Run: chmod 600 {file}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("url = ", "is not valid TOML"),
        ('url = "http://h"\nport = 3', "has an unknown key: port"),
        ("url = 3", "must be a text in quotes"),
    ],
)
def test_a_malformed_file_is_refused(text: str, message: str) -> None:
    client_config.write("http://h:1", "a").write_text(text)
    with pytest.raises(ConfigurationError, match=message):
        client_config.read()


def test_without_a_server_the_remedy_is_to_log_in() -> None:
    with pytest.raises(NotSignedIn, match="cabestan login URL"):
        client_config.read()


def test_the_token_is_not_in_the_value_s_text() -> None:
    assert "canary" not in repr(ClientConfig("http://h:1", "canary"))


def test_it_imports_only_the_standard_library_and_the_errors() -> None:
    code = (
        "import sys, cabestan.cli.client_config as c;"
        "print(sorted(m for m in sys.modules if m.partition('.')[0] in ('cabestan', 'typer', 'rich', 'pydantic')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "['cabestan', 'cabestan.cli', 'cabestan.cli.client_config', 'cabestan.errors']\n"


@pytest.mark.parametrize(
    "url", ["localhost:8600", "ftp://h", "http://", "http://h:99999", "http://h:x", "http://u:p@h", "http://h/?q=1"]
)
def test_an_address_that_is_none_is_said_to_be_that(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("CABESTAN_URL", url)
    with pytest.raises(ConfigurationError) as refused:
        client_config.read()
    assert str(refused.value).startswith(f"CABESTAN_URL is {url!r}, which is no server's address.")
    monkeypatch.delenv("CABESTAN_URL")
    file = client_config.write(url, "t")
    with pytest.raises(ConfigurationError, match=f"url in {file} is"):
        client_config.read()
