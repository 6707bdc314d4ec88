from __future__ import annotations

from tests.engine.world import World
from tests.web.client import asking, sign_in

from cabestan.adapters.certificates import issue, make_authority
from cabestan.domain.access import Role


def test_the_page_takes_a_certificate_of_its_real_length_and_only_with_the_forms_token(world: World) -> None:
    world.project()
    world.user("boss", shop=Role.MAINTAINER)
    host = "staging-api-shop.localhost"
    given = issue(make_authority("An authority", ("localhost",), world.clock()), (host,), world.clock())
    form = {"chain": given.certificate.chain, "key": given.key}
    page = "/shop/api/settings/certificates"
    with asking(world) as client:
        csrf = sign_in(client, world, "boss")
        assert client.post(page, data=form).status_code == 403
        assert client.post(page, data={**form, "csrf_token": csrf}).status_code == 303
        assert host in client.get(page).text
