"""The shape of the rules' examples."""

IMAGE = "${CI_REGISTRY_IMAGE}:${CI_COMMIT_SHA}"


def web(lines: str, rest: str = "", image: str = IMAGE) -> str:
    """A file with the service `web`, whose own keys are these lines."""
    body = "".join(f"    {line}\n" for line in lines.splitlines())
    return f"services:\n  web:\n    image: {image}\n{body}{rest}"


def routed(rule: str, more: str = "") -> str:
    """A service with a route by this rule."""
    return web(f"expose: [8000]\nlabels:\n  traefik.frontend.rule: {rule}\n{more}")


def config(given: str, declared: str = "configs: {page: {content: hello}}\n") -> str:
    """The service `web` with this one config; `declared` is at the top level."""
    return web(f"configs: [{given}]", declared)
