"""The image registry, over its HTTP API."""

from collections.abc import Iterable, Mapping
from typing import Any

import httpx

from cabestan.adapters.registry_login import RegistryLogin
from cabestan.domain.image import ImageConfiguration
from cabestan.domain.registry_access import PULL, PUSH, Access
from cabestan.errors import RegistryUnavailable, StepFailed

_SECONDS = 20
_MANIFESTS = ", ".join(
    (
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.oci.image.index.v1+json",
    )
)


class Registry:
    def __init__(self, login: RegistryLogin) -> None:
        self._login = login
        # made once, for that takes longer than asking; no connection is kept for a registry that may be replaced
        self._client = httpx.Client(
            timeout=_SECONDS,
            trust_env=False,
            follow_redirects=True,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
        )

    @property
    def address(self) -> str:
        """`HOST:PORT`, as it stands in references."""
        return self._login.address

    def digest(self, repository: str, tag: str) -> str:
        """`sha256:…` of a tag. Raises StepFailed where it is not there, RegistryUnavailable when nobody answers."""
        found = self.find(repository, tag)
        if not found:
            raise StepFailed(f"The registry has no image {self.address}/{repository}:{tag}.", "Run the pipeline again.")
        return found

    def find(self, repository: str, tag: str) -> str:
        """The same; empty where there is no such tag."""
        answer = self._ask("HEAD", repository, f"manifests/{tag}")
        if answer.status_code == 404:
            return ""
        digest = answer.headers.get("Docker-Content-Digest")
        if answer.status_code != 200 or not digest:
            raise StepFailed(f"The registry answered {answer.status_code} for {repository}:{tag}.", "See its log.")
        return str(digest)

    def tag(self, repository: str, digest: str, tag: str) -> str:
        """Gives an image one more tag, unless the tag is taken; gives the digest that it stands for then.

        Not safe against another one that does so at the same moment: there is one server, which makes one release of
        a project at a time.
        """
        if there := self.find(repository, tag):
            return there
        manifest = self._ask("GET", repository, f"manifests/{digest}")
        if manifest.status_code != 200:
            raise StepFailed(f"The registry answered {manifest.status_code} for {repository}@{digest}.", "See its log.")
        kind = {"Content-Type": manifest.headers.get("Content-Type", "")}
        answer = self._ask("PUT", repository, f"manifests/{tag}", content=manifest.content, headers=kind)
        if answer.status_code != 201:
            raise StepFailed(f"The registry did not take the tag {repository}:{tag} ({answer.status_code}).")
        return digest

    def configurations(self, repository: str, digest: str) -> tuple[ImageConfiguration, ...]:
        """What the image says of itself: once, or once per platform that it is built for. Raises as `digest` does."""
        manifest = self._json(repository, f"manifests/{digest}")
        if "config" in manifest:
            blob = self._json(repository, f"blobs/{manifest['config']['digest']}")
            return (parse_configuration(blob),)
        parts = platform_digests(manifest)
        if not parts:
            raise StepFailed(f"The registry does not tell what {repository}@{digest} runs as.", "Build it anew.")
        return tuple(found for part in parts for found in self.configurations(repository, part))

    def _json(self, repository: str, what: str) -> dict[str, Any]:
        answer = self._ask("GET", repository, what)
        if answer.status_code != 200:
            raise StepFailed(f"The registry answered {answer.status_code} for {repository}.", "See its log.")
        try:
            found: dict[str, Any] = answer.json()
        except ValueError as error:
            raise StepFailed(
                f"The registry's answer for {repository} is no JSON.", "Run the pipeline again."
            ) from error
        return found

    def check(self) -> None:
        """Raises RegistryUnavailable when it does not answer as a registry does."""
        status = self._send("GET", "/v2/", ()).status_code
        if status != 200:
            raise RegistryUnavailable(f"What answers at {self.address} is no registry (status {status}).", _REMEDY)

    def _ask(self, method: str, repository: str, what: str, **more: Any) -> httpx.Response:
        actions = (PULL, PUSH) if method == "PUT" else (PULL,)
        return self._send(method, f"/v2/{repository}/{what}", (Access(repository, actions),), **more)

    def _send(
        self, method: str, path: str, rights: Iterable[Access], *, content: bytes = b"", headers: Mapping[str, str] = {}
    ) -> httpx.Response:
        try:
            answer = self._client.request(
                method,
                f"http://{self.address}{path}",
                headers={"Accept": _MANIFESTS, "Authorization": f"Bearer {self._login.token(rights)}", **headers},
                content=content,
            )
        except httpx.HTTPError as error:
            raise RegistryUnavailable(f"The registry at {self.address} does not answer: {error}.", _REMEDY) from error
        if answer.status_code == 401:
            remedy = "`cabestan up` gives it the certificate of the key."
            raise RegistryUnavailable(f"The registry at {self.address} does not know our key.", remedy)
        return answer


def platform_digests(manifest: Mapping[str, Any]) -> tuple[str, ...]:
    """Of an index, the manifests of its platforms, without what is attached to them; none of a single manifest."""
    parts = manifest.get("manifests", ())
    return tuple(part["digest"] for part in parts if part.get("platform", {}).get("os") != "unknown")


def parse_configuration(blob: Mapping[str, Any]) -> ImageConfiguration:
    """The `config` of an image's configuration, as Docker and OCI have it; parts may be missing or null."""
    config = blob.get("config") or {}
    volumes = tuple(sorted(config.get("Volumes") or ()))
    return ImageConfiguration(config.get("User") or "", volumes, tcp_ports(config.get("ExposedPorts") or ()))


def tcp_ports(exposed: Iterable[str]) -> tuple[int, ...]:
    """Of `8000/tcp`, `53/udp` and the like, those of TCP, lowest first."""
    pairs = (port.partition("/") for port in exposed)
    return tuple(sorted({int(number) for number, _, kind in pairs if kind in ("", "tcp") and number.isdecimal()}))


_REMEDY = "`cabestan up` starts it; `cabestan doctor` tells more."
