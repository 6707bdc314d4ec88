"""Indexes for what clocks and recovery ask again and again"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_managed_services_environment_id", "managed_services", ["environment_id"])
    op.create_index("ix_backups_managed_service_id_id", "backups", ["managed_service_id", "id"])
    op.create_index("ix_backups_managed_service_id_status_id", "backups", ["managed_service_id", "status", "id"])
    op.create_index("ix_backups_managed_service_id_reason_id", "backups", ["managed_service_id", "reason", "id"])
    op.create_index("ix_jobs_status", "jobs", ["status"])
    op.drop_index("ix_backups_managed_service_id", "backups")
