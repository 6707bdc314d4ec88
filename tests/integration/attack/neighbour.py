"""A machine beside this one: a network namespace of its own, where a server answers at two ports."""

import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from tests.integration.attack.probe import answers
from tests.integration.harness import eventually

ALLOWED, OTHER = 8000, 8001


@contextmanager
def neighbour() -> Iterator[str]:
    """Its address."""
    number = random.randrange(2, 250)
    name, outside, inside = f"cabnext{number}", f"cabno{number}", f"cabni{number}"
    address = f"10.204.{number}.2"
    with ExitStack() as made:
        _run("ip", "netns", "add", name)
        made.callback(_run, "ip", "netns", "del", name)
        _run("ip", "link", "add", outside, "type", "veth", "peer", "name", inside, "netns", name)
        made.callback(_run, "ip", "link", "del", outside)
        _run("ip", "address", "add", f"10.204.{number}.1/30", "dev", outside)
        _run("ip", "link", "set", outside, "up")
        for words in (
            ("link", "set", "lo", "up"),
            ("address", "add", f"{address}/30", "dev", inside),
            ("link", "set", inside, "up"),
            ("route", "add", "default", "via", f"10.204.{number}.1"),
        ):
            _run("ip", "-n", name, *words)
        for port in (ALLOWED, OTHER):
            made.enter_context(_serving(name, port))
            eventually(lambda place=f"{address}:{port}": answers(place), 30, "the neighbour serves")
        yield address


def beside(address: str) -> str:
    """This machine's address in the network of a neighbour: its own, which stays while the neighbour does."""
    return address.removesuffix("2") + "1"


@contextmanager
def _serving(name: str, port: int) -> Iterator[None]:
    command = ["ip", "netns", "exec", name, sys.executable, "-m", "http.server", "--directory", "/usr/share", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as serving:
        try:
            yield
        finally:
            serving.kill()


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
