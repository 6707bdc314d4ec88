"""`cabestan token` and `cabestan user`: what is asked of the server, and what is shown once."""

from tests.cli.conftest import Cli
from tests.cli.fake_server import Asked, FakeServer

TOKEN = {"id": 4, "name": "laptop", "scope": "deploy", "created_at": "2026-01-31T02:30:00.000Z", "expires_at": None}


def test_a_token_is_made_and_printed_alone_on_stdout(cli: Cli, server: FakeServer) -> None:
    server.on("POST", "/user/tokens", TOKEN | {"token": "the-word"})
    result = cli("token", "create", "laptop", "--scope", "deploy", "--days", "30")
    assert server.asked == [Asked("POST", "/user/tokens", {"name": "laptop", "scope": "deploy", "days": 30})]
    assert (result.out, "not shown again" in result.err) == ("the-word\n", True)


def test_tokens_are_listed_and_deleted_by_their_names(cli: Cli, server: FakeServer) -> None:
    server.lists("/users/ada/tokens", TOKEN)
    server.on("DELETE", "/users/ada/tokens/4", {})
    assert "laptop" in cli("token", "list", "--user", "ada").out
    assert cli("token", "delete", "4", "--user", "ada", "--confirm", "laptop").code == 0
    assert server.asked[-1] == Asked("DELETE", "/users/ada/tokens/4?confirm=laptop")
    missing = cli("token", "delete", "9", "--user", "ada", "--confirm", "laptop")
    assert (missing.code, "There is no token 9" in missing.err) == (1, True)


def test_a_user_is_deleted_by_name_and_gets_a_password_from_stdin(cli: Cli, server: FakeServer) -> None:
    server.on("DELETE", "/users/ada", {})
    server.on("PUT", "/users/ada/password", {})
    server.on("PUT", "/user/password", {})
    assert cli("user", "delete", "ada", "--confirm", "ada").code == 0
    assert server.asked[-1] == Asked("DELETE", "/users/ada?confirm=ada")
    assert cli("user", "password", "ada", stdin=b"a few long words\n").code == 0
    assert server.asked[-1] == Asked("PUT", "/users/ada/password", {"password": "a few long words"})
    assert cli("user", "password", stdin=b"old\na few long words\n").code == 0
    assert server.asked[-1].body == {"current": "old", "password": "a few long words"}
