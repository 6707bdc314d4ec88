"""A project's settings: the first of their sections, which tells what the others are for."""

from fastapi import APIRouter, Response

from cabestan.store import certificates as certificate_store
from cabestan.store import environments as environment_store
from cabestan.store import hosts as host_store
from cabestan.store import users as user_store
from cabestan.store import variables as variable_store
from cabestan.store import waivers as waiver_store
from cabestan.web.pages.answers import Reading
from cabestan.web.pages.frame import GENERAL
from cabestan.web.pages.members import members_of

router = APIRouter()


@router.get("/{group}/{name}/settings")
def settings(at: Reading) -> Response:
    with at.services.database.reading() as tx:
        applying = variable_store.applying(tx, at.project)
        return at.html(
            "settings.html",
            GENERAL,
            branch=at.project.default_branch,
            protected=at.project.protected_patterns,
            environments=environment_store.of_project(tx, at.project.id),
            variables=sum(not one.secret for one in applying),
            secrets=sum(one.secret for one in applying),
            members=len(members_of(user_store.all_users(tx), at.project.name)),
            certificates=len(certificate_store.uploaded_in(tx, at.project.id)),
            hosts=len([claim for claim in host_store.claims(tx) if claim.project == at.project.name]),
            waivers=len(waiver_store.holding(tx, at.project.id)),
        )
