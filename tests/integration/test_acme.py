"""Public names over ACME, from a real ACME server: by HTTP, by DNS, kept, and brought back."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.integration.acme_server import AcmeServer, bridge_address
from tests.integration.conftest import ShareLayers
from tests.integration.harness import Platform, Work, eventually, said_inside
from tests.integration.samples import unbuilt

from cabestan.adapters.certificates import read_der
from cabestan.adapters.probing import served_certificate
from cabestan.bootstrap import bootstrap
from cabestan.config import read_settings
from cabestan.engine.names.certificate_watch import keep_accounts
from cabestan.errors import StepFailed

pytestmark = pytest.mark.integration
_DOMAIN = "apps.cabestan-test.org"


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    platform = Platform(tmp_path, {"target_domain": _DOMAIN, "acme_email": "operations@cabestan-test.org"})
    try:
        yield platform
    finally:
        platform.remove()


def _shown(platform: Platform, host: str) -> tuple[str, tuple[str, ...], str]:
    """Signer, names and fingerprint of what the router shows for a name; nothing while it shows none."""
    try:
        found = read_der(served_certificate(platform.host, platform.tls_port, host))
    except StepFailed:
        return "", (), ""
    return found.issuer.partition(" CA ")[0], found.hosts, found.fingerprint


def _deploy(work: Work, domain: str) -> None:
    work.platform.put(f"/projects/{work.name}/environments/staging", {"domain": domain})
    work.goes_live()


def test_public_names_get_certificates_that_outlive_the_router(
    platform: Platform, share_layers: ShareLayers, tmp_path: Path
) -> None:
    acme = AcmeServer(tmp_path / "acme", bridge_address(), platform.router_port)
    platform.settings |= {"acme_server": acme.directory, "acme_ca_bundle": str(acme.bundle)}
    by_http, by_dns = "www.cabestan-test.org", "hidden.cabestan-test.org"
    with acme.running():
        platform.prepare()
        share_layers(platform, "python:3.11")
        platform.start()
        work = platform.make_project(unbuilt())
        _deploy(work, by_http)
        eventually(lambda: _shown(platform, by_http)[0] == "Pebble Intermediate", 60, "a certificate over HTTP", 0.5)
        platform.root = acme.root()
        assert platform.ask(by_http).status_code == 200
        assert _shown(platform, by_http)[1] == (by_http,)
        challenge = platform.ask_plainly(by_http, "/.well-known/acme-challenge/none")
        assert challenge.headers.get("location") is None

        acme.lead_nowhere(by_dns)
        with acme.dns_provider() as provider:
            variables = tmp_path / "dns.env"
            variables.write_text(f"# of the test\nHTTPREQ_ENDPOINT={provider}\n")
            variables.chmod(0o600)
            dns = {"acme_dns_provider": "httpreq", "acme_dns_file": str(variables), "acme_dns_seconds": "1"}
            platform.stop()
            platform.settings |= dns
            platform.prepare()
            platform.start()
            other = platform.make_project(unbuilt())
            _deploy(other, by_dns)
            eventually(lambda: _shown(platform, by_dns)[0] == "Pebble Intermediate", 60, "a certificate by DNS", 0.5)
            unknown = f"anything.{_DOMAIN}"
            eventually(lambda: f"*.{_DOMAIN}" in _shown(platform, unknown)[1], 60, "one for all names", 0.5)
        assert platform.ask(unknown).status_code == 404
        assert platform.ask(by_dns).status_code == 200
        assert platform.ask(by_http).status_code == 200

    router = platform.client.containers.get(f"{platform.instance}-router")
    assert said_inside(router, "stat", "-c", "%a %u", "/acme/acme.json") == "600 0"
    _keep_account(platform)
    kept = platform.data / "acme.sealed"
    assert (kept.stat().st_mode & 0o777, b"PRIVATE" in kept.read_bytes(), by_http.encode() in kept.read_bytes()) == (
        0o600,
        False,
        False,
    )
    before = _shown(platform, by_http)
    router.remove(force=True)
    platform.client.volumes.get(f"{platform.instance}-acme").remove()
    platform.prepare()
    platform.restart()
    eventually(lambda: _shown(platform, by_http) == before, 60, "the certificates of before", 0.5)


def _keep_account(platform: Platform) -> None:
    """What housekeeping does once an hour."""
    given = {
        name.removeprefix("CABESTAN_").lower(): v for name, v in platform.environment.items() if "CABESTAN_" in name
    }
    given.pop("config")
    cabestan = bootstrap(read_settings(**given))
    with closing(cabestan.services.database):
        keep_accounts(cabestan.services)
    cabestan.services.home.engine.client.close()
