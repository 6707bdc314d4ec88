from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

from cabestan.config import Settings, read_settings
from cabestan.errors import ConfigurationError

DOCUMENTATION = Path(__file__).parents[1] / "docs/settings.md"
#: a value of each setting that is not its default, as the environment has it
OTHERS: dict[str, Any] = {
    "instance": "factory",
    "data": "/srv/cabestan",
    "database_url": "postgresql://cabestan:hunter2@db.example.org/cabestan",
    "key_file": "/etc/cabestan/key",
    "host": "0.0.0.0",
    "port": "8080",
    "connections": "3000",
    "connections_per_address": "100",
    "streams_per_user": "50",
    "url": "https://cabestan.example.org",
    "engine": "tcp://10.0.0.1:2375",
    "router_address": "0.0.0.0",
    "router_port": "8081",
    "router_tls_port": "8444",
    "public_tls_port": "8445",
    "private_domains": "example.org, corp.example.com",
    "acme_email": "me@example.org",
    "acme_server": "https://acme.example.org/directory",
    "acme_ca_bundle": "/etc/ssl/acme.pem",
    "acme_dns_provider": "httpreq",
    "acme_dns_file": "/etc/cabestan/dns",
    "acme_dns_resolvers": "9.9.9.9:53",
    "acme_dns_seconds": "30",
    "public_names": "21",
    "registry_port": "5000",
    "target_domain": "apps.example.org",
    "images": "/srv/images",
    "image_aliases": "acme",
    "strict_rules": "env-file hostname",
    "ca_bundle": "/etc/ssl/proxy.pem",
    "builders": "4",
    "builder_idle_seconds": "60",
    "builder_memory_bytes": "536870912",
    "builder_disk_bytes": "1073741824",
    "build_reach": "deb.debian.org:80 10.1.2.0/24",
    "parallel_jobs": "8",
    "job_seconds": "7200",
    "run_seconds": "66",
    "lead_seconds": "7",
    "parallel_runs": "9",
    "kept_runs": "10",
    "time_zone": "Europe/Paris",
    "commit_files": "101",
    "commit_bytes": "1025",
    "project_refs": "12",
    "open_pipelines": "13",
    "kept_pipelines": "15",
    "parallel_git": "14",
    "git_seconds": "68",
    "git_processor_seconds": "69",
    "git_memory_bytes": "33554433",
    "engine_seconds": "60",
    "pull_seconds": "61",
    "apply_seconds": "62",
    "healthy_seconds": "63",
    "routes_seconds": "64",
    "managed_seconds": "66",
    "mongodb_image": "registry.example.org/databases/mongodb:6.0",
    "backup_schedule": "off",
    "backup_keep": "daily=1",
    "backup_remote": "nas:cabestan",
    "last_backup_days": "365",
    "backup_seconds": "67",
    "watch_seconds": "65",
    "job_log_bytes": "2048",
    "journal_bytes": "16777216",
    "journal_days": "7",
    "journal_lines_per_second": "500",
    "push_bytes": "2049",
    "push_follow_seconds": "601",
    "free_bytes": "0",
    "volume_disk_percent": "80",
    "volume_bytes": "10737418240",
    "session_hours": "12",
    "log_level": "debug",
}


@pytest.fixture(autouse=True)
def no_settings_of_ours(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("CABESTAN_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr("cabestan.config.DEFAULT_FILE", tmp_path / "none.toml")


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "cabestan.toml"
    path.touch()
    monkeypatch.setenv("CABESTAN_CONFIG", str(path))
    return path


def shown(settings: Settings, name: str) -> str:
    value = getattr(settings, name)
    return str(value.get_secret_value() if hasattr(value, "get_secret_value") else value)


def test_every_setting_has_an_example_here() -> None:
    assert OTHERS.keys() == Settings.model_fields.keys()


@pytest.mark.parametrize("name", OTHERS)
def test_a_setting_is_given_by_the_environment_by_the_file_and_by_the_caller(
    name: str, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shown(read_settings(), name) != OTHERS[name]
    text = OTHERS[name] if OTHERS[name].isdigit() else f'"{OTHERS[name]}"'
    file.write_text(f"{name} = {text}\n")
    assert shown(read_settings(), name) == OTHERS[name]
    file.write_text("")
    monkeypatch.setenv(f"CABESTAN_{name.upper()}", OTHERS[name])
    assert shown(read_settings(), name) == OTHERS[name]


def test_the_caller_wins_over_the_environment_and_that_over_the_file(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text("port = 1\nhost = 'file'\nurl = 'file'\n")
    monkeypatch.setenv("CABESTAN_PORT", "2")
    monkeypatch.setenv("CABESTAN_HOST", "environment")
    settings = read_settings(port=3)
    assert (settings.port, settings.host, settings.url) == (3, "environment", "file")


def refused(**given: Any) -> str:
    with pytest.raises(ConfigurationError) as error:
        read_settings(**given)
    assert error.value.remedy
    return str(error.value)


@pytest.mark.parametrize("line", ["prot = 8600", "[server]\nport = 8600"])
def test_an_unknown_key_is_refused_by_its_name(file: Path, line: str) -> None:
    file.write_text(line)
    message = refused()
    assert re.search(r"\b(prot|server)\b", message)
    assert str(file) in message


def test_an_unknown_variable_is_refused_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CABESTAN_PROT", "1")
    assert refused() == "There is no setting CABESTAN_PROT. docs/settings.md lists all of them."


def test_variables_of_the_command_line_are_no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("URL", "TOKEN", "CLIENT_CONFIG"):
        monkeypatch.setenv(f"CABESTAN_{name}", "x")
    read_settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("instance", "Factory"),
        ("instance", "a" * 13),
        ("port", "0"),
        ("port", "65536"),
        ("port", "many"),
        ("parallel_jobs", "65"),
        ("job_seconds", "1"),
        ("watch_seconds", "-1"),
        ("log_level", "loud"),
        ("backup_schedule", "every night"),
        ("backup_keep", "yearly=1"),
        ("database_url", "mysql://cabestan:hunter2@db.example.org/x"),
        ("database_url", "/srv/x.sqlite"),
    ],
)
def test_a_wrong_value_is_refused_by_the_name_of_its_setting_and_not_shown(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"CABESTAN_{name.upper()}", value)
    message = refused()
    assert f"{name}: " in message
    assert "hunter2" not in message


def test_all_that_is_wrong_is_told_at_once() -> None:
    message = refused(port=0, log_level="loud", nonsense=1)
    assert [name for name in ("port", "log_level", "nonsense") if f"{name}: " in message] == [
        "port",
        "log_level",
        "nonsense",
    ]


def test_a_file_that_is_no_toml_or_not_there_is_refused_by_its_name(file: Path) -> None:
    file.write_text("port: 8600")
    assert str(file) in refused()
    file.unlink()
    assert refused() == f"There is no settings file {file}. Correct CABESTAN_CONFIG, or unset it."


def test_a_password_does_not_show() -> None:
    settings = read_settings(database_url="postgresql://cabestan:hunter2@db.example.org/x")
    assert "hunter2" not in repr(settings)
    assert settings.database == "postgresql://cabestan:hunter2@db.example.org/x"


def test_what_is_made_from_settings(tmp_path: Path) -> None:
    settings = read_settings(data=tmp_path, port=8601, router_port=80)
    assert settings.public_url == settings.internal_url == "http://127.0.0.1:8601"
    assert settings.database == f"sqlite:///{tmp_path}/cabestan.sqlite"
    assert settings.key_path == tmp_path / "key"
    assert settings.registry == "127.0.0.1:5600"
    assert settings.address_of("a.org") == "https://a.org"
    behind = read_settings(router_tls_port=8443, public_tls_port=443, private_domains="a.org, b.org,")
    assert (behind.address_of("a.org"), behind.private_domain_names) == ("https://a.org", ("a.org", "b.org"))
    other = read_settings(
        url="https://a.org/", router_tls_port=8443, router_address="0.0.0.0", key_file="key", data="x"
    )
    assert (other.public_url, other.address_of("a.org"), other.router_host) == (
        "https://a.org",
        "https://a.org:8443",
        "127.0.0.1",
    )
    assert (other.key_path, other.data) == (Path.cwd() / "key", Path.cwd() / "x")


def sections() -> dict[str, str]:
    """Heading to text, of the documentation."""
    parts = re.split(r"^## (\w+)\n", DOCUMENTATION.read_text(), flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def test_the_documentation_has_every_setting_in_order() -> None:
    assert list(sections()) == list(Settings.model_fields)


@pytest.mark.parametrize("name", Settings.model_fields)
def test_the_documentation_tells_meaning_default_and_a_good_example(name: str, file: Path) -> None:
    text = sections()[name]
    default = Settings.model_fields[name].get_default()
    plain = shown(Settings(), name)
    assert len(text.strip().splitlines()[0]) > 10
    if name != "images":
        wanted = f"Default: `{plain}`" if plain not in ("", "None") else "Default: "
        assert wanted in text, default
    (example,) = re.findall(rf"Example: `({name} = .+)`", text)
    file.write_text(example)
    assert shown(read_settings(), name) != plain
