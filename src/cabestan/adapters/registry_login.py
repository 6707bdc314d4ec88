"""Rights in the registry: tokens that the platform signs, each for a few repositories and for a while.

The registry checks the signature with a certificate that it is given, and asks nobody
(https://distribution.github.io/distribution/spec/auth/jwt/).
"""

import base64
import hashlib
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cabestan.domain.references import Form, moved
from cabestan.domain.registry_access import Access

#: who the tokens are for, as the registry is told
SERVICE = "cabestan"
#: the platform's own: long enough for one push or pull that takes its time
_SECONDS = 3600
#: what Swarm keeps with a service, for nodes that pull its images later
_SECONDS_OF_A_STACK = 366 * 24 * 3600
#: clocks of the same machine, as seen by two processes
_EARLIER = 60
_CURVE = ec.SECP256R1()
_ORDER = int("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", 16)


@dataclass(frozen=True)
class RegistryLogin:
    """For the registry at `address` (`HOST:PORT`), where those who use this find it.

    The key that signs follows from `secret`. `written` is the address that stands in the references they are given,
    where it is another one.
    """

    address: str
    secret: str = field(repr=False)
    written: str = ""

    @property
    def here(self) -> Form:
        """What makes of a reference that is given the one by which they find the image."""
        return moved(self.written or self.address, self.address)

    def token(self, rights: Iterable[Access], *, to: str = "platform", seconds: int = _SECONDS) -> str:
        """What `Authorization: Bearer` has to bring. `to` names whom it was given to."""
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "sub": to,
            "aud": SERVICE,
            "iat": now,
            "nbf": now - _EARLIER,
            "exp": now + seconds,
            "access": [{"type": "repository", "name": one.repository, "actions": list(one.actions)} for one in rights],
        }
        return jwt.encode(claims, self._key, algorithm="ES256", headers={"kid": self._key_id})

    def of(self, image: str, *actions: str) -> dict[str, str] | None:
        """What the engine is to be told for an image, by default to pull it; None where it is not of our registry."""
        repository = self.repository(image)
        return {"registrytoken": self.token([Access(repository, actions or ("pull",))])} if repository else None

    def client_file(self, images: Iterable[str]) -> str:
        """A `config.json` with which Swarm's nodes pull these images, and no others of the registry."""
        pulled = sorted({repository for image in images if (repository := self.repository(image))})
        token = self.token((Access(one, ("pull",)) for one in pulled), to="node", seconds=_SECONDS_OF_A_STACK)
        return json.dumps({"auths": {self.address: {"registrytoken": token}}})

    def repository(self, image: str) -> str:
        """`shop/api` of `HOST:PORT/shop/api@sha256:…`; empty for an image that is not of our registry."""
        if not image.startswith(f"{self.address}/"):
            return ""
        return image.removeprefix(f"{self.address}/").partition("@")[0].partition(":")[0]

    @property
    def issuer(self) -> str:
        """Another one with each key, so that the registry is made anew with a new one."""
        return f"cabestan-{self._key_id.partition(':')[0].lower()}"

    @property
    def certificate(self) -> bytes:
        """What the registry knows our signatures by, as PEM; another text each time, with the same key."""
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.issuer)])
        since = datetime(2020, 1, 1, tzinfo=UTC)
        made = x509.CertificateBuilder(name, name, self._key.public_key(), x509.random_serial_number())
        made = made.not_valid_before(since).not_valid_after(since + timedelta(days=36500))
        return made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    @cached_property
    def _key(self) -> ec.EllipticCurvePrivateKey:
        number = int.from_bytes(hashlib.sha512(self.secret.encode()).digest())
        return ec.derive_private_key(number % (_ORDER - 1) + 1, _CURVE)

    @cached_property
    def _key_id(self) -> str:
        """As libtrust, by which the registry knows keys, has it: twelve groups of four."""
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        public = self._key.public_key().public_bytes(serialization.Encoding.DER, form)
        text = base64.b32encode(hashlib.sha256(public).digest()[:30]).decode()
        return ":".join(text[start : start + 4] for start in range(0, len(text), 4))
