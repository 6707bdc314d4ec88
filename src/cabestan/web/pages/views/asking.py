"""The address at which a plan is shown, and a person asked whether it shall be deployed."""

from urllib.parse import urlencode


def asking_href(project: str, environment: str, release: int, back_to: int | None = None) -> str:
    """Of deploying the release, or of putting it back as it was in the deployment `back_to`."""
    if back_to is None:
        return f"/{project}/deploy?{urlencode({'environment': environment, 'release': release})}"
    query = urlencode({"environment": environment, "release": release, "deployment": back_to})
    return f"/{project}/rollback?{query}"
