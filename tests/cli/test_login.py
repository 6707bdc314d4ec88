"""Logging in, and secrets that are typed."""

import stat

from tests.cli.conftest import Cli
from tests.cli.fake_server import TOKEN, Asked, FakeServer, refusal
from tests.cli.terminal import on_a_terminal
from tests.cli.things import SECRET

from cabestan.cli import client_config
from cabestan.cli.client_config import ClientConfig


def test_a_token_from_stdin_is_tried_and_kept(cli: Cli, server: FakeServer) -> None:
    client_config.path().unlink()
    server.on("GET", "/user", {"name": "ada", "admin": False, "roles": {}})
    done = cli("login", f"{server.url}/", stdin=b"new-token\n")
    assert (done.code, done.err) == (0, f"Logged in to {server.url} as ada; kept in {client_config.path()}.\n")
    assert server.asked == [Asked("GET", "/user")]
    assert server.headers[0]["authorization"] == "Bearer new-token"
    assert client_config.read() == ClientConfig(server.url, "new-token")
    assert stat.S_IMODE(client_config.path().stat().st_mode) == 0o600


def test_a_token_that_is_no_good_or_another_user_s_is_not_kept(cli: Cli, server: FakeServer) -> None:
    server.on("GET", "/user", refusal(401, "not_signed_in", "This token is not known."))
    assert cli("login", server.url, stdin=b"bad\n").code == 3
    server.on("GET", "/user", {"name": "bob"})
    done = cli("login", server.url, "--user", "ada", stdin=b"bob-token\n")
    assert (done.code, done.err.splitlines()[0]) == (3, "error: This token belongs to bob, not to ada.")
    assert cli("login", server.url, stdin=b"\n").code == 2
    assert client_config.read().token == TOKEN


def test_what_is_typed_is_not_shown(server: FakeServer) -> None:
    server.on("GET", "/user", {"name": "ada"})
    server.on("PUT", "/projects/demo/hello/secrets/KEY", SECRET)
    logged_in = on_a_terminal(["login", server.url], typed=[("Token for", "typed-canary\n")])
    secret = on_a_terminal(["secret", "set", "KEY", "-p", "demo/hello"], typed=[("Value of KEY", "typed-canary\n")])
    assert (logged_in.code, secret.code) == (0, 0)
    assert "canary" not in logged_in.written + secret.written
    assert client_config.read().token == "typed-canary"
    assert [asked.body for asked in server.asked if asked.method == "PUT"] == [{"value": "typed-canary"}]
