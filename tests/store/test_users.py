from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from tests.samples import NOW, set_status, spec
from tests.store.rows import make_pipeline, make_project

from cabestan.domain.access import JobIdentity, Role, User
from cabestan.domain.outbox import Subject
from cabestan.domain.status import RunStatus
from cabestan.errors import Conflict, NotFound
from cabestan.store import pipelines
from cabestan.store import users as store
from cabestan.store.database import Database

LATER = NOW + timedelta(hours=1)


def test_users_and_their_roles_come_back_as_they_were(database: Database) -> None:
    with database.writing() as tx:
        ben = store.create(tx, "ben", admin=True, now=NOW, password_hash="hash")
        ann = store.create(tx, "ann", admin=False, now=NOW)
        store.set_role(tx, ann.id, "shop", Role.REPORTER)
        store.set_role(tx, ann.id, "shop", Role.DEVELOPER)
        store.set_role(tx, ann.id, "shop/api", Role.MAINTAINER)
        store.set_role(tx, ann.id, "other", Role.REPORTER)
        store.set_role(tx, ann.id, "other", None)
        whole = User(ann.id, "ann", False, {"shop": Role.DEVELOPER, "shop/api": Role.MAINTAINER})
        assert store.get(tx, "ann") == store.find(tx, "ann") == whole
        assert store.all_users(tx) == (whole, ben)
        assert [store.password_hash(tx, name) for name in ("ben", "ann", "none")] == ["hash", "", ""]
        assert store.find(tx, "none") is None
        with pytest.raises(NotFound, match="There is no user none"):
            store.get(tx, "none")
    with pytest.raises(Conflict, match="There is a user ann already"), database.writing() as tx:
        store.create(tx, "ann", admin=False, now=NOW)


def test_a_token_is_kept_as_its_hash_alone(database: Database) -> None:
    with database.writing() as tx:
        ann = store.create(tx, "ann", admin=False, now=NOW)
        store.add_token(tx, "canary-token", kind="personal", user_id=ann.id, now=NOW)
        store.add_token(tx, "canary-session", kind="session", user_id=ann.id, csrf="c", now=NOW, expires_at=LATER)
        rows = str(tx.execute(sa.text("SELECT * FROM tokens")).all())
        assert "canary" not in rows
        assert store.token_hash("canary-token") in rows


def test_a_token_and_a_session_stand_for_their_user_until_they_end(database: Database) -> None:
    with database.writing() as tx:
        ann = store.create(tx, "ann", admin=False, now=NOW)
        store.add_token(tx, "personal", kind="personal", user_id=ann.id, now=NOW)
        store.add_token(tx, "session", kind="session", user_id=ann.id, csrf="c", now=NOW, expires_at=LATER)
        assert store.identity_of_token(tx, "personal", LATER) == ann
        assert store.session(tx, "session", NOW) == store.Session(ann, "c")
        assert store.session(tx, "session", LATER) is None
        # a session is no token and a token is no session
        assert store.identity_of_token(tx, "session", NOW) is None
        assert store.session(tx, "personal", NOW) is None
        for unknown in ("", "none", store.token_hash("personal")):
            assert store.identity_of_token(tx, unknown, NOW) is None
            assert store.session(tx, unknown, NOW) is None
        store.drop_expired_tokens(tx, LATER + timedelta(seconds=1))
        assert store.identity_of_token(tx, "personal", NOW) == ann
        assert store.session(tx, "session", NOW) is None
        store.drop_token(tx, "personal")
        assert store.identity_of_token(tx, "personal", NOW) is None


def test_a_jobs_token_lives_as_long_as_the_job_runs(database: Database) -> None:
    with database.writing() as tx:
        made = make_pipeline(tx, make_project(tx).project)
        pipelines.add_jobs(tx, made, (spec("a"),), NOW)
        (job,) = pipelines.jobs_of(tx, made.id)
        store.add_token(tx, "job", kind="job", job_id=job.id, now=NOW, expires_at=LATER)
        for status in RunStatus:
            set_status(tx, Subject.JOB, job.id, status)
            expected = JobIdentity(job.id, "shop/api") if status is RunStatus.RUNNING else None
            assert store.identity_of_token(tx, "job", NOW) == expected
        set_status(tx, Subject.JOB, job.id, RunStatus.RUNNING)
        assert store.identity_of_token(tx, "job", LATER) is None
        assert store.session(tx, "job", NOW) is None
        store.drop_job_tokens(tx, job.id)
        assert store.identity_of_token(tx, "job", NOW) is None
