"""The registry's client, against a small HTTP server that answers as it is told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt
import pytest

from cabestan.adapters.registry import Registry, parse_configuration
from cabestan.adapters.registry_login import RegistryLogin
from cabestan.domain.image import ImageConfiguration
from cabestan.errors import RegistryUnavailable, StepFailed


@dataclass
class Answers:
    address: str
    status: int = 200
    digest: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)
    #: the rights that the tokens gave, as they name them
    rights: list[dict[str, object]] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)


def registry(address: str) -> Registry:
    return Registry(RegistryLogin(address, "s3cret"))


@pytest.fixture
def answers() -> Iterator[Answers]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            _, token = self.headers["Authorization"].split()
            told.rights += jwt.decode(token, options={"verify_signature": False})["access"]
            told.asked.append((f"{self.command} {self.path}", self.headers["Accept"].split(", ")[0]))
            tag = self.path.rpartition("/")[2]
            status, digest = told.status, told.tags.get(tag, told.digest)
            if told.tags and self.command == "PUT":
                told.tags[tag] = self.rfile.read(int(self.headers["Content-Length"])).decode()
                status = 201
            elif told.tags and not digest:
                status = 404
            self.send_response(status)
            if digest:
                self.send_header("Docker-Content-Digest", digest)
            body = b"" if self.command == "HEAD" else f"the manifest of {tag}".encode()
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_HEAD = do_PUT = do_GET

        def log_message(self, format: str, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told = Answers(f"127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield told
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_digest_of_a_tag_is_asked_for_by_its_manifest(answers: Answers) -> None:
    answers.digest = "sha256:ab"
    assert registry(answers.address).digest("shop/api/web", "0.2") == "sha256:ab"
    accepted = "application/vnd.docker.distribution.manifest.v2+json"
    assert answers.asked == [("HEAD /v2/shop/api/web/manifests/0.2", accepted)]
    assert answers.rights == [{"type": "repository", "name": "shop/api/web", "actions": ["pull"]}]


def test_a_tag_is_written_once(answers: Answers) -> None:
    digest = f"sha256:{'ab' * 32}"
    answers.tags = {digest: digest}
    assert registry(answers.address).tag("shop/api", digest, "0.2") == digest
    assert answers.tags["0.2"] == f"the manifest of {digest}"
    assert answers.rights[-1] == {"type": "repository", "name": "shop/api", "actions": ["pull", "push"]}
    answers.tags["0.2"] = "sha256:first"
    answers.asked.clear()
    assert registry(answers.address).tag("shop/api", digest, "0.2") == "sha256:first"
    assert [asked for asked, _ in answers.asked] == ["HEAD /v2/shop/api/manifests/0.2"]


@pytest.mark.parametrize(
    ("status", "words"), [(404, "has no image .*/shop/api:1"), (500, "answered 500"), (200, "answered 200")]
)
def test_an_answer_without_a_digest_fails(answers: Answers, status: int, words: str) -> None:
    answers.status = status
    with pytest.raises(StepFailed, match=words):
        registry(answers.address).digest("shop/api", "1")


def test_what_answers_otherwise_or_not_at_all_is_unavailable(answers: Answers) -> None:
    registry(answers.address).check()
    answers.status = 404
    with pytest.raises(RegistryUnavailable, match="is no registry"):
        registry(answers.address).check()
    answers.status = 401
    with pytest.raises(RegistryUnavailable, match=r"does not know our key\. `cabestan up`"):
        registry(answers.address).check()
    with pytest.raises(RegistryUnavailable, match="does not know our key"):
        registry(answers.address).digest("shop/api", "1")
    with pytest.raises(RegistryUnavailable, match="does not answer"):
        registry("127.0.0.1:1").digest("shop/api", "1")


@pytest.mark.parametrize(
    ("config", "found"),
    [
        (None, ImageConfiguration("")),
        ({"User": None, "Volumes": None, "ExposedPorts": None}, ImageConfiguration("")),
        (
            {"User": "1001", "Volumes": {"/b": {}, "/a": {}}, "ExposedPorts": {"9000/tcp": {}, "53/udp": {}, "80": {}}},
            ImageConfiguration("1001", ("/a", "/b"), (80, 9000)),
        ),
    ],
)
def test_an_image_tells_its_user_its_volumes_and_its_ports(
    config: dict[str, object] | None, found: ImageConfiguration
) -> None:
    assert parse_configuration({"config": config}) == found
