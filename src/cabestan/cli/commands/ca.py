"""`cabestan ca`."""

import sys

from cabestan.cli.cells import clean
from cabestan.cli.options import JsonOption, connect
from cabestan.cli.output import print_json


def ca(as_json: JsonOption = False) -> None:
    """Print the root of the installation's own certificate authority (PEM), for browsers and programs to trust."""
    authority = connect().get("/ca")
    if as_json:
        print_json(authority)
    else:
        sys.stdout.write(clean(authority["certificate"]))
