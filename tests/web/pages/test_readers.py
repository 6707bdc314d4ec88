from __future__ import annotations

from typing import Any

from tests.web.pages.samples import NOW, deployment, environment, rendered

from cabestan.domain.status import DeploymentStatus
from cabestan.domain.variable import Variable, Variables
from cabestan.engine.variables.levels import Outdated
from cabestan.web.pages.readers import Effective, Reader, effective_rows, used, where

BASE, GROUP = "/demo/hello/settings/variables", "/groups/demo/variables"
MAINTAINER = Reader(BASE, True, project="demo/hello", files=frozenset({"KEY"}), group_href=GROUP)
REPORTER = Reader(BASE, False, project="demo/hello")


def setting(id: int, name: str, environment: str = "", **more: Any) -> Variable:
    given = {"version": 3, "secret": False, "value": "not for eyes", "by": "anna", "created_at": NOW}
    return Variable(**{"id": id, "project_id": 1, "environment": environment, "name": name} | given | more)


def of_group(id: int, name: str, **more: Any) -> Variable:
    return setting(id, name, **{"project_id": None, "group": "demo"} | more)


def test_a_secrets_value_never_reaches_the_page() -> None:
    secret = setting(1, "KEY", "production", secret=True)
    assert [s.value for s in MAINTAINER.shown([secret])] == [""]
    assert (where(secret), MAINTAINER.where_href(secret)) == ("production", "/demo/hello/environments/production")
    assert MAINTAINER.history_href(secret) == f"{BASE}/history?variable=KEY&environment=production"
    assert (MAINTAINER.badges(secret), MAINTAINER.may_unset(secret)) == (("file",), True)


def test_a_masked_value_goes_no_further_than_to_those_who_may_change_it() -> None:
    masked = setting(1, "LEVEL", masked=True)
    assert [one.value for reader in (MAINTAINER, REPORTER) for one in reader.shown([masked])] == ["not for eyes", ""]


def test_what_belongs_to_the_group_is_changed_on_its_own_page() -> None:
    group, own = of_group(1, "SV_STAGING_KEY", secret=True, protected=True), setting(2, "LEVEL", masked=True)
    assert (where(group), MAINTAINER.where_href(group), MAINTAINER.may_unset(group)) == ("group demo", GROUP, False)
    assert MAINTAINER.history_href(group) == f"{GROUP}/history?variable=SV_STAGING_KEY"
    assert (MAINTAINER.badges(group), MAINTAINER.badges(own)) == (("protected", "file"), ("masked",))
    assert (REPORTER.where_href(group), REPORTER.history_href(group), REPORTER.may_unset(own)) == ("", "", False)
    on_its_page = Reader(GROUP, True, group="demo", group_href=GROUP)
    assert on_its_page.may_unset(group)


def test_each_environment_has_a_cell_with_where_it_comes_from() -> None:
    staging = Variables((of_group(1, "KEY", secret=True, kept_as="SV_STAGING_KEY"), setting(2, "LEVEL")))
    production = Variables((setting(3, "LEVEL", "production", value="x" * 200, masked=False),))
    assert effective_rows([staging, production], masked_shown=True) == {
        "KEY": (Effective("secret", True, "group demo, as SV_STAGING_KEY, version 3"), None),
        "LEVEL": (
            Effective("not for eyes", False, "whole project, version 3"),
            Effective("x" * 119 + "…", False, "production, version 3"),
        ),
    }
    masked = Variables((setting(1, "LEVEL", masked=True),))
    assert effective_rows([masked], masked_shown=False) == {
        "LEVEL": (Effective("masked", True, "whole project, version 3"),)
    }
    assert used(staging.settings) == {
        "KEY": "group demo, as SV_STAGING_KEY, version 3",
        "LEVEL": "whole project, version 3",
    }


def test_a_note_counts_and_names_what_changed() -> None:
    served = deployment(12, DeploymentStatus.SUCCEEDED, release=7)
    page = rendered(
        "variables.html",
        reader=REPORTER,
        settings=(),
        scopes=(),
        effective={},
        protected_branches=(),
        outdated=[Outdated(environment(name="staging"), served, ("KEY", "LEVEL"))],
    )
    assert "2 variables and secrets changed since deployment 12 on staging: KEY, LEVEL." in page
    assert 'href="/demo/hello/deploy?environment=staging&amp;release=7">Deploy release 7 again' in page
