"""HTTPS through the running router: certificates, the redirect, and what answers where nothing is deployed."""

import pytest
from tests.integration.harness import Platform
from tests.integration.samples import SMALL

pytestmark = pytest.mark.integration


def test_a_route_is_served_over_https_and_http_leads_there(platform: Platform) -> None:
    work = platform.make_project(SMALL)
    assert work.deployed()["status"] == "succeeded"
    host = work.host("staging")
    assert platform.ask(host, "/").status_code == 200
    redirected = platform.ask_plainly(host, "/a?b=c")
    assert (redirected.status_code, redirected.headers["location"]) == (
        302,
        f"https://{host}:{platform.tls_port}/a?b=c",
    )
    page = platform.ask_plainly("nobody.localhost", "/x<y>")
    assert page.status_code == 404
    assert "nobody.localhost" in page.text
    assert "/x&lt;y&gt;" in page.text
