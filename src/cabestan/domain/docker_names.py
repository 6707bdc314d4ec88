"""What our objects in Docker are called. All begin with the name of the installation."""


def router(instance: str) -> str:
    """Its container, and the volume with the files that it watches."""
    return f"{instance}-router"


def acme_volume(instance: str) -> str:
    return f"{instance}-acme"


def registry(instance: str) -> str:
    """Its container, and the volume with its images."""
    return f"{instance}-registry"


def builder(instance: str, project_id: int) -> str:
    """Its container, its network and the volume with what its engine keeps."""
    return f"{instance}-builder-{project_id}"


def builder_socket(instance: str, project_id: int) -> str:
    return f"{builder(instance, project_id)}-run"


def gate(instance: str) -> str:
    """The container through which jobs reach the server and the registry, and the volume with its sockets."""
    return f"{instance}-gate"


def once(instance: str, kind: str, key: int | str, attempt: int | str) -> str:
    """The container of a job; the service of a run, and its secret (`kind` is one of both)."""
    return f"{instance}-{kind}-{key}-{attempt}"


def network(stack: str) -> str:
    """The one in which the services of an environment, or one managed service, reach each other."""
    return f"{stack}-net"
