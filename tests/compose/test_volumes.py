"""The volumes of a stack, as they are made before anything uses them."""

from tests.compose.samples import DIGEST, IMAGE, rendered, web

from cabestan.compose.volumes import Place, StackVolume, filled_already, volumes_of

_ONCE = f"  once: {{image: '{IMAGE}', restart: no, volumes: ['./data:/srv', 'kept:/kept']}}\nvolumes: {{kept: {{}}}}\n"
_STACK = rendered(web("volumes: ['./data:/data:nocopy']", _ONCE))
_NAME = _STACK.document["volumes"]["data"]["name"].removesuffix("_data")


def _volume(key: str, *places: Place) -> StackVolume:
    labels = _STACK.document["volumes"][key]["labels"]
    assert labels["cabestan.volume"] == key
    return StackVolume(key, f"{_NAME}_{key}", labels, places)


_DATA = _volume("data", Place(DIGEST, "/data", copies=False), Place(DIGEST, "/srv", copies=True))
_KEPT = _volume("kept", Place(DIGEST, "/kept", copies=True))


def test_they_are_those_of_all_services_with_every_place() -> None:
    assert volumes_of(_STACK) == (_DATA, _KEPT)


def test_a_service_is_asked_for_its_own_with_every_place() -> None:
    assert (volumes_of(_STACK, {"web"}), volumes_of(_STACK, {"once"})) == ((_DATA,), (_DATA, _KEPT))


def test_docker_is_told_to_fill_nothing_itself() -> None:
    stack = rendered(web("volumes: ['./data:/data']\ntmpfs: /tmp"))
    [volume, memory] = filled_already(stack).document["services"]["web"]["volumes"]
    assert volume == {"type": "volume", "source": "data", "target": "/data", "volume": {"nocopy": True}}
    assert memory == {"type": "tmpfs", "target": "/tmp"}


def test_a_stack_without_volumes_stays_as_it_is() -> None:
    stack = rendered(web(""))
    assert (filled_already(stack), volumes_of(stack)) == (stack, ())
