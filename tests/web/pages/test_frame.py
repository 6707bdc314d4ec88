from tests.web.pages.samples import VISITOR

from cabestan.web.pages.frame import Crumb, plain_frame, project_frame


def test_breadcrumbs_lead_from_the_project_over_the_tab_to_the_page() -> None:
    frame = project_frame(VISITOR, "demo/hello", "Pipelines", Crumb("#5", "/demo/hello/pipelines/5"))
    assert frame.crumbs == (
        Crumb("demo/hello", "/demo/hello"),
        Crumb("Pipelines", "/demo/hello/pipelines"),
        Crumb("#5", "/demo/hello/pipelines/5"),
    )
    assert frame.title == "#5 · Pipelines · demo/hello · Cabestan"
    assert [tab.text for tab in frame.tabs if tab.current] == ["Pipelines"]
    assert frame.topics == ("project:demo/hello",)


def test_a_page_outside_of_projects_has_its_breadcrumb() -> None:
    assert plain_frame(None, "Routes", href="/routes").crumbs == (Crumb("Routes", "/routes"),)
    assert plain_frame(None, "What runs where").crumbs == ()
