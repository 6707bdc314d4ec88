"""Many projects in one list: found, ordered, in groups that fold."""

from __future__ import annotations

from tests.web.pages.samples import NOW, before, deployment, environment, pipeline, project

from cabestan.domain.observed import Condition, Seen
from cabestan.domain.status import DeploymentStatus, RunStatus
from cabestan.web.pages.listing import Group, Row, Wish, groups, rows

NAMES = ("shop/api", "shop/web", "ops/backup")
PROJECTS = [project(key, name) for key, name in enumerate(NAMES, 1)]


def _environment(key: int, **changes: object):  # type: ignore[no-untyped-def]
    return environment(key, project_id=key, project=NAMES[key - 1], current_deployment_id=key, **changes)


ENVIRONMENTS = [_environment(key) for key in (1, 2, 3)]
DEPLOYMENTS = [deployment(key, environment_id=key, finished_at=before(hours=key)) for key in (1, 2, 3)]
SHOP_DOWN = {2: Seen(Condition.DOWN, before(hours=9))}


def _names(found: tuple[Group, ...]) -> list[tuple[str, list[str]]]:
    return [(group.name, [row.project.short_name for row in group.rows]) for group in found]


def _rows(seen: dict[int, Seen] | None = None, **more: object) -> tuple[Row, ...]:
    return rows(PROJECTS, ENVIRONMENTS, DEPLOYMENTS, seen, **more)  # type: ignore[arg-type]


def test_projects_stand_in_their_groups_by_name() -> None:
    assert _names(groups(_rows())) == [("ops", ["backup"]), ("shop", ["api", "web"])]


def test_a_group_in_which_all_is_well_is_folded_where_there_are_many() -> None:
    assert [group.open for group in groups(_rows())] == [False, False]
    assert [group.open for group in groups(_rows(), few=True)] == [True, True]


def test_a_group_with_what_is_down_opens_itself_and_counts_its_states_the_worst_first() -> None:
    ops, shop = groups(_rows(SHOP_DOWN))
    assert (ops.open, shop.open, ops.needing, shop.needing) == (False, True, "", "down")
    assert [(state.word, count) for state, count in shop.counts] == [("down", 1), ("serving", 1)]


def test_an_engine_that_is_away_unfolds_nothing() -> None:
    assert not any(group.open for group in groups(_rows({key: Seen(Condition.UNKNOWN, NOW) for key in (1, 2, 3)})))


def test_a_part_of_the_name_finds_projects_in_whichever_case_and_opens_their_groups() -> None:
    (shop,) = groups(_rows(), Wish.of(" SHOP/W ", "", ""))
    assert ([row.project.name for row in shop.rows], shop.open) == (["shop/web"], True)


def test_a_state_finds_projects_of_which_anything_is_so() -> None:
    failed = pipeline(7, RunStatus.FAILED, project_id=3)
    found = _rows(SHOP_DOWN, pipelines=[failed])
    assert _names(groups(found, Wish.of("", "failed", ""))) == [("ops", ["backup"])]
    assert _names(groups(found, Wish.of("", "needs", ""))) == [("ops", ["backup"]), ("shop", ["web"])]
    assert _names(groups(found, Wish.of("", "serving", ""))) == [("ops", ["backup"]), ("shop", ["api"])]
    assert groups(found, Wish.of("web", "failed", "")) == ()


def test_what_the_address_should_not_ask_for_is_not_asked_for() -> None:
    assert Wish.of("", "no such state", "no such order") == Wish()


def test_by_last_change_the_newest_comes_first_in_and_among_groups() -> None:
    pushed = pipeline(9, project_id=3, finished_at=before(minutes=1))
    assert _names(groups(_rows(pipelines=[pushed]), Wish.of("", "", "changed"))) == [
        ("ops", ["backup"]),
        ("shop", ["api", "web"]),
    ]
    assert _names(groups(_rows(), Wish.of("", "", "changed"))) == [("shop", ["api", "web"]), ("ops", ["backup"])]


def test_by_state_the_worst_comes_first_in_and_among_groups() -> None:
    assert _names(groups(_rows(SHOP_DOWN), Wish.of("", "", "state"))) == [("shop", ["web", "api"]), ("ops", ["backup"])]


def test_a_failure_on_the_way_counts_beside_what_serves() -> None:
    late = deployment(8, DeploymentStatus.ROLLED_BACK, environment_id=1)
    (row,) = rows(PROJECTS[:1], ENVIRONMENTS[:1], [DEPLOYMENTS[0], late])
    assert (row.worst.word, row.words) == ("rolled back", {"rolled back", "serving"})


def test_without_environments_a_project_is_empty() -> None:
    (row,) = rows(PROJECTS[:1], [])
    assert (row.worst.word, row.changed) == ("empty", PROJECTS[0].created_at)


def test_columns_stand_in_the_order_in_which_releases_travel_and_families_share_one() -> None:
    there = [
        environment(1, "production", position=2),
        environment(2, "staging", position=1),
        environment(3, "review/a", position=3),
        environment(4, "review/b", position=4),
    ]
    (group,) = groups(rows([project(), project(2, "demo/other")], there))
    assert group.columns == ("staging", "production", "review/…")
    first, other = ([[c.environment.name for c in cells] for _, cells in group.places(row)] for row in group.rows)
    assert first == [["staging"], ["production"], ["review/a", "review/b"]]
    assert other == [[], [], []]
