"""HTTPS through the running router: certificates, the redirect, where nothing is deployed, and dead replicas."""

import ssl
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx
import pytest
from tests.integration.harness import Platform, eventually
from tests.integration.samples import COMPOSE, SMALL, unbuilt

from cabestan.adapters.certificates import issue, make_authority
from cabestan.adapters.probing import served_certificate

pytestmark = pytest.mark.integration

THREE = COMPOSE.replace("    expose: [8000]\n", "    expose: [8000]\n    deploy:\n      replicas: 3\n")


def test_a_route_is_served_over_https_and_plain_http_leads_there(platform: Platform) -> None:
    work = platform.make_project(unbuilt())
    says = f"one staging {work.deployed()['commit']}"
    host = work.host("staging")
    assert platform.ask(host).text == says
    for method, status in (("GET", 302), ("POST", 307)):
        sent = platform.ask_plainly(host, "/a?b=c", method=method)
        assert (sent.status_code, sent.headers["location"]) == (status, f"https://{host}:{platform.tls_port}/a?b=c")
    shown = platform.get(f"/projects/{work.name}/environments/staging")
    assert shown["url"] == f"https://{host}:{platform.tls_port}"

    at = f"/projects/{work.name}"
    platform.put(f"{at}/environments/staging", {"plain_http": True})
    work.goes_live()
    eventually(lambda: platform.ask_plainly(host).text.startswith("one staging"), 30, "it answers over HTTP")
    assert platform.ask(host).text.startswith("one staging")

    brought = issue(make_authority("Elsewhere", ("localhost",), datetime.now(UTC)), (host,), datetime.now(UTC))
    body = {"chain": brought.certificate.chain, "key": brought.key}
    added = platform.post(f"{at}/certificates", body)
    assert brought.key.splitlines()[1] not in str(added)
    wanted = ssl.PEM_cert_to_DER_cert(brought.certificate.chain)
    eventually(lambda: _shown(platform, host) == wanted, 60, "the certificate that was brought")
    platform.http.delete(f"/api/v1{at}/certificates/{added['id']}").raise_for_status()
    eventually(lambda: _shown(platform, host) != wanted, 60, "the own certificate again")
    assert platform.ask(host).status_code == 200

    page = platform.ask_plainly("nobody.localhost", "/x<y>")
    assert (page.status_code, page.headers["cabestan-route"]) == (404, "none")
    assert "nobody.localhost" in page.text
    assert "/x&lt;y&gt;" in page.text
    assert "<y>" not in page.text
    assert work.name not in page.text
    platform.kill()
    assert platform.ask_plainly("nobody.localhost", "/x<y>").text == page.text
    assert platform.ask(work.host("production"), "/where").status_code == 404
    assert platform.ask(host).status_code == 200
    platform.start()


def test_a_name_that_is_given_up_takes_its_certificate_with_it(platform: Platform) -> None:
    host = f"{uuid.uuid4().hex[:8]}.localhost"
    taking = unbuilt(SMALL | {"docker-compose.yml": COMPOSE.replace("${CI_ENVIRONMENT_DOMAIN}", host)})
    first = platform.make_project(taking)
    first.goes_live()
    brought = issue(make_authority("Elsewhere", ("localhost",), datetime.now(UTC)), (host,), datetime.now(UTC))
    platform.post(f"/projects/{first.name}/certificates", {"chain": brought.certificate.chain, "key": brought.key})
    theirs = ssl.PEM_cert_to_DER_cert(brought.certificate.chain)
    eventually(lambda: _shown(platform, host) == theirs, 60, "the certificate that was brought")
    first.files |= unbuilt()
    first.goes_live()
    assert _shown(platform, host) == theirs
    platform.http.delete(f"/api/v1/projects/{first.name}/hosts/{host}").raise_for_status()
    eventually(lambda: _shown(platform, host) != theirs, 60, "another certificate")
    left = platform.get(f"/projects/{first.name}/certificates")["items"]
    assert {certificate["kind"] for certificate in left} == {"own"}
    second = platform.make_project(taking)
    second.goes_live()
    assert platform.ask(host).text.startswith("one staging")


def test_a_killed_replica_costs_no_request_that_it_was_not_answering(platform: Platform) -> None:
    work = platform.make_project(unbuilt(SMALL | {"docker-compose.yml": THREE}))
    work.goes_live()
    label = {"label": [f"cabestan.instance={platform.instance}", f"cabestan.project={work.name}"]}
    with _asked_steadily(platform, work.host("staging")) as asked:
        for _ in range(2):
            before = {container.id for container in platform.client.containers.list(filters=label, ignore_removed=True)}
            assert len(before) == 3
            victim = platform.client.containers.get(min(before))
            victim.kill()
            eventually(lambda b=before: _others(platform, label, b), 60, "another replica runs")
            seen = len(asked.answers)
            eventually(lambda s=seen: len(asked.answers) > s + 50, 60, "requests go on")
            victim.reload()
            asked.deaths.append(datetime.fromisoformat(victim.attrs["State"]["FinishedAt"][:26] + "+00:00"))
    assert len(asked.answers) > 100
    assert asked.beyond == []


def _others(platform: Platform, label: dict[str, list[str]], before: set[str]) -> bool:
    now = {container.id for container in platform.client.containers.list(filters=label, ignore_removed=True)}
    return len(now) == 3 and now != before


def _shown(platform: Platform, host: str) -> bytes:
    return served_certificate(platform.host, platform.tls_port, host)


@dataclass
class _Asked:
    """`answers`: when each request was begun (seconds since 1970), and what was wrong with its answer."""

    answers: list[tuple[float, str]] = field(default_factory=list)
    deaths: list[datetime] = field(default_factory=list)

    @property
    def beyond(self) -> list[str]:
        """What went wrong with requests that were begun when no replica was about to die."""
        moments = [death.timestamp() for death in self.deaths]
        return [wrong for began, wrong in self.answers if wrong and not any(0 <= m - began < 30 for m in moments)]


@contextmanager
def _asked_steadily(platform: Platform, host: str) -> Iterator[_Asked]:
    """Several at a time, each as soon as the one before is answered; half of them must not be repeated."""
    asked, stopping, trust = _Asked(), threading.Event(), platform.trust()

    def ask(method: str) -> None:
        with httpx.Client(verify=trust, timeout=30, trust_env=False) as client:
            while not stopping.is_set():
                began = time.time()
                try:
                    answer = client.request(
                        method,
                        f"https://{platform.host}:{platform.tls_port}/",
                        headers={"Host": host},
                        extensions={"sni_hostname": host},
                    )
                    wrong = f"status {answer.status_code}" if answer.status_code in (502, 503, 504) else ""
                except httpx.HTTPError as error:
                    wrong = repr(error)
                asked.answers.append((began, wrong))
                time.sleep(0.02)

    threads = [threading.Thread(target=ask, args=(method,)) for method in ("GET", "POST") * 3]
    for thread in threads:
        thread.start()
    try:
        yield asked
    finally:
        stopping.set()
        for thread in threads:
            thread.join()
