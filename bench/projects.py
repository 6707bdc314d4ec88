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
        for path, text in files.items():
            (Path(folder) / path).write_text(text)
        for command in (
            ["init", "--quiet", "--initial-branch", _BRANCH],
            ["add", "."],
            ["-c", "user.name=Bench", "-c", "user.email=bench@localhost", "commit", "--quiet", "-m", "Measure"],
            ["push", "--quiet", f"{api.url}/{name}.git", f"{'+' if force else ''}{_BRANCH}"],
        ):
            subprocess.run(["git", *command], cwd=folder, env=_environment(api), check=True, capture_output=True)
    return int(api.get(f"/projects/{name}/pipelines")["items"][0]["id"])


def release(api: Api, name: str, files: Mapping[str, str]) -> None:
    """Pushes the files and waits for the release."""
    pipeline = api.ended(f"/pipelines/{push(api, name, files)}", 180)
    if pipeline["status"] != "succeeded":
        raise RuntimeError(f"The pipeline of {name} is {pipeline['status']}: {pipeline['reason']}")


def _environment(api: Api) -> dict[str, str]:
    """The token reaches Git in its environment, not in its arguments."""
    login = base64.b64encode(f"bench:{api.token}".encode()).decode()
    return os.environ | {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"http.{api.url}/.extraHeader",
        "GIT_CONFIG_VALUE_0": f"Authorization: Basic {login}",
        "GIT_TERMINAL_PROMPT": "0",
        "no_proxy": "127.0.0.1",
    }
