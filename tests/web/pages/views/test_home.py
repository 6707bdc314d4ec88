from tests.web.pages.samples import COMMIT, NOW, before, deployment, environment, project

from cabestan.domain.status import DeploymentStatus
from cabestan.web.pages.views.commits import CommitView
from cabestan.web.pages.views.home import Cell, Column, Matrix, Pending, Row, Standing, home_matrix
from cabestan.web.pages.views.moments import when
from cabestan.web.pages.views.states import EMPTY, SERVING, State

TITLES = {1: "Greet by name"}
STAGING = environment(1, "staging", current_deployment_id=1)
PRODUCTION = environment(2, "production")
SERVES = Standing(
    release=1,
    href="/demo/hello/deployments/1",
    commit=CommitView("01234567", COMMIT, "Greet by name"),
    since=when(before(minutes=3), NOW),
    by="anna",
)
URL = "http://staging-hello-demo.localhost"
STAGING_CELL = Cell("staging", "/demo/hello/environments/staging", URL, SERVING, SERVES, ())
PRODUCTION_CELL = Cell("production", "/demo/hello/environments/production", "", EMPTY, None, ())


def _pending(status: DeploymentStatus, **changes: object) -> tuple[Pending, ...]:
    """What is shown beside what serves, when a second deployment stands so."""
    second = deployment(2, status, **changes)
    matrix = home_matrix([project()], [STAGING], [deployment(1), second], TITLES, NOW)
    return matrix.rows[0].cells[0][0].pending


def test_each_environment_shows_what_serves_since_when_and_by_whom() -> None:
    matrix = home_matrix([project()], [STAGING, PRODUCTION], [deployment(1)], TITLES, NOW)
    row = Row("demo/hello", "/demo/hello", ((STAGING_CELL,), (PRODUCTION_CELL,)))
    assert matrix == Matrix((Column("staging"), Column("production")), (row,), 0)


def test_without_projects_the_matrix_is_empty() -> None:
    assert home_matrix([], [], [], {}, NOW) == Matrix((), (), 0)


def test_what_waits_says_for_whom() -> None:
    ours = environment(1, approvers=("anna", "bert"), current_deployment_id=1)
    waiting = deployment(2, DeploymentStatus.WAITING)
    matrix = home_matrix([project()], [ours], [deployment(1), waiting], TITLES, NOW)
    state = State("waiting", "wait", "pause")
    assert matrix.rows[0].cells[0][0].pending == (
        Pending(state, 2, "/demo/hello/deployments/2", "anna", "anna or bert"),
    )
    assert matrix.waiting == 1


def test_a_failure_is_shown_until_something_newer_ends_well() -> None:
    assert [p.state.word for p in _pending(DeploymentStatus.ROLLED_BACK)] == ["rolled back"]
    assert _pending(DeploymentStatus.SUPERSEDED) == ()
    newer = deployment(3)
    matrix = home_matrix(
        [project()],
        [environment(1, current_deployment_id=3)],
        [deployment(2, DeploymentStatus.FAILED), newer],
        TITLES,
        NOW,
    )
    assert matrix.rows[0].cells[0][0].pending == ()


def test_what_runs_hides_an_older_failure() -> None:
    failed, runs = deployment(2, DeploymentStatus.FAILED), deployment(3, DeploymentStatus.RUNNING)
    matrix = home_matrix([project()], [STAGING], [deployment(1), failed, runs], TITLES, NOW)
    assert [p.state.word for p in matrix.rows[0].cells[0][0].pending] == ["running"]


def test_columns_stand_in_the_order_in_which_releases_travel_and_families_share_one() -> None:
    environments = [
        environment(1, "production", position=2),
        environment(2, "staging", position=1),
        environment(3, "review/a", position=3),
        environment(4, "review/b", position=4),
    ]
    matrix = home_matrix([project(), project(2, "shop/api")], environments, [], {}, NOW)
    assert [column.name for column in matrix.columns] == ["staging", "production", "review/…"]
    assert [[cell.environment for cell in cells] for cells in matrix.rows[0].cells] == [
        ["staging"],
        ["production"],
        ["review/a", "review/b"],
    ]
    assert matrix.rows[1].cells == ((), (), ())
