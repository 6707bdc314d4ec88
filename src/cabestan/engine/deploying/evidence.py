"""Gathers what stands above the button that deploys: how the release fared, and which commits it brings."""

from cabestan.domain.evidence import BroughtCommit, Commits, Evidence, fared
from cabestan.engine.deploying.composing import Wanted
from cabestan.engine.services import Services
from cabestan.errors import CabestanError
from cabestan.store import deployments as store
from cabestan.store import environments as environment_store

#: so many commits are listed
_LISTED = 20


def gather(services: Services, wanted: Wanted) -> Evidence:
    """Git is asked outside of any transaction."""
    release, environment = wanted.release, wanted.environment
    with services.database.reading() as tx:
        places = environment_store.of_project(tx, environment.project_id)
        elsewhere = fared(release, environment, places, store.of_release(tx, release.id))
        key = environment.current_deployment_id
        serving = store.get(tx, key).commit if key is not None else ""
    if not serving:
        return Evidence(elsewhere, first=True)
    try:
        brings = _between(services, environment.project_id, serving, release.commit)
        return Evidence(elsewhere, brings, _between(services, environment.project_id, release.commit, serving))
    except CabestanError as error:
        return Evidence(elsewhere, trouble=f"The commits between what serves and this release are not known: {error}")


def _between(services: Services, project_id: int, old: str, new: str) -> Commits:
    listed, total = services.repositories.between(project_id, old, new, _LISTED)
    return Commits(tuple(BroughtCommit(one.commit, one.title, one.author, one.committed_at) for one in listed), total)
