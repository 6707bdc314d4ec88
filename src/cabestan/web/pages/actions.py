"""Restart, stop, start, scale: what the buttons on an environment's page do."""

from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Form, Response

from cabestan.compose.stack import Stack
from cabestan.domain.action import NOTHING_KEPT, ActionKind, Numbers, kept_words
from cabestan.domain.environment import Environment
from cabestan.engine.deploying import acting as engine
from cabestan.engine.deploying import actions
from cabestan.errors import Invalid
from cabestan.store import environments as environment_store
from cabestan.web.pages.addresses import href
from cabestan.web.pages.answers import Deploying, Text, see

router = APIRouter()


@router.post("/{group}/{name}/act")
def act(
    at: Deploying,
    environment: Text,
    kind: Annotated[ActionKind, Form()],
    service: Text = "",
    replicas: Text = "",
) -> Response:
    """To one service, or to all where none is named. No number of replicas is the Compose file's own."""
    with at.services.database.reading() as tx:
        found = environment_store.get(tx, at.project.id, environment)
    if kind is ActionKind.DEPLOY:
        raise Invalid("Nothing is deployed by this button.", "Choose a release on the environment's page.")
    scales = kind is ActionKind.SCALE
    names = (service,) if service and not scales else ()
    numbers: Numbers = ((service, _number(replicas)),) if scales else ()
    return see(href(engine.act(at.services, found, kind, at.user, names=names, numbers=numbers)))


def _number(text: str) -> int | None:
    given = text.strip()
    if given and not (given.isascii() and given.isdigit() and len(given) < 10):
        raise Invalid(f"“{given[:80]}” is no number of replicas.", "Write a number such as 3, or nothing.")
    return int(given) if given else None


def kept_lines(tx: sa.Connection, environment: Environment) -> tuple[str, ...]:
    """What people have stopped and scaled, and the next deployment keeps."""
    if environment.kept == NOTHING_KEPT or environment.current_deployment_id is None:
        return ()
    numbers = Stack.from_yaml(actions.serving(tx, environment).stack).numbers
    return tuple(text for _, text in kept_words(environment.kept, environment.name, numbers))
