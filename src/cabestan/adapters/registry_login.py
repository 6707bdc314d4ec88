"""The one login of the image registry: the platform's own, for pushing and pulling."""

import base64
import json
from dataclasses import dataclass, field

import bcrypt

_USER = "cabestan"
#: the least that there is: a password of 256 random bits is not found by trying, and each request takes this hash
_COST = 4


@dataclass(frozen=True)
class RegistryLogin:
    """For the registry at `address` (`HOST:PORT`, as it stands in references of images)."""

    address: str
    password: str = field(repr=False)

    @property
    def pair(self) -> tuple[str, str]:
        """User and password."""
        return _USER, self.password

    @property
    def basic(self) -> str:
        """As HTTP's basic authentication and Docker's `config.json` write it."""
        return base64.b64encode(":".join(self.pair).encode()).decode()

    @property
    def client_file(self) -> str:
        """A `config.json` with which the `docker` client knows the login."""
        return json.dumps({"auths": {self.address: {"auth": self.basic}}})

    @property
    def password_file(self) -> bytes:
        """What the registry checks the login with, as Apache's `htpasswd` writes it; another one each time."""
        hashed = bcrypt.hashpw(self.password.encode(), bcrypt.gensalt(_COST))
        return b"%s:%s\n" % (_USER.encode(), hashed)

    def of(self, image: str) -> dict[str, str] | None:
        """What the engine is to be told for pulling or pushing the image; None where that is not of our registry."""
        if not image.startswith(f"{self.address}/"):
            return None
        return {"username": _USER, "password": self.password, "serveraddress": self.address}
