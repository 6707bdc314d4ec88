"""The registry's realm: who signs in with `docker login` gets tokens for what they may pull."""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from cabestan.domain.access import User
from cabestan.domain.registry_access import asked, granted
from cabestan.engine.registry_login import registry_login
from cabestan.web.access import Wired, git_token, identify

router = APIRouter(include_in_schema=False)
_SECONDS = 300


@router.get("/registry/token")
def token(request: Request, services: Wired) -> JSONResponse:
    """By basic authentication, any user name and a personal token as the password, as for Git.

    The answer's shape: https://distribution.github.io/distribution/spec/auth/token/.
    """
    identity = identify(services, git_token(request))
    if not isinstance(identity, User):
        words = "Sign in with any user name, and a personal token as the password."
        refusal = {"errors": [{"code": "UNAUTHORIZED", "message": words}]}
        return JSONResponse(refusal, 401, {"WWW-Authenticate": 'Basic realm="Cabestan"'})
    rights = granted(identity, asked(request.query_params.getlist("scope")))
    login = registry_login(services.settings, services.vault)
    made = login.token(rights, to=identity.name, seconds=_SECONDS)
    return JSONResponse({"token": made, "access_token": made, "expires_in": _SECONDS})
