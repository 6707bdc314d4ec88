"""The image registry, over its HTTP API."""

import httpx

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
    """`address` is `HOST:PORT`, as it stands in references."""

    def __init__(self, address: str) -> None:
        self.address = address

    def digest(self, repository: str, tag: str) -> str:
        """`sha256:…` of a tag. Raises StepFailed where it is not there, RegistryUnavailable when nobody answers."""
        answer = self._get(f"/v2/{repository}/manifests/{tag}")
        if answer.status_code == 404:
            raise StepFailed(f"The registry has no image {self.address}/{repository}:{tag}.", "Run the pipeline again.")
        digest = answer.headers.get("Docker-Content-Digest")
        if answer.status_code != 200 or not digest:
            raise StepFailed(f"The registry answered {answer.status_code} for {repository}:{tag}.", "See its log.")
        return str(digest)

    def check(self) -> None:
        """Raises RegistryUnavailable when it does not answer as a registry does."""
        status = self._get("/v2/").status_code
        if status != 200:
            raise RegistryUnavailable(f"What answers at {self.address} is no registry (status {status}).", _REMEDY)

    def _get(self, path: str) -> httpx.Response:
        try:
            return httpx.get(
                f"http://{self.address}{path}", headers={"Accept": _MANIFESTS}, timeout=_SECONDS, trust_env=False
            )
        except httpx.HTTPError as error:
            raise RegistryUnavailable(f"The registry at {self.address} does not answer: {error}.", _REMEDY) from error


_REMEDY = "`cabestan up` starts it; `cabestan doctor` tells more."
