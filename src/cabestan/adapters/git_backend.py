"""How `git http-backend` is run: its CGI variables, our bounds and hooks, and the head of its answer."""

from collections.abc import Mapping
from pathlib import Path

from cabestan.adapters.git_process import SETTINGS, Limits, command, configured, environment


def http_backend_command(limits: Limits) -> tuple[str, ...]:
    return command("http-backend", limits=limits)


def http_backend_environment(
    repository: Path,
    *,
    service_path: str,
    method: str,
    query: str,
    content_type: str,
    protocol: str,
    user: str,
    hooks: Path,
    push_bytes: int,
    hook_variables: Mapping[str, str],
) -> dict[str, str]:
    """The CGI variables, with our bounds and hooks as Git's configuration. The body comes inflated."""
    configuration = {
        **SETTINGS,
        "core.hooksPath": str(hooks),
        "receive.maxInputSize": str(push_bytes),
        "receive.fsckObjects": "true",
        "receive.advertisePushOptions": "true",
        "http.receivepack": "true",
        "uploadpack.allowReachableSHA1InWant": "true",
    }
    return {
        **environment(),
        "GIT_PROJECT_ROOT": str(repository.parent),
        "GIT_HTTP_EXPORT_ALL": "1",
        "GIT_PROTOCOL": protocol,
        "PATH_INFO": f"/{repository.name}/{service_path}",
        "REQUEST_METHOD": method,
        "QUERY_STRING": query,
        "CONTENT_TYPE": content_type,
        "REMOTE_USER": user,
        "REMOTE_ADDR": "127.0.0.1",
        **configured(configuration),
        **hook_variables,
    }


def parse_cgi_head(head: bytes) -> tuple[int, list[tuple[str, str]]]:
    """Status and headers of a CGI answer's head, without the blank line."""
    status, headers = 200, []
    for line in head.decode("latin-1").splitlines():
        name, _, value = line.partition(":")
        if name.lower() == "status":
            status = int(value.split()[0])
        elif value:
            headers.append((name.strip(), value.strip()))
    return status, headers
