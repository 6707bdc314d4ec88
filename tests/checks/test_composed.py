"""What a place has of the Compose files, whoever asks."""

from __future__ import annotations

import pytest

from cabestan.checks.composed import Composed, Files, composed
from cabestan.checks.subject import Place
from cabestan.compose.findings import ComposeRefused
from cabestan.compose.library import SourceFile, no_further_files
from cabestan.compose.placeholder import secret_placeholder
from cabestan.domain.managed import Kind
from cabestan.domain.tree import Tree

COMPOSE = """\
services:
  app:
    image: app
    environment:
      PASSWORD: ${POSTGRES_PASSWORD}
    depends_on: [postgresql]
  postgresql:
    image: postgres
"""
MOUNTED = "services:\n  app:\n    image: app\n    volumes:\n      - ./data:/data\n"


def made(text: str, place: Place, *files: str, **more: object) -> Composed:
    tree = Tree(frozenset(("c.yml", *files)))
    written = Files((SourceFile("c.yml", text),), no_further_files, lambda: tree)
    return composed(place, "shop/api", written, **more)  # type: ignore[arg-type]


def test_what_the_platform_serves_leaves_the_stack_and_its_variables_are_known() -> None:
    found = made(COMPOSE, Place("staging", {}, secrets=frozenset({"KEY"})))
    assert found.kinds == (Kind.POSTGRESQL,)
    assert [service.name for service in found.whole.services] == ["app", "postgresql"]
    (app,) = found.compose.services
    assert (app.environment["PASSWORD"], app.depends_on) == (secret_placeholder("POSTGRES_PASSWORD"), ())
    assert found.place.secrets == {"KEY", "POSTGRES_PASSWORD"}


def test_a_place_with_containers_of_its_own_keeps_them() -> None:
    found = made(COMPOSE, Place("staging", {"POSTGRES_PASSWORD": "own"}, managed=False))
    assert (found.kinds, found.compose) == ((), found.whole)
    assert found.whole.services[0].environment["PASSWORD"] == "own"


def test_a_kind_without_an_image_is_refused_with_its_line() -> None:
    with pytest.raises(ComposeRefused) as refused:
        made(COMPOSE, Place("staging", {}), lacking={Kind.POSTGRESQL: "postgresql_image"})
    (finding,) = refused.value.findings
    assert (finding.code, finding.file, finding.line) == ("managed-image", "c.yml", 7)
    assert "sets postgresql_image" in finding.remedy


def test_what_a_volume_hides_is_an_error_that_lets_a_check_look_further() -> None:
    found = made(MOUNTED, Place("staging", {}), "data/seed.bin")
    assert [(one.code, one.severity, one.line) for one in found.hidden] == [("mounted-source", "error", 5)]
    assert [service.name for service in found.compose.services] == ["app"]
    with pytest.raises(ComposeRefused) as refused:
        found.refuse_if_wrong()
    assert refused.value.findings == found.hidden
    made(MOUNTED, Place("staging", {})).refuse_if_wrong()  # the commit has nothing there


def test_the_commit_is_looked_at_only_where_a_volume_may_hide_something() -> None:
    def unasked() -> Tree:
        raise AssertionError

    composed(Place("dev", {}), "shop/api", Files((SourceFile("c.yml", COMPOSE),), no_further_files, unasked))
