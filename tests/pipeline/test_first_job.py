from __future__ import annotations

from tests.samples import spec

from cabestan.domain.pipeline import Blueprint, LintJob
from cabestan.pipeline.first_job import with_lint


def test_every_job_needs_the_checks() -> None:
    blueprint = Blueprint((spec("build"), spec("build web", needs=("build",))), ("a note",))
    assert with_lint(blueprint) == Blueprint(
        (
            LintJob("lint", "lint"),
            spec("build", needs=("lint",)),
            spec("build web", needs=("lint", "build")),
        ),
        ("a note",),
    )
