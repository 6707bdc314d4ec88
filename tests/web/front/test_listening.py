from __future__ import annotations

import resource
import subprocess
import sys

from cabestan.web.front.bounds import Bounds
from cabestan.web.front.listening import fitting

_RAISED = """
import resource
from cabestan.web.front.listening import raise_descriptor_limit
resource.setrlimit(resource.RLIMIT_NOFILE, (256, 1024))
print(raise_descriptor_limit(), *resource.getrlimit(resource.RLIMIT_NOFILE))
"""


def test_the_descriptor_limit_is_raised_as_far_as_may_be() -> None:
    said = subprocess.run([sys.executable, "-c", _RAISED], capture_output=True, text=True, check=True).stdout
    assert said.split() == ["1024", "1024", "1024"]
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 0


def test_connections_leave_descriptors_for_all_else() -> None:
    wanted = Bounds(connections=3000, connections_per_address=500, streams_per_user=7)
    assert fitting(wanted, 65_536) == wanted
    few = fitting(wanted, 1024)
    assert few.connections + few.reserve + few.told + 512 == 1024
    assert few.connections_per_address == few.connections
