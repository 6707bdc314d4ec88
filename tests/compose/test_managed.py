import pytest

from cabestan.compose.findings import ComposeRefused
from cabestan.compose.library import SourceFile
from cabestan.compose.load import load
from cabestan.compose.managed import managed_kinds, refuse_aliases, refuse_without_image, without_managed
from cabestan.domain.managed import Kind

FILE = """\
services:
  app:
    image: app
    depends_on: [mysql, worker]
    volumes: [shared:/data]
  worker:
    image: app
  mysql:
    image: mariadb:10.1
    volumes: [mydata:/var/lib/mysql, shared:/backup]
  mongodb:
    image: mongo:3.2
volumes:
  mydata:
  shared:
  spare:
"""


def test_the_kinds_are_the_names_of_services() -> None:
    def kinds(*texts: str) -> tuple[Kind, ...]:
        return managed_kinds([SourceFile("c.yml", text) for text in texts])

    assert kinds(FILE) == (Kind.MYSQL, Kind.MONGODB)
    assert kinds(FILE, "services:\n  mysql: {}\n  redis: {}\n") == (Kind.MYSQL, Kind.MONGODB, Kind.REDIS)
    assert kinds("services:\n  db:\n    image: mysql\n") == ()
    assert kinds("services: []\n") == ()
    assert kinds("") == ()


def test_they_are_taken_out_with_what_only_they_had() -> None:
    compose = load(FILE, "c.yml", {}).compose
    left = without_managed(compose, (Kind.MYSQL, Kind.MONGODB))
    assert [service.name for service in left.services] == ["app", "worker"]
    assert [needed.service for needed in left.services[0].depends_on] == ["worker"]
    assert [volume.key for volume in left.volumes] == [v.key for v in compose.volumes if v.key != "mydata"]
    assert without_managed(compose, ()) == compose


def test_a_further_name_for_one_is_refused() -> None:
    links = "    links:\n      - redis\n      - redis:cache\n"
    compose = load(f"services:\n  app:\n    image: app\n{links}  redis:\n    image: redis\n", "c.yml", {}).compose
    with pytest.raises(ComposeRefused) as refused:
        refuse_aliases(compose, (Kind.REDIS,))
    assert [(f.code, f.line) for f in refused.value.findings] == [("link-alias", 6)]
    refuse_aliases(compose, (Kind.MYSQL,))


def test_a_kind_without_an_image_is_refused_with_its_line() -> None:
    compose = load(FILE, "c.yml", {}).compose
    try:
        refuse_without_image(compose, Kind.MONGODB, "mongodb_image")
    except ComposeRefused as refused:
        (finding,) = refused.findings
        assert (finding.code, finding.line, finding.path) == ("managed-image", 11, "services.mongodb")
        assert finding.message == "MongoDB is not in Debian, and this installation has no image for it."
        assert "mongodb_image" in finding.remedy
    else:
        raise AssertionError("it was not refused")
    refuse_without_image(compose, Kind.REDIS, "")
