"""Certificates at the command line: keys come from files, the root goes to standard output as it is."""

from pathlib import Path

from starlette.responses import JSONResponse, Response
from tests.cli.conftest import Cli
from tests.cli.fake_server import Asked, FakeServer
from tests.cli.things import CERTIFICATE

AUTHORITY = {"certificate": "-----BEGIN CERTIFICATE-----\nx\n", "fingerprint": "ab", "not_after": "2040-01-01"}


def test_the_root_is_printed_as_pem_or_with_what_is_known_of_it(cli: Cli, server: FakeServer) -> None:
    server.on("GET", "/ca", JSONResponse(AUTHORITY))
    assert cli("ca").out == AUTHORITY["certificate"]
    assert cli("ca", "--json").json == AUTHORITY


def test_a_certificate_is_added_from_files(cli: Cli, server: FakeServer, tmp_path: Path) -> None:
    (tmp_path / "chain.pem").write_text("chain")
    (tmp_path / "key.pem").write_text("canary")
    server.on("POST", "/projects/demo/hello/certificates", JSONResponse(CERTIFICATE, 201))
    server.on("POST", "/certificates", JSONResponse(CERTIFICATE, 201))
    files = (str(tmp_path / "chain.pem"), str(tmp_path / "key.pem"))
    done = cli("certificate", "add", *files, "-p", "demo/hello")
    assert "a.example, b.example" in done.out
    assert cli("certificate", "add", *files, "--installation", "--json").json == CERTIFICATE
    body = {"chain": "chain", "key": "canary"}
    assert server.asked == [
        Asked("POST", "/projects/demo/hello/certificates", body),
        Asked("POST", "/certificates", body),
    ]
    missing = cli("certificate", "add", str(tmp_path / "none.pem"), files[1], "-p", "demo/hello")
    assert (missing.code, "No such file or directory" in missing.err) == (2, True)


def test_a_certificate_is_removed(cli: Cli, server: FakeServer) -> None:
    server.on("DELETE", "/projects/demo/hello/certificates/5", Response(status_code=204))
    assert cli("certificate", "remove", "5", "-p", "demo/hello").err == "Removed certificate 5.\n"
