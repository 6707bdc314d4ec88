"""Which variables and secrets a release has on an environment, a job in its pipeline, and what has changed since."""

from dataclasses import dataclass

import sqlalchemy as sa

from cabestan.domain.deployment import Deployment, Plan
from cabestan.domain.environment import Environment
from cabestan.domain.pipeline import BuildJob, Job, Pipeline
from cabestan.domain.project import Project
from cabestan.domain.release import Release
from cabestan.domain.variable import Variable, Variables, changed_names, for_jobs, nearest, travelling
from cabestan.store import deployments as deployment_store
from cabestan.store import environments as environment_store
from cabestan.store import projects as project_store
from cabestan.store import releases as release_store
from cabestan.store import variables as store


@dataclass(frozen=True)
class Outdated:
    """An environment whose variables and secrets are not those that it runs with."""

    environment: Environment
    #: what serves there
    deployment: Deployment
    names: tuple[str, ...]


def configuration(tx: sa.Connection, environment: Environment, release: Release, restores: int | None) -> Variables:
    """The present one, or, for a rollback, the versions that the earlier deployment ran with."""
    if restores is not None and (plan := deployment_store.plan_of(tx, restores)):
        protected = project_store.by_id(tx, environment.project_id).protects(release.branch)
        return Variables(restored(tx, plan), release.variables, protected=protected)
    return effective(tx, environment, release.branch, release)


def effective(
    tx: sa.Connection, environment: Environment, branch: str = "", release: Release | None = None
) -> Variables:
    """What a release of the branch (the default one where none is named) would get now."""
    project = project_store.by_id(tx, environment.project_id)
    names = [other.name for other in environment_store.of_project(tx, project.id)]
    protected = project.protects(branch or project.default_branch)
    found = nearest(store.applying(tx, project), environment.name, names, protected=protected)
    given = release.variables if release else {}
    return Variables(found.settings, given, found.withheld, found.protected)


def restored(tx: sa.Connection, plan: Plan) -> tuple[Variable, ...]:
    """The versions that a deployment used, under the names that its application sees."""
    name_of = {key: name for name, key in plan.versions}
    found = []
    for setting in store.by_ids(tx, name_of):
        name = name_of[setting.id]
        found.append(setting if setting.name == name else setting.evolve(name=name, kept_as=setting.name))
    return tuple(sorted(found, key=lambda setting: setting.name))


def job_variables(tx: sa.Connection, project: Project, pipeline: Pipeline, job: Job) -> dict[str, str]:
    """Those of the group, the project and the pipeline.

    A build gets only what begins with `X_`: other names (`BASH_ENV`, `DOCKER_HOST`) could make
    the platform's own script do something else.
    """
    protected = project.protects(pipeline.branch)
    found = for_jobs(store.applying(tx, project), pipeline.variables, protected=protected)
    return travelling(found) if isinstance(job.spec, BuildJob) else found


def outdated(tx: sa.Connection, environment: Environment) -> Outdated | None:
    """What was changed since the deployment that serves there; None where nothing was, or nothing serves."""
    key = environment.current_deployment_id
    plan = deployment_store.plan_of(tx, key) if key is not None else None
    if key is None or plan is None:
        return None
    deployment = deployment_store.get(tx, key)
    release = release_store.by_id(tx, deployment.release_id)
    names = changed_names(dict(plan.versions), effective(tx, environment, release.branch, release))
    return Outdated(environment, deployment, names) if names else None
