"""What is seen of what was deployed."""

import sqlalchemy as sa

from cabestan.domain.observed import Condition, SeenService
from cabestan.store.schema.columns import json_, metadata, moment_, of_, text_, word_

#: one row for each environment that something is deployed to
observations = sa.Table(
    "observations",
    metadata,
    of_("environments", primary_key=True),
    word_("condition", Condition),
    moment_("since", nullable=False),
    json_("services", tuple[SeenService, ...], server_default="[]"),
    text_("trouble"),
)
