from __future__ import annotations

import os
from pathlib import Path

import pytest

from cabestan.adapters.git_backend import http_backend_command, http_backend_environment, parse_cgi_head
from cabestan.adapters.git_process import Limits


@pytest.mark.parametrize(
    ("head", "parsed"),
    [
        (b"Content-Type: a/b\r\n\r\n", (200, [("Content-Type", "a/b")])),
        (b"Status: 403 Forbidden\r\nExpires: Fri, 01 Jan 1980 00:00:00 GMT\r\n\r\n",
         (403, [("Expires", "Fri, 01 Jan 1980 00:00:00 GMT")])),
        (b"status: 404\nX: y: z\n\n", (404, [("X", "y: z")])),
        (b"\r\n\r\n", (200, [])),
    ],
)  # fmt: skip
def test_the_head_of_a_cgi_answer_is_a_status_and_headers(head: bytes, parsed: object) -> None:
    assert parse_cgi_head(head) == parsed


def test_git_http_backend_is_told_bounds_and_hooks(tmp_path: Path) -> None:
    environment = http_backend_environment(
        tmp_path / "repositories" / "7.git",
        service_path="git-receive-pack",
        method="POST",
        query="a=b",
        content_type="application/x-git-receive-pack-request",
        protocol="version=2",
        user="dev",
        hooks=tmp_path / "hooks",
        push_bytes=1000,
        hook_variables={"CABESTAN_HOOK_USER": "dev"},
    )
    count = int(environment.pop("GIT_CONFIG_COUNT"))
    configured = {
        environment.pop(f"GIT_CONFIG_KEY_{number}"): environment.pop(f"GIT_CONFIG_VALUE_{number}")
        for number in range(count)
    }
    assert configured == {
        "safe.directory": "*",
        "core.quotePath": "false",
        "core.hooksPath": str(tmp_path / "hooks"),
        "core.fsmonitor": "false",
        "core.bigFileThreshold": "8m",
        "core.deltaBaseCacheLimit": "32m",
        "pack.threads": "1",
        "pack.windowMemory": "64m",
        "pack.deltaCacheSize": "32m",
        "protocol.allow": "never",
        "receive.maxInputSize": "1000",
        "receive.fsckObjects": "true",
        "receive.advertisePushOptions": "true",
        "http.receivepack": "true",
        "uploadpack.allowReachableSHA1InWant": "true",
    }
    assert environment == {
        "PATH": os.environ["PATH"],
        "LC_ALL": "C.UTF-8",
        "HOME": "/nonexistent",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_PROJECT_ROOT": str(tmp_path / "repositories"),
        "GIT_HTTP_EXPORT_ALL": "1",
        "GIT_PROTOCOL": "version=2",
        "PATH_INFO": "/7.git/git-receive-pack",
        "REQUEST_METHOD": "POST",
        "QUERY_STRING": "a=b",
        "CONTENT_TYPE": "application/x-git-receive-pack-request",
        "REMOTE_USER": "dev",
        "REMOTE_ADDR": "127.0.0.1",
        "CABESTAN_HOOK_USER": "dev",
    }


def test_every_git_has_bounds_of_memory_and_of_the_processors_time_and_less_of_it_than_the_server() -> None:
    assert http_backend_command(Limits(processor_seconds=7, memory_bytes=1000)) == (
        *("nice", "-n", "5", "prlimit", "--cpu=7:12", "--data=1000", "--core=0"),
        *("git", "http-backend"),
    )
