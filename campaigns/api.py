"""schemathesis asks every operation that the API describes, as an administrator, a reader and a stranger."""

import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from bench.instance import Instance
from bench.seeding import fill

from campaigns.outcome import Outcome

_ROOT = Path(__file__).parent.parent
_TOOL = _ROOT / ".venv" / "campaigns" / "bin" / "schemathesis"
_SECRET, _PROJECTS = "canary-7f3a9c", ["camp/app", "camp/other"]
#: what one answer may take, and what a whole round may take beyond its time
_ANSWER_SECONDS, _GRACE_SECONDS, _START_SECONDS = 20, 120, 180


@dataclass(frozen=True)
class Asker:
    """`hidden` is what no answer may tell this one."""

    name: str
    token: str
    hidden: tuple[str, ...]


def configuration(asker: Asker) -> str:
    """For schemathesis, which takes the token from its environment."""
    return '[headers]\nAuthorization = "Bearer ${CAMPAIGN_TOKEN}"\n' if asker.token else ""


def command(config: Path, url: str, seed: int, seconds: float) -> list[str]:
    return [
        *(str(_TOOL), "--config-file", str(config), "run", f"{url}/api/v1/openapi.json", "--url", url),
        *(
            "--seed",
            str(seed),
            "--max-time",
            str(max(1, round(seconds))),
            "--phases",
            "fuzzing,stateful",
            "--no-shrink",
        ),
        *("--checks", "not_a_server_error,no_leak", "--continue-on-failure", "--request-timeout", str(_ANSWER_SECONDS)),
        *("--exclude-path-regex", "/stream|/changes", "--no-color"),
    ]


def cases(said: str) -> int:
    """How many schemathesis made, by its last words."""
    found = re.findall(r"([\d,]+) generated", said)
    return int(found[-1].replace(",", "")) if found else 0


def run(seed: int, minutes: float, folder: Path, name: str) -> Outcome:
    instance = Instance(name, containers=False, start_seconds=_START_SECONDS)
    began, asked, found = time.monotonic(), dict[str, int](), list[str]()
    try:
        instance.prepare()
        instance.start()
        askers = _askers(instance)
        for asker in askers:
            print(f"  asking as {asker.name} ...", file=sys.stderr, flush=True)
            asked[asker.name], problems = _round(instance, asker, seed, 60 * minutes / len(askers), folder)
            found += [*problems, *_crashed(instance, folder)]
        found += _broken(instance, folder)
    finally:
        instance.remove()
    words = ", ".join(f"{count:,} cases as {who}" for who, count in asked.items())
    return Outcome(f"{time.monotonic() - began:.0f} s, {words}, {len(found)} findings", tuple(found))


def _askers(instance: Instance) -> list[Asker]:
    """Of a platform with two projects, a secret in each, history, a reader of one project and somebody of none."""
    api = instance.api
    for name in _PROJECTS:
        api.post("/projects", name=name)
        api.put(f"/projects/{name}/secrets/KEY", value=_SECRET)
    fill(instance.database, _PROJECTS, 100)
    reader, stranger = (api.post("/users", name=name)["token"] for name in ("reader", "stranger"))
    api.put(f"/projects/{_PROJECTS[0]}/members/reader", role="reporter")
    return [
        Asker("administrator", instance.token, (_SECRET,)),
        Asker("reader", reader, (_SECRET, _PROJECTS[1])),
        Asker("stranger", stranger, (_SECRET, *_PROJECTS)),
    ]


def _round(instance: Instance, asker: Asker, seed: int, seconds: float, folder: Path) -> tuple[int, list[str]]:
    config, said = folder / "schemathesis.toml", folder / f"{seed}-{asker.name}.txt"
    config.write_text(configuration(asker))
    given = {
        "CAMPAIGN_TOKEN": asker.token,
        "CAMPAIGN_HIDDEN": ",".join(asker.hidden),
        "SCHEMATHESIS_HOOKS": "campaigns.leaks",
        "PYTHONPATH": str(_ROOT),
        "NO_PROXY": "127.0.0.1",
    }
    done = subprocess.run(
        command(config, instance.url, seed, seconds),
        env=os.environ | given,
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=seconds + _GRACE_SECONDS,
        check=False,
    )
    config.unlink()
    shutil.rmtree(folder / ".hypothesis", ignore_errors=True)
    shutil.rmtree(folder / ".schemathesis", ignore_errors=True)
    count = cases(done.stdout)
    if done.returncode == 0 and count:
        return count, []
    said.write_text(done.stdout + done.stderr)
    return count, [f"schemathesis as {asker.name} (exit code {done.returncode}): {said}"]


def _crashed(instance: Instance, folder: Path) -> list[str]:
    """A server that ended is started again, for those who ask after."""
    if instance.runs:
        return []
    instance.kill()
    instance.start()
    return [f"the server ended: {_kept_log(instance, folder)}"]


def _broken(instance: Instance, folder: Path) -> list[str]:
    log = (instance.folder / "server.log").read_text(errors="replace")
    return [f"tracebacks in the server's log: {_kept_log(instance, folder)}"] if "Traceback" in log else []


def _kept_log(instance: Instance, folder: Path) -> Path:
    return Path(shutil.copy(instance.folder / "server.log", folder / "server.log"))
