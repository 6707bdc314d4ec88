"""Projects to measure with: made over the API, pushed with plain Git."""

import base64
import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from bench.api import Api

_BRANCH = "main"


def create(api: Api, name: str) -> None:
    """Nothing is deployed by itself in it."""
    api.post("/projects", name=name)
    api.put(f"/projects/{name}/environments/staging", trigger="manual")


def push(api: Api, name: str, files: Mapping[str, str], *, force: bool = False) -> int:
    """Commits and pushes the files; gives the pipeline's id. `force` puts them in the place of what was there."""
    with tempfile.TemporaryDirectory() as folder:
        commit(Path(folder), files)
        send(api, name, Path(folder), force=force)
    return int(api.get(f"/projects/{name}/pipelines")["items"][0]["id"])


def commit(folder: Path, files: Mapping[str, str]) -> str:
    """Upon what was committed there before; gives the commit."""
    for path, text in files.items():
        (folder / path).write_text(text)
    _git(folder, "init", "--quiet", "--initial-branch", _BRANCH)
    _git(folder, "add", ".")
    _git(folder, "-c", "user.name=Bench", "-c", "user.email=bench@localhost", "commit", "--quiet", "-m", "Measure")
    return _git(folder, "rev-parse", "HEAD").strip()


def send(api: Api, name: str, folder: Path, *, force: bool = False) -> None:
    """Raises CalledProcessError where it was not taken."""
    refs = f"{'+' if force else ''}{_BRANCH}"
    _git(folder, "push", "--quiet", f"{api.url}/{name}.git", refs, environment=environment(api))


def _git(folder: Path, *words: str, environment: Mapping[str, str] | None = None) -> str:
    given = dict(environment) if environment is not None else None
    done = subprocess.run(["git", *words], cwd=folder, env=given, check=True, capture_output=True, text=True)
    return done.stdout


def release(api: Api, name: str, files: Mapping[str, str]) -> None:
    """Pushes the files and waits for the release."""
    pipeline = api.ended(f"/pipelines/{push(api, name, files)}", 180)
    if pipeline["status"] != "succeeded":
        raise RuntimeError(f"The pipeline of {name} is {pipeline['status']}: {pipeline['reason']}")


def environment(api: Api) -> dict[str, str]:
    """The token reaches Git in its environment, not in its arguments."""
    login = base64.b64encode(f"bench:{api.token}".encode()).decode()
    return os.environ | {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"http.{api.url}/.extraHeader",
        "GIT_CONFIG_VALUE_0": f"Authorization: Basic {login}",
        "GIT_TERMINAL_PROMPT": "0",
        "no_proxy": "127.0.0.1",
    }
