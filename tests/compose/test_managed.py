from cabestan.compose.findings import ComposeRefused
from cabestan.compose.load import load
from cabestan.compose.managed import managed_kinds, refuse_without_image, without_managed
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
    assert managed_kinds(FILE, "c.yml") == (Kind.MYSQL, Kind.MONGODB)
    assert managed_kinds("services:\n  db:\n    image: mysql\n", "c.yml") == ()
    assert managed_kinds("services: []\n", "c.yml") == ()
    assert managed_kinds("", "c.yml") == ()


def test_they_are_taken_out_with_what_only_they_had() -> None:
    compose = load(FILE, "c.yml", {}).compose
    left = without_managed(compose, (Kind.MYSQL, Kind.MONGODB))
    assert [service.name for service in left.services] == ["app", "worker"]
    assert [needed.service for needed in left.services[0].depends_on] == ["worker"]
    assert [volume.key for volume in left.volumes] == [v.key for v in compose.volumes if v.key != "mydata"]
    assert without_managed(compose, ()) == compose


def test_a_kind_without_an_image_is_refused_with_its_line() -> None:
    compose = load(FILE, "c.yml", {}).compose
    try:
        refuse_without_image(compose, Kind.MONGODB, "mongodb_image")
    except ComposeRefused as refused:
        (finding,) = refused.findings
        assert (finding.code, finding.line, finding.path) == ("no-mongodb-image", 11, "services.mongodb")
        assert finding.message == "MongoDB is not in Debian, and this installation has no image for it."
        assert "mongodb_image" in finding.remedy
    else:
        raise AssertionError("it was not refused")
    refuse_without_image(compose, Kind.REDIS, "")
