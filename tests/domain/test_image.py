import pytest

from cabestan.domain.image import ImageConfiguration, common_ports, is_root


@pytest.mark.parametrize(
    "user", ["", "root", "0", "00", "+0", "-0", "0:0", "root:root", "0:1001", "root:", ":1001", " 0"]
)
def test_root_in_all_its_forms_is_root(user: str) -> None:
    assert is_root(user)


@pytest.mark.parametrize("user", ["1001", "app", "1001:0", "app:root", "rooted", "0x1", "10"])
def test_others_are_not(user: str) -> None:
    assert not is_root(user)


def test_an_image_has_the_ports_that_it_declares_on_every_platform() -> None:
    one, other = ImageConfiguration("", (), (80, 8000)), ImageConfiguration("", (), (8000, 9000))
    assert common_ports([one, one]) == (80, 8000)
    assert common_ports([one, other]) == (8000,)
    assert common_ports([]) == ()
