"""Managed services, their backups, and what is done to them."""

import sqlalchemy as sa

from cabestan.domain.backup import BackupStatus, Manifest, OperationKind, OperationStatus, Reason
from cabestan.domain.managed import InstanceStatus, Kind
from cabestan.store.schema.columns import Id, Texts, id_, json_, metadata, moment_, of_, one_, reference_, text_, word_

#: what an environment says about managed services; no row: the defaults
managed_settings = sa.Table(
    "managed_settings",
    metadata,
    of_("environments", primary_key=True),
    text_("managed"),
    text_("schedule"),
    text_("keep"),
)

managed_services = sa.Table(
    "managed_services",
    metadata,
    id_(),
    of_("projects", index=True),
    of_("environments", index=True),
    word_("kind", Kind),
    text_("version"),
    reference_("image"),
    text_("database"),
    text_("user"),
    sa.Column("password", sa.LargeBinary, nullable=False),
    text_("stack"),
    text_("network"),
    text_("volume"),
    text_("node"),
    sa.Column("memory", sa.Integer, nullable=False),
    text_("cpus"),
    word_("status", InstanceStatus),
    sa.Column("attached", sa.Boolean, nullable=False, server_default=sa.true()),
    json_("kept_volumes", Texts, server_default="[]"),
    sa.Column("generation", sa.Integer, nullable=False, server_default="1"),
    moment_("created_at", nullable=False),
    #: one of a kind per environment; what was deleted stays as a record
    one_("uq_managed_services_kind", "environment_id", "kind", where="status <> 'deleted'"),
)

backups = sa.Table(
    "backups",
    metadata,
    id_(),
    of_("managed_services", "managed_service_id"),
    word_("reason", Reason),
    word_("status", BackupStatus),
    text_("detail"),
    text_("file"),
    sa.Column("bytes", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("plain_bytes", sa.BigInteger, nullable=False, server_default="0"),
    text_("sha256"),
    text_("version"),
    json_("manifest", Manifest, server_default="{}"),
    sa.Column("here", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("remote", sa.Boolean, nullable=False, server_default=sa.false()),
    moment_("created_at", nullable=False),
    moment_("taken_at"),
    moment_("verified_at"),
    #: the newest ones of a service: of all, of a status, of a reason
    sa.Index("ix_backups_managed_service_id_id", "managed_service_id", "id"),
    sa.Index("ix_backups_managed_service_id_status_id", "managed_service_id", "status", "id"),
    sa.Index("ix_backups_managed_service_id_reason_id", "managed_service_id", "reason", "id"),
)

#: one row per wish: backup, verify, restore, upgrade, delete
database_operations = sa.Table(
    "database_operations",
    metadata,
    id_(),
    of_("managed_services", "managed_service_id"),
    word_("kind", OperationKind),
    word_("status", OperationStatus),
    text_("detail"),
    text_("by"),
    sa.Column("backup_id", Id, nullable=True),
    sa.Column("saved_id", Id, nullable=True),
    reference_("image"),
    text_("version"),
    text_("volume"),
    #: what the service had before it changed over
    reference_("former_image"),
    text_("former_version"),
    text_("former_volume"),
    #: the deletion of an environment or a project that it is a part of, which does it itself
    sa.Column("deletion_id", Id, nullable=True),
    moment_("created_at", nullable=False),
    moment_("finished_at"),
    sa.Index("ix_database_operations_managed_service_id_id", "managed_service_id", "id"),
    #: one at a time per managed service
    one_("uq_database_operations_running", "managed_service_id", where="status = 'running'"),
)
