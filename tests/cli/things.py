"""Things as the API gives them."""

from typing import Any

COMMIT = "0123456789abcdef0123456789abcdef01234567"
THEN = "2024-05-01T10:00:00Z"
LATER = "2024-05-01T10:00:42Z"

PROJECT: dict[str, Any] = {
    "name": "demo/hello",
    "git_url": "http://cabestan.example/git/demo/hello.git",
    "default_branch": "main",
    "url": "http://cabestan.example/demo/hello",
    "created_at": THEN,
}
JOB: dict[str, Any] = {
    "id": 7,
    "name": "build web",
    "stage": "build",
    "kind": "build",
    "status": "failed",
    "reason": "exit code 2",
    "attempt": 1,
    "pipeline": 3,
    "project": "demo/hello",
    "url": "http://cabestan.example/jobs/7",
    "started_at": THEN,
    "finished_at": LATER,
    "needs": ["lint"],
}
PIPELINE: dict[str, Any] = {
    "id": 3,
    "project": "demo/hello",
    "commit": COMMIT,
    "branch": "main",
    "title": "Say [bold]hello[/bold]\x1b[2J",
    "author": "Ada",
    "status": "failed",
    "reason": "build web failed",
    "by": "ada",
    "url": "http://cabestan.example/pipelines/3",
    "created_at": THEN,
    "started_at": THEN,
    "finished_at": LATER,
    "notes": ["no Compose file"],
    "release": None,
    "jobs": [JOB],
}
RELEASE: dict[str, Any] = {
    "number": 2,
    "project": "demo/hello",
    "commit": COMMIT,
    "branch": "main",
    "title": "Say hello",
    "images": {"web": "registry/demo/hello@sha256:12"},
    "pipeline": 3,
    "created_at": THEN,
}
ENVIRONMENT: dict[str, Any] = {
    "name": "staging",
    "project": "demo/hello",
    "url": "http://staging-hello-demo.localhost",
    "domain": "",
    "release": 2,
    "commit": COMMIT,
    "status": "succeeded",
    "trigger": "automatic",
    "branches": ["@default"],
    "compose_files": ["compose.yml", "production.yml"],
    "approvers": [],
    "target": "default",
    "watch_seconds": 5,
    "deployment": 4,
    "since": THEN,
    "by": "ada",
    "state": "degraded",
    "services": [
        {
            "name": "web",
            "state": "degraded",
            "wanted": 2,
            "running": 1,
            "restarts": 4,
            "last_exit": {"code": 1, "why": "", "words": "no \x1b[31mroom\nleft", "at": THEN},
        }
    ],
    "reasons": ["web is degraded: 1 of 2 run, exit code 1.\n    no \x1b[31mroom\n    left\nLook at it."],
}
PLAN: dict[str, Any] = {
    "steps": [
        {"kind": "pull", "text": "Pull web", "deadline_seconds": 900},
        {"kind": "apply", "text": "Apply the stack: web", "deadline_seconds": None},
    ],
    "changes": [{"kind": "image", "subject": "web", "text": "image web: 89abcdef → 01234567"}],
    "warnings": ["ports are not published"],
    "fingerprint": "f1",
    "stack": "services: {}",
    "hosts": ["staging-hello-demo.localhost"],
    "secrets": [],
}
STEP: dict[str, Any] = {
    "kind": "pull",
    "text": "Pull web",
    "status": "succeeded",
    "detail": "",
    "started_at": THEN,
    "finished_at": LATER,
}
DEPLOYMENT: dict[str, Any] = {
    "kind": "deploy",
    "what": "Release 2",
    "id": 4,
    "project": "demo/hello",
    "environment": "staging",
    "release": 2,
    "commit": COMMIT,
    "status": "succeeded",
    "reason": "",
    "url": "http://staging-hello-demo.localhost",
    "by": "ada",
    "approved_by": "bob",
    "created_at": THEN,
    "started_at": THEN,
    "finished_at": LATER,
    "plan": PLAN,
    "steps": [STEP],
    "approvals": [
        {"by": "bob", "approved": True, "comment": "fine", "fingerprint": "f1", "created_at": THEN, "void": ""}
    ],
}
VARIABLE: dict[str, Any] = {
    "name": "COLOUR",
    "value": "blue\nand green",
    "environment": "",
    "version": 2,
    "by": "ada",
    "created_at": THEN,
}
SECRET: dict[str, Any] = {key: value for key, value in VARIABLE.items() if key != "value"}
USER: dict[str, Any] = {"name": "ada", "admin": True, "roles": {"demo/hello": "developer"}, "token": "new-token"}
ALERT: dict[str, Any] = {
    "id": 1,
    "kind": "certificate",
    "subject": "a.example",
    "message": "It ends in 3 days.",
    "words": "one\n  two",
    "remedy": "Add a new one.",
    "project": None,
    "raised_at": THEN,
    "cleared_at": None,
}
CERTIFICATE: dict[str, Any] = {
    "id": 5,
    "kind": "uploaded",
    "hosts": ["a.example", "b.example"],
    "project": "demo/hello",
    "issuer": "Some CA",
    "fingerprint": "ab" * 32,
    "not_before": THEN,
    "not_after": LATER,
    "by": "ada",
}
RUN: dict[str, Any] = {
    "id": 9,
    "kind": "cron",
    "service": "nightly",
    "project": "demo/hello",
    "environment": "staging",
    "deployment": 4,
    "release": 2,
    "schedule": 5,
    "due_at": THEN,
    "cause": "due",
    "by": "",
    "status": "succeeded",
    "reason": "",
    "attempt": 1,
    "url": "http://cabestan.example/demo/hello/runs/9",
    "created_at": THEN,
    "started_at": THEN,
    "finished_at": LATER,
}
SCHEDULE: dict[str, Any] = {
    "id": 5,
    "project": "demo/hello",
    "environment": "staging",
    "service": "nightly",
    "schedule": "30 2 * * *",
    "words": "At 02:30 every day",
    "time_zone": "Europe/Paris",
    "command": "echo $HOME",
    "overlap": "forbid",
    "timeout_seconds": 3600,
    "retries": 0,
    "paused_by": "",
    "removed": False,
    "next_due": LATER,
    "deployment": 4,
    "last": RUN,
    "url": "http://cabestan.example/demo/hello/schedules/5",
}
