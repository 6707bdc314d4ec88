"""The job that every pipeline begins with: the checks, in the server's own process, before anything is built."""

from __future__ import annotations

from dataclasses import replace

from cabestan.domain.pipeline import Blueprint, LintJob

LINT = "lint"


def with_lint(blueprint: Blueprint) -> Blueprint:
    """The same jobs, each in need of the checks."""
    others = (replace(job, needs=(LINT, *job.needs)) for job in blueprint.jobs)
    return replace(blueprint, jobs=(LintJob(LINT, LINT), *others))
