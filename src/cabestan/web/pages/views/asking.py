"""The address at which a plan is shown, and a person asked whether it shall be deployed."""

from urllib.parse import urlencode


def asking_href(project: str, environment: str, release: int, *, back: bool = False) -> str:
    """Of deploying the release, or of putting it back."""
    query = urlencode({"environment": environment, "release": release})
    return f"/{project}/{'rollback' if back else 'deploy'}?{query}"
