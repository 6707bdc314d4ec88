from __future__ import annotations

from tests.compose.samples import COMMIT, DIGEST, IMAGE, context, rendered, web

from cabestan.compose.difference import Change, difference
from cabestan.compose.placeholder import secret_placeholder
from cabestan.compose.stack import Stack

OTHER = IMAGE.replace(COMMIT, "fedcba9876543210" * 2 + "fedcba98")
IMAGES = {IMAGE: DIGEST, OTHER: DIGEST.replace("ab", "cd")}
ROUTED = "expose: [80]\nlabels: ['traefik.frontend.rule=Host:a.example.org']"
SECRETS = {"KEY": secret_placeholder("API_KEY")}


def test_the_same_stack_makes_no_difference_whatever_the_release() -> None:
    text = web(ROUTED)

    assert difference(rendered(text, release=1), rendered(text, release=2)) == ()


def test_a_first_deployment_shows_everything() -> None:
    stack = rendered(web(f"{ROUTED}\nenvironment: {{A: 1, B: $KEY}}\nvolumes: [./d:/d]"), SECRETS)

    assert [change.text for change in difference(None, stack)] == [
        "service added web: registry:5000/demo/hello/app:01234567 (abababababab)",
        "variable added web.A: 1",
        "variable added web.B: secret API_KEY",
        "route added web: Host(`a.example.org`) to port 80",
        "volume added d: cabestan-demo-hello-staging_d",
    ]


def test_every_kind_of_change_is_told() -> None:
    old = rendered(
        web(
            f"{ROUTED}\nenvironment: {{A: 1, B: 'x$$y', C: '', K: 'p:$KEY'}}\ncommand: a b\nvolumes: [./d:/d]",
            f"  gone: {{image: '{IMAGE}'}}\n",
        ),
        SECRETS,
    )
    new = rendered(
        web(
            "expose: [80]\nlabels: {traefik.frontend.rule: 'Host:a.example.org;PathPrefix:/x', org.a: b}\n"
            "environment: {A: 2, C: c, K: '$KEY', N: n}\ncommand: a c\ntty: true\ndeploy: {replicas: 2}",
            f"  new: {{image: '{IMAGE}'}}\n",
        ).replace(IMAGE, OTHER, 1),
        SECRETS,
        images=IMAGES,
    )

    image = "registry:5000/demo/hello/app"
    assert difference(old, new) == (
        Change("image", "web", f"{image}:01234567 (abababababab)", f"{image}:fedcba98 (cdcdcdcdcdcd)"),
        Change("variable changed", "web.A", "1", "2"),
        Change("variable removed", "web.B", "x$y", ""),
        Change("variable changed", "web.C", '""', "c"),
        Change("variable changed", "web.K", "secret API_KEY", "secret API_KEY"),
        Change("variable added", "web.N", "", "n"),
        Change("setting", "web.command", "a b", "a c"),
        Change("setting", "web.volumes", "type=volume, source=d, target=/d", ""),
        Change(
            "setting",
            "web.deploy.update_config",
            "parallelism=1, order=stop-first, failure_action=pause, monitor=2s",
            "parallelism=1, order=start-first, failure_action=pause, monitor=2s",
        ),
        Change("replicas", "web", "1", "2"),
        Change("setting", "web.tty", "", "true"),
        Change("setting", "web.labels.org.a", "", "b"),
        Change("service added", "new", "", f"{image}:01234567 (abababababab)"),
        Change("service removed", "gone", f"{image}:01234567 (abababababab)", ""),
        Change(
            "route changed",
            "web",
            "Host(`a.example.org`) to port 80",
            "Host(`a.example.org`) && PathPrefix(`/x`) to port 80",
        ),
        Change("volume no longer used", "d", "cabestan-demo-hello-staging_d", ""),
    )


def apart(networks: str, **services: str) -> Stack:
    """Services with their networks; those of `networks` are the file's own."""
    lines = "".join(f"  {name}: {{image: '{IMAGE}', {more}}}\n" for name, more in services.items())
    return rendered(f"services:\n{lines}networks: {networks}\n")


def network(stack: Stack, key: str) -> str:
    """What Swarm calls a network of the file."""
    return str(stack.document["networks"][f"own-{key}"]["name"])


def test_networks_that_a_file_makes_and_takes_away_are_told_and_who_is_in_them() -> None:
    shared = apart("{front: , back: }", web="networks: [front, back]", db="networks: [back]")
    kept = apart("{front: , back: }", web="networks: [front]", db="networks: [back]", new="networks: [back]")
    front, back = network(kept, "front"), network(kept, "back")

    assert front.startswith(f"{context().network}-front-")
    assert [change.text for change in difference(shared, kept)] == [
        "networks web: the environment's own → front",
        "networks db: the environment's own → back",
        "service added new: registry:5000/demo/hello/app:01234567 (abababababab)",
        "networks new: back",
        f"network added front: {front}",
        f"network added back: {back}",
    ]
    assert [change.text for change in difference(kept, shared)] == [
        "networks web: front → the environment's own",
        "networks db: back → the environment's own",
        "service removed new: registry:5000/demo/hello/app:01234567 (abababababab)",
        f"network removed front: {front}",
        f"network removed back: {back}",
    ]


def test_a_service_that_moves_between_networks_is_told() -> None:
    networks = "{front: , back: }"
    old = apart(networks, web="networks: [front]", db="networks: [back]", other="networks: [default, front]")
    new = apart(networks, web="networks: [back, front]", db="networks: [back]", other="networks: [front, default]")

    assert difference(old, new) == (Change("networks", "web", "front", "back, front"),)


def test_a_network_that_loses_its_way_outside_is_another_one() -> None:
    old = apart("{front: , back: }", web="networks: [front]", db="networks: [back]")
    new = apart("{front: , back: {internal: true}}", web="networks: [front]", db="networks: [back]")

    assert difference(old, new) == (
        Change("network changed", "back", network(old, "back"), f"{network(new, 'back')}, internal"),
    )


def test_further_names_of_a_service_are_told() -> None:
    old, new = rendered(web("tty: true")), rendered(web("tty: true\nhostname: shop\nnetworks: [default]"))

    assert [change.text for change in difference(old, new) if "alias" in change.subject] == [
        "setting web.aliases: shop"
    ]
