"""References of images in the platform's own registry are kept without its address"""

import json
import re
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from alembic import context, op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

#: of services in a rendered stack; of those that end, which stand deeper in what only Cabestan reads
_SERVICE_IMAGE = re.compile(r'^(    image: "?)([^\s"]+)', re.MULTILINE)
_ENDING_IMAGE = re.compile(r'^(      image: "?)([^\s"]+)', re.MULTILINE)
_AT_ONCE = 500
Change = Callable[[Any], Any]


def upgrade() -> None:
    registry = context.config.attributes.get("registry", "")
    if not registry:
        return

    def short(image: str) -> str:
        return image.removeprefix(registry) if image.startswith(f"{registry}/") else image

    _change("releases", "images", _in_json(lambda found: {short(name): short(meant) for name, meant in found.items()}))
    _change("releases", "ports", _in_json(lambda found: {short(name): ports for name, ports in found.items()}))
    _change("managed_services", "image", short)
    _change("database_operations", "image", short)
    _change("database_operations", "former_image", short)
    _change("deployments", "plan", _in_json(lambda plan: _plan(plan, short)))
    _change("jobs", "spec", _in_json(lambda spec: _spec(spec, short)))


def _change(table: str, column: str, change: Change) -> None:
    """A few rows at a time: plans are large."""
    connection, last = op.get_bind(), 0
    rows = sa.table(table, sa.column("id", sa.BigInteger), sa.column(column, sa.Text))
    query = sa.select(rows).where(rows.c[column] != "").order_by(rows.c.id).limit(_AT_ONCE)
    while found := connection.execute(query.where(rows.c.id > last)).all():
        last = found[-1][0]
        for key, text in found:
            if (changed := change(text)) != text:
                connection.execute(sa.update(rows).where(rows.c.id == key).values({column: changed}))


def _in_json(change: Change) -> Change:
    return lambda text: json.dumps(change(json.loads(text)), separators=(",", ":"), ensure_ascii=False)


def _plan(plan: dict[str, Any], short: Callable[[str], str]) -> dict[str, Any]:
    pulled = [
        {**step, "subjects": list(map(short, step["subjects"]))} if step["kind"] == "pull" else step
        for step in plan["steps"]
    ]
    head, found, rest = plan["stack"].partition("\nx-cabestan:\n")
    head = _SERVICE_IMAGE.sub(lambda match: match[1] + short(match[2]), head)
    rest = _ENDING_IMAGE.sub(lambda match: match[1] + short(match[2]), rest)
    return {**plan, "steps": pulled, "stack": head + found + rest}


def _spec(spec: dict[str, Any], short: Callable[[str], str]) -> dict[str, Any]:
    if not spec.get("bases"):
        return spec
    return {**spec, "bases": [{**base, "meant": short(base["meant"])} for base in spec["bases"]]}
