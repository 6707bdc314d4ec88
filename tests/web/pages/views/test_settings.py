from tests.web.pages.samples import environment

from cabestan.domain.access import Role, User
from cabestan.domain.environment import Trigger
from cabestan.web.pages.views.environments import SettingsForm, settings_form, split_list
from cabestan.web.pages.views.settings import MemberRow, members_page


def test_members_are_those_with_a_role_from_wherever_it_comes() -> None:
    users = [
        User(1, "admin", True, {}),
        User(2, "anna", False, {"demo/hello": Role.MAINTAINER}),
        User(3, "bert", False, {"demo": Role.DEVELOPER, "demo/hello": Role.REPORTER}),
        User(4, "carl", False, {"other/app": Role.MAINTAINER}),
    ]
    page = members_page(users, "demo/hello", may_configure=True)
    assert page.members == (
        MemberRow("admin", "administrator", "installation"),
        MemberRow("anna", "maintainer", "project"),
        MemberRow("bert", "developer", "group"),
    )
    assert page.others == ("admin", "bert", "carl")
    assert members_page(users, "demo/hello", may_configure=False).others == ()


def test_the_settings_form_and_what_is_typed_into_it_fit_together() -> None:
    place = environment(branches=("@default", "release/*"), approvers=("anna", "bert"), trigger=Trigger.MANUAL)
    place = place.evolve(compose_files=("compose.yml", "prod.yml"))
    form = settings_form(place, "localhost", "UTC")
    assert form == SettingsForm(
        domain="",
        default_domain="staging-hello-demo.localhost",
        trigger="manual",
        branches="(default branch), release/*",
        approvers="anna, bert",
        watch_seconds=5,
        plain_http=False,
        time_zone="",
        default_time_zone="UTC",
        compose_files="compose.yml, prod.yml",
    )
    assert split_list(form.compose_files) == place.compose_files
    assert split_list(form.branches) == place.branches
    assert split_list(form.approvers) == place.approvers
    assert split_list(" main,main  release/* ,") == ("main", "release/*")
