"""People, projects, pipelines, releases, environments and deployments."""

from collections.abc import Mapping

import sqlalchemy as sa

from cabestan.domain.access import Role, TokenScope
from cabestan.domain.action import ActionKind, Kept, Numbers
from cabestan.domain.deployment import Plan, StepKind
from cabestan.domain.environment import Trigger
from cabestan.domain.pipeline import JobSpec, Source
from cabestan.domain.references import in_images, in_names, in_plan, in_spec
from cabestan.domain.status import DeploymentStatus, RunStatus
from cabestan.store.schema.columns import Id, TextMap, Texts, id_, json_, metadata, moment_, of_, one_, text_, word_

#: single values of the whole installation: the check of the key, the executor's name
facts = sa.Table("facts", metadata, sa.Column("name", sa.Text, primary_key=True), text_("value"))

users = sa.Table(
    "users",
    metadata,
    id_(),
    text_("name", unique=True),
    text_("password_hash"),
    sa.Column("admin", sa.Boolean, nullable=False, server_default=sa.false()),
    moment_("created_at", nullable=False),
)

memberships = sa.Table(
    "memberships",
    metadata,
    of_("users", primary_key=True),
    sa.Column("scope", sa.Text, primary_key=True),
    word_("role", Role),
)

#: tokens and sessions by hash; a token belongs to a user or to a job
tokens = sa.Table(
    "tokens",
    metadata,
    id_(),
    text_("hash", unique=True),
    of_("users", nullable=True),
    sa.Column("job_id", Id, nullable=True, index=True),
    text_("name"),
    text_("kind"),
    text_("csrf"),
    moment_("created_at", nullable=False),
    moment_("expires_at"),
    word_("scope", TokenScope, server_default="all"),
)

projects = sa.Table(
    "projects",
    metadata,
    id_(),
    text_("name", unique=True),
    text_("default_branch"),
    moment_("created_at", nullable=False),
    json_("protected_branches", Texts, server_default='["@default"]'),
)

refs = sa.Table(
    "refs",
    metadata,
    of_("projects", primary_key=True),
    sa.Column("ref", sa.Text, primary_key=True),
    text_("commit"),
)

events = sa.Table(
    "events",
    metadata,
    id_(),
    of_("projects", index=True),
    text_("kind"),
    text_("ref"),
    text_("before"),
    text_("after"),
    text_("by"),
    moment_("created_at", nullable=False),
)

pipelines = sa.Table(
    "pipelines",
    metadata,
    id_(),
    of_("projects"),
    of_("events", nullable=True, index=True),
    text_("commit"),
    text_("branch"),
    text_("title"),
    text_("author"),
    word_("status", RunStatus),
    text_("reason"),
    text_("by"),
    json_("notes", Texts, server_default="[]"),
    sa.Column("attempt", sa.Integer, nullable=False, server_default="1"),
    sa.Column("cancel", sa.Boolean, nullable=False, server_default=sa.false()),
    moment_("created_at", nullable=False),
    moment_("started_at"),
    moment_("finished_at"),
    json_("variables", TextMap, server_default="{}"),
    text_("author_email"),
    moment_("committed_at"),
    text_("message"),
    text_("before"),
    word_("source", Source),
    sa.Index("ix_pipelines_project_id_id", "project_id", "id"),
    sa.Index("ix_pipelines_status", "status"),
    sa.Index("ix_pipelines_commit", "commit"),
)

jobs = sa.Table(
    "jobs",
    metadata,
    id_(),
    of_("pipelines"),
    of_("projects"),
    sa.Column("position", sa.Integer, nullable=False),
    text_("name"),
    json_("spec", JobSpec, in_spec),
    word_("status", RunStatus),
    text_("reason"),
    sa.Column("attempt", sa.Integer, nullable=False, server_default="1"),
    sa.Column("cancel", sa.Boolean, nullable=False, server_default=sa.false()),
    moment_("created_at", nullable=False),
    moment_("started_at"),
    moment_("finished_at"),
    text_("digest"),
    sa.Column("log_line", sa.Integer, nullable=False, server_default="0"),
    sa.UniqueConstraint("pipeline_id", "name", name="uq_jobs_pipeline_id"),
    sa.Index("ix_jobs_status", "status"),
)

releases = sa.Table(
    "releases",
    metadata,
    id_(),
    of_("projects"),
    of_("pipelines"),
    sa.Column("number", sa.Integer, nullable=False),
    text_("commit"),
    text_("branch"),
    text_("title"),
    json_("images", TextMap, in_images),
    text_("compose_file"),
    json_("texts", TextMap, server_default="{}"),
    moment_("created_at", nullable=False),
    text_("dotenv"),
    json_("variables", TextMap, server_default="{}"),
    json_("ports", Mapping[str, tuple[int, ...]], in_names, server_default="{}"),
    sa.UniqueConstraint("project_id", "number", name="uq_releases_project_id"),
    sa.UniqueConstraint("pipeline_id", name="uq_releases_pipeline_id"),
)

environments = sa.Table(
    "environments",
    metadata,
    id_(),
    of_("projects"),
    text_("name"),
    sa.Column("position", sa.Integer, nullable=False),
    text_("target"),
    text_("domain"),
    text_("label"),
    word_("trigger", Trigger),
    json_("branches", Texts),
    json_("approvers", Texts),
    sa.Column("watch_seconds", sa.Integer, nullable=False),
    sa.Column("plain_http", sa.Boolean, nullable=False, server_default=sa.false()),
    text_("time_zone"),
    json_("compose_files", Texts, server_default="[]"),
    sa.Column("uptime", sa.Boolean, nullable=False, server_default=sa.true()),
    text_("uptime_path"),
    sa.Column("uptime_status", sa.Integer, nullable=False, server_default="0"),
    sa.Column("current_deployment_id", Id, nullable=True),
    json_("kept", Kept, server_default="{}"),
    sa.UniqueConstraint("project_id", "name", name="uq_environments_project_id"),
)

#: every version of every variable and secret; `removed` ends a name. A group's have no project
settings = sa.Table(
    "settings",
    metadata,
    id_(),
    of_("projects", nullable=True, index=True),
    text_("environment"),
    text_("name"),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("secret", sa.Boolean, nullable=False),
    sa.Column("removed", sa.Boolean, nullable=False, server_default=sa.false()),
    text_("value"),
    sa.Column("sealed", sa.LargeBinary, nullable=True),
    text_("by"),
    moment_("created_at", nullable=False),
    text_("group_name"),
    sa.Column("protected", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("masked", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.UniqueConstraint("project_id", "environment", "name", "version", name="uq_settings_project_id"),
    one_("uq_settings_group_name", "group_name", "name", "version", where="project_id IS NULL"),
)

deployments = sa.Table(
    "deployments",
    metadata,
    id_(),
    of_("projects"),
    of_("environments"),
    of_("releases"),
    word_("status", DeploymentStatus),
    word_("kind", ActionKind, server_default=ActionKind.DEPLOY),
    json_("services", Texts, server_default="[]"),
    json_("replicas", Numbers, server_default="[]"),
    text_("reason"),
    text_("by"),
    text_("approved_by"),
    sa.Column("restores_id", Id, nullable=True),
    sa.Column("previous_id", Id, nullable=True),
    sa.Column("cancel", sa.Boolean, nullable=False, server_default=sa.false()),
    json_("plan", Plan, in_plan),
    text_("url"),
    moment_("created_at", nullable=False),
    moment_("started_at"),
    moment_("finished_at"),
    sa.Index("ix_deployments_environment_id_id", "environment_id", "id"),
    #: the newest of a release is found without a look at what else was done
    sa.Index("ix_deployments_environment_id_kind_id", "environment_id", "kind", "id"),
    sa.Index("ix_deployments_project_id_id", "project_id", "id"),
    sa.Index("ix_deployments_status", "status"),
    sa.Index("ix_deployments_release_id", "release_id"),
    #: one deployment at a time per environment, whatever the code above does
    one_("uq_deployments_running", "environment_id", where="status = 'running'"),
)

steps = sa.Table(
    "steps",
    metadata,
    of_("deployments", primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
    word_("kind", StepKind, server_default=None),
    text_("text"),
    text_("status"),
    text_("detail"),
    moment_("started_at"),
    moment_("finished_at"),
)

approvals = sa.Table(
    "approvals",
    metadata,
    id_(),
    of_("deployments", index=True),
    text_("by"),
    sa.Column("approved", sa.Boolean, nullable=False),
    text_("comment"),
    text_("fingerprint"),
    text_("void"),
    moment_("created_at", nullable=False),
)
