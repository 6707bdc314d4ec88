"""The demo, once the machine is set up: every step is a command that a user could type.

Each step looks first whether it is done, so that an interrupted demo goes on and a second one takes seconds.
"""

import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[1]
HOME = CHECKOUT / ".cabestan"
SETTINGS = HOME / "cabestan.toml"
CLONE = HOME / "hello"
PROJECT = "demo/hello"
#: what signs the certificates here
ROOT = HOME / "ca.pem"
#: the address that a user would like best first
ROUTER_PORTS = (80, 8080, 8081, 8082, 8880)
TLS_PORTS = (443, 8443, 8444, 8445, 8843)
SERVER_PORTS = range(8600, 8650)
REGISTRY_PORTS = range(5600, 5650)
PIPELINE_SECONDS = 900


class Stuck(Exception):
    """What does not go on, and what to do."""


def main() -> None:
    write_settings()
    run("cabestan", "up")
    keep_root()
    if not ask("project", "show", PROJECT):
        run("cabestan", "project", "create", PROJECT)
    push_example()
    pipeline = follow_pipeline()
    staging = wait_for_staging(pipeline)
    tell(staging)


def write_settings() -> None:
    """Ports that are free now, chosen once; settings of an earlier version lack one."""
    if SETTINGS.exists():
        if "router_tls_port" not in SETTINGS.read_text():
            with SETTINGS.open("a") as settings:
                settings.write(f"router_tls_port = {free(TLS_PORTS)}\n")
        return
    chosen = {
        "instance": '"demo"',
        "data": json.dumps(str(HOME / "data")),
        "port": free(SERVER_PORTS),
        "router_port": free(ROUTER_PORTS),
        "router_tls_port": free(TLS_PORTS),
        "registry_port": free(REGISTRY_PORTS),
    }
    fresh = SETTINGS.with_suffix(".new")
    fresh.write_text("".join(f"{name} = {value}\n" for name, value in chosen.items()))
    fresh.replace(SETTINGS)


def free(ports: Any) -> int:
    """The first one that nobody listens on."""
    for port in ports:
        with socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(port)
    raise Stuck(f"No port of {list(ports)} is free.", "Free one, then run this again.")


def push_example() -> None:
    """Clones the project, commits the example, pushes; whatever of it is still to be done."""
    if not (CLONE / ".git").exists():
        shutil.rmtree(CLONE, ignore_errors=True)
        run("cabestan", "project", "clone", PROJECT, str(CLONE))
    if not (CLONE / "Dockerfile").exists():
        shutil.copytree(CHECKOUT / "examples" / "hello", CLONE, dirs_exist_ok=True)
    if not settled("user.email"):
        # the machine's git knows nobody yet; the next commits, by hand, need somebody
        git("config", "user.name", "Cabestan demo", shown=False)
        git("config", "user.email", "demo@localhost", shown=False)
    git("add", "--all", shown=False)
    if git("status", "--porcelain", shown=False):
        git("commit", "--quiet", "--message", "Say hello", shown=False)
    git("push", "-o", "no-follow", "origin", "HEAD")  # it is followed below, with the logs


def settled(name: str) -> bool:
    """Whether git has a value for it in the clone."""
    return subprocess.run(["git", "-C", str(CLONE), "config", name], capture_output=True, check=False).returncode == 0


def follow_pipeline() -> dict[str, Any]:
    """The newest pipeline, its jobs' logs live until it has ended."""
    newest = ask("pipeline", "list", "-p", PROJECT, "--limit", "1")
    if not newest:
        raise Stuck("The push set off no pipeline.", "See the server's log: .cabestan/data/server.log")
    key, seen, deadline = str(newest[0]["id"]), set(), time.monotonic() + PIPELINE_SECONDS
    if newest[0]["status"] == "succeeded":
        return newest[0]
    while time.monotonic() < deadline:
        pipeline = ask("pipeline", "show", key)
        for job in pipeline["jobs"]:
            if job["id"] not in seen and job["status"] != "created":
                seen.add(job["id"])
                run("cabestan", "job", "log", str(job["id"]), "--follow", check=False)
        if pipeline["status"] == "succeeded":
            return pipeline
        if pipeline["status"] in ("failed", "canceled", "skipped"):
            raise Stuck(
                f"Pipeline {key} ended as {pipeline['status']}: {pipeline['reason']}",
                f"bin/cabestan pipeline retry {key}",
            )
        time.sleep(0.3)
    raise Stuck(f"Pipeline {key} is not done after {PIPELINE_SECONDS} s.", f"bin/cabestan pipeline show {key}")


def wait_for_staging(pipeline: dict[str, Any]) -> dict[str, Any]:
    """Until staging serves the pipeline's commit, and answers through the router."""
    say("Waiting for staging …")
    deadline = time.monotonic() + PIPELINE_SECONDS
    while time.monotonic() < deadline:
        staging = ask("environment", "show", "staging", "-p", PROJECT)
        if staging["status"] in ("failed", "rolled_back"):
            raise Stuck(f"The deployment to staging {staging['status']}.", "bin/cabestan deployment list -p demo/hello")
        if staging["status"] == "succeeded" and staging["commit"] == pipeline["commit"] and serves(staging):
            return staging
        time.sleep(0.3)
    raise Stuck("Staging does not serve the commit.", "bin/cabestan deployment list -p demo/hello")


def serves(environment: dict[str, Any]) -> bool:
    """Asked as a browser would, but for the name, which this machine may not resolve."""
    host, port = environment["domain"], environment["url"].rpartition(":")[2]
    trust = ssl.create_default_context(cadata=ROOT.read_text())
    try:
        with (
            socket.create_connection(("127.0.0.1", int(port) if port.isdigit() else 443), timeout=5) as connection,
            trust.wrap_socket(connection, server_hostname=host) as secured,
        ):
            secured.sendall(f"GET / HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
            return b" 200 " in secured.recv(4096).partition(b"\r\n")[0]
    except OSError:
        return False


def keep_root() -> None:
    """What signs the certificates here, for browsers and curl."""
    known = ask("ca")
    if not known:
        raise Stuck("The server tells no certificate authority.", "See its log: .cabestan/data/server.log")
    ROOT.write_text(known["certificate"])


def tell(staging: dict[str, Any]) -> None:
    server, token = login()
    production = ask("environment", "show", "production", "-p", PROJECT)
    waiting = [d for d in ask("deployment", "list", "-p", PROJECT) if d["status"] == "waiting"]
    approve = waiting[0]["id"] if waiting else "ID"
    say(f"""
Staging answers:    {staging["url"]}
                    (browsers warn until they trust {ROOT.relative_to(CHECKOUT)})
Production:         {production["url"]}{"   (waits for your approval)" if waiting else ""}
The pages:          {server}
Log in as admin, with this token as the password:
                    {token}

Type next:
  bin/cabestan deployment approve {approve}
  bin/cabestan environment list -p {PROJECT}
  cd {CLONE.relative_to(CHECKOUT)} && git commit --allow-empty -m "Second" && git push
""")


def login() -> tuple[str, str]:
    from cabestan.cli import client_config

    known = client_config.read()
    return known.url, known.token


def ask(*command: str) -> Any:
    """What a command prints as JSON; None where it is refused."""
    done = subprocess.run([cabestan(), *command, "--json"], capture_output=True, text=True, check=False)
    if done.returncode == 4:
        raise Stuck(
            f"`cabestan {' '.join(command)}` does not reach the server: {done.stderr.strip()}", "Run bin/demo again."
        )
    return json.loads(done.stdout) if done.returncode == 0 else None


def run(program: str, *arguments: str, check: bool = True) -> None:
    """A command with its output, as a user would see it."""
    say(f"\n$ {program} {' '.join(arguments)}")
    command = [cabestan(), *arguments] if program == "cabestan" else [program, *arguments]
    done = subprocess.run(command, check=False)
    if done.returncode and check:
        raise Stuck(
            f"`{program} {' '.join(arguments)}` failed (exit code {done.returncode}).",
            "Do what it says, then run bin/demo again.",
        )


def git(*arguments: str, shown: bool = True) -> str:
    """In the clone; its output where it is not shown."""
    if shown:
        run("git", "-C", str(CLONE), *arguments)
        return ""
    return subprocess.run(["git", "-C", str(CLONE), *arguments], capture_output=True, text=True, check=True).stdout


def cabestan() -> str:
    return str(CHECKOUT / "bin" / "cabestan")


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    os.chdir(CHECKOUT)
    try:
        main()
    except Stuck as stuck:
        what, remedy = stuck.args
        print(f"\nerror: {what}\n  what to do: {remedy}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        say("\nInterrupted. Run bin/demo again to go on.")
        sys.exit(130)
