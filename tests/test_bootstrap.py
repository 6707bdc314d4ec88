from __future__ import annotations

import stat
import time
from pathlib import Path
from typing import Any

import pytest
from tests.engine.world import FILES
from tests.repositories import Checkout

from cabestan.adapters.vault import make_key
from cabestan.bootstrap import bootstrap
from cabestan.config import Settings
from cabestan.domain.status import RunStatus
from cabestan.engine.building import intake
from cabestan.errors import ConfigurationError
from cabestan.store import pipelines


@pytest.fixture
def settings(tmp_path: Path, fresh_url: str) -> Settings:
    return chosen(tmp_path, fresh_url)


def chosen(folder: Path, url: str, **changes: Any) -> Settings:
    """With an engine that does not answer."""
    quick = {"engine": "tcp://127.0.0.1:1", "engine_seconds": 1, "free_bytes": 0}
    return Settings(**{"data": folder / "data", "database_url": url} | quick | changes)


def test_a_new_installation_gets_a_key_and_keeps_all_to_itself(settings: Settings) -> None:
    bootstrap(settings).close()
    assert stat.S_IMODE(settings.data.stat().st_mode) == 0o700
    assert stat.S_IMODE(settings.key_path.stat().st_mode) == 0o600
    key = settings.key_path.read_text()
    bootstrap(settings).close()
    assert settings.key_path.read_text() == key


def test_a_wrong_or_a_lost_key_refuses_the_start(settings: Settings, tmp_path: Path, fresh_url: str) -> None:
    bootstrap(settings).close()
    make_key(tmp_path / "other")
    with pytest.raises(ConfigurationError, match="is not the one that the stored secrets were sealed with"):
        bootstrap(chosen(tmp_path, fresh_url, key_file=tmp_path / "other"))
    settings.key_path.unlink()
    with pytest.raises(ConfigurationError, match="cannot be read"):
        bootstrap(settings)
    assert not settings.key_path.exists()


@pytest.mark.parametrize(
    "rules", ["env-file, nonsense", "env_file", "env-file no-privileged", "hadolint", "lfs-filter"]
)
def test_a_strict_rule_of_which_there_is_no_warning_refuses_the_start(
    tmp_path: Path, fresh_url: str, rules: str
) -> None:
    with pytest.raises(ConfigurationError) as refused:
        bootstrap(chosen(tmp_path, fresh_url, strict_rules=rules))
    assert refused.value.message == f"strict_rules: {rules.split()[-1]} is no warning of the Compose file."
    assert refused.value.remedy.startswith("Correct the setting. There are: empty-command, ")
    assert "env-file, " in refused.value.remedy
    assert not (tmp_path / "data").exists()


def test_strict_rules_of_which_there_are_warnings_let_the_server_start(tmp_path: Path, fresh_url: str) -> None:
    bootstrap(chosen(tmp_path, fresh_url, strict_rules="env-file, secret-file mount-left-out")).close()


def test_without_an_engine_a_push_is_taken_and_its_job_fails_with_the_remedy(
    settings: Settings, checkout: Checkout
) -> None:
    cabestan = bootstrap(settings)
    services = cabestan.services
    cabestan.start()
    try:
        project = intake.create_project(services, "shop/api", "main")
        checkout.commit(FILES)
        checkout.push(services.repositories.path(project.id))
        (made,) = intake.take_pushes(services, project, "dev")
        ended = _end_of(cabestan, made.id)
    finally:
        cabestan.close()
    assert ended.status is RunStatus.FAILED
    assert "The Docker Engine at" in ended.reason
    assert "`cabestan doctor`" in ended.reason


def _end_of(cabestan: Any, pipeline_id: int) -> Any:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with cabestan.services.database.reading() as tx:
            found = pipelines.get(tx, pipeline_id)
        if found.status.ended and not cabestan.services.durable.alive():
            return found
        time.sleep(0.05)
    raise AssertionError(found)
