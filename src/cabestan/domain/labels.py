"""Labels of what is ours in Docker: what it is, and what it belongs to."""

#: on every object: the installation
INSTANCE_LABEL = "cabestan.instance"
#: of containers of the platform itself: `router`, `registry`, `gate`
ROLE_LABEL = "cabestan.role"
#: a hash of what they were started with
SETTINGS_LABEL = "cabestan.settings"
#: the id of the project whose builder it is
BUILDER_LABEL = "cabestan.builder"
JOB_LABEL = "cabestan.job"
RUN_LABEL = "cabestan.run"
#: of a job or a run; counts from 1
ATTEMPT_LABEL = "cabestan.attempt"
PROJECT_LABEL = "cabestan.project"
#: its name
ENVIRONMENT_LABEL = "cabestan.environment"
ENVIRONMENT_ID_LABEL = "cabestan.environment-id"
#: what the Compose file calls the service
SERVICE_LABEL = "cabestan.service"
RELEASE_LABEL = "cabestan.release"
COMMIT_LABEL = "cabestan.commit"
#: what the Compose file calls the volume, config or secret
VOLUME_LABEL = "cabestan.volume"
CONFIG_LABEL = "cabestan.config"
SECRET_LABEL = "cabestan.secret"  # noqa: S105 (the name of a label)
#: of a managed service: its kind, its id, and the operation that a scratch instance of it is there for
MANAGED_LABEL = "cabestan.managed"
MANAGED_ID_LABEL = "cabestan.managed-id"
SCRATCH_LABEL = "cabestan.scratch"
#: of base images: the reference, and a hash of the recipe
IMAGE_LABEL = "cabestan.image"
RECIPE_LABEL = "cabestan.recipe"
#: Docker's own, of all that belongs to a stack
STACK_LABEL = "com.docker.stack.namespace"
