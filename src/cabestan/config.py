"""The settings: read once, checked whole at start. Nothing else reads the environment."""

import os
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from cabestan.errors import ConfigurationError

#: where the settings file is looked for, unless CABESTAN_CONFIG names another
DEFAULT_FILE = Path("/etc/cabestan/cabestan.toml")
_DATABASES = ("sqlite:///", "postgresql://")
#: a part of `backup_keep`
_KEPT = "(daily|weekly|monthly)=[0-9]{1,4}"
#: where the recipes of the base images are, unless the setting `images` names another folder
IMAGES = Path(__file__).resolve().parents[2] / "images"


class Settings(BaseSettings):
    """One installation. Each setting can be given in the file (`port = 8600`) or as `CABESTAN_PORT`, which wins."""

    model_config = SettingsConfigDict(env_prefix="CABESTAN_", extra="forbid", frozen=True)

    instance: str = Field("cabestan", pattern=r"^[a-z][a-z0-9-]{0,11}$")
    """Short name of this installation; all that it makes in Docker carries it, so that several share an engine."""

    data: Path = Path("/var/lib/cabestan")
    """Folder of the database, the repositories, the logs and the key."""

    database_url: SecretStr = SecretStr("")
    """`sqlite:///PATH` or `postgresql://USER:PASSWORD@HOST/NAME`. Empty: SQLite in the data folder."""

    key_file: Path | None = None
    """The key that seals stored secrets, 32 bytes. Empty: `key` in the data folder, made at the first start."""

    host: str = "127.0.0.1"
    """Address that the server listens on."""

    port: int = Field(8600, ge=1, le=65535)
    """Port that the server listens on."""

    connections: int = Field(2000, ge=16)
    """How many connections are taken at the same time."""

    connections_per_address: int = Field(1000, ge=1)
    """How many of them from one address, or from one network of 64 bits in IPv6."""

    streams_per_user: int = Field(300, ge=1)
    """How many live streams, of logs and of what changes, a user may follow at the same time."""

    url: str = ""
    """Address of the server as its users see it. Empty: from host and port."""

    engine: str = "unix:///var/run/docker.sock"
    """The Docker Engine to work with: `unix://PATH` or `tcp://HOST:PORT`."""

    router_address: str = "127.0.0.1"
    """Address on which the router takes requests for the deployed applications."""

    router_port: int = Field(80, ge=1, le=65535)
    """Port on which the router takes plain HTTP requests, and sends them to HTTPS."""

    router_tls_port: int = Field(443, ge=1, le=65535)
    """Port on which the router takes HTTPS requests."""

    public_tls_port: int = Field(0, ge=0, le=65535)
    """Port of HTTPS as users see it, where something before the router changes it. 0: `router_tls_port`."""

    private_domains: str = ""
    """Domains, by commas, whose names the installation's own authority signs for, although they look public."""

    acme_email: str = ""
    """Address of the ACME account; certificates for public names are then had over ACME. Empty: no ACME."""

    acme_server: str = "https://acme-v02.api.letsencrypt.org/directory"
    """Directory of the ACME server."""

    acme_ca_bundle: Path | None = None
    """A file with the certificate authorities by which the ACME server is known. Empty: those that are known to all."""

    acme_dns_provider: str = Field("", pattern=r"^[a-z0-9]*$")
    """Name of the DNS provider for the DNS challenge (as lego calls it). Empty: the HTTP challenge."""

    acme_dns_file: Path | None = None
    """A file with the variables of the DNS provider, a line `NAME=VALUE` each; only its owner may read it."""

    acme_dns_resolvers: str = ""
    """Name servers, HOST:PORT by commas, that are asked whether the DNS challenge can be seen. Empty: the system's."""

    acme_dns_seconds: int = Field(0, ge=0, le=3600)
    """How long to wait for the answer to a DNS challenge, instead of asking name servers whether it is there."""

    public_names: int = Field(20, ge=0)
    """How many host names that ACME has to certify a project may have."""

    registry_port: int = Field(5600, ge=1, le=65535)
    """Port of the image registry, on the loopback address."""

    target_domain: str = "localhost"
    """Domain under which environments get their addresses, unless they have one of their own."""

    images: Path = IMAGES
    """Folder of the base image catalogue."""

    image_aliases: str = Field("bearstech", pattern=r"^[a-z0-9 ._-]*$")
    """Other owners in `FROM`, separated by spaces, whose images are the catalogue's where it has one of that name."""

    strict_rules: str = ""
    """Rules of the Compose file that are warnings, separated by spaces, and errors on this installation."""

    ca_bundle: Path | None = None
    """A file with further certificate authorities, for builds behind a proxy that inspects TLS."""

    builders: int = Field(8, ge=1, le=25)
    """How many builders may be there at the same time; the one that was idle for the longest goes first."""

    builder_idle_seconds: int = Field(900, ge=0)
    """How long a builder that nobody uses stays warm."""

    builder_memory_bytes: int = Field(4 * 1024 * 1024 * 1024, ge=256 * 1024 * 1024)
    """How much memory all builds of a project together may take."""

    builder_disk_bytes: int = Field(10 * 1024 * 1024 * 1024, ge=100 * 1024 * 1024)
    """How much of its cache a builder keeps."""

    build_reach: str = Field("internet", pattern=r"^[A-Za-z0-9 ._:/-]*$")
    """What builds reach of the outside: `internet`, and hosts, HOST:PORT or networks of their own, by spaces."""

    parallel_jobs: int = Field(4, ge=1, le=64)
    """How many jobs run at the same time; the others wait for their turn."""

    job_seconds: int = Field(3600, ge=10)
    """How long a job may run."""

    run_seconds: int = Field(3600, ge=1)
    """How long a service that runs once or by the clock may run, unless its label says otherwise."""

    lead_seconds: int = Field(5, ge=1, le=50)
    """How long before it is due the container of a schedule's run is made; more where the machine is slow."""

    parallel_runs: int = Field(100, ge=1, le=200)
    """How many runs of schedules go on at the same time; the others wait for their turn."""

    kept_runs: int = Field(200, ge=1)
    """How many runs of each schedule are kept, with their logs."""

    time_zone: str = "UTC"
    """In which schedules are read, where their environment has no time zone of its own: such as `Europe/Paris`."""

    engine_seconds: int = Field(600, ge=1)
    """How long work in flight waits for an engine that does not answer, before it fails."""

    pull_seconds: int = Field(900, ge=1)
    """How long pulling the images of a deployment may take."""

    apply_seconds: int = Field(180, ge=1)
    """How long handing the stack to Swarm may take."""

    healthy_seconds: int = Field(300, ge=1)
    """How long the tasks of a deployment may take to become healthy."""

    routes_seconds: int = Field(30, ge=1)
    """How long a route may take to answer through the router."""

    managed_seconds: int = Field(300, ge=1)
    """How long a managed service may take to answer."""

    mongodb_image: str = ""
    """Image of MongoDB, which is not in Debian. Empty: projects that ask for it are refused."""

    backup_schedule: str = "30 2 * * *"
    """When databases are backed up, in cron's syntax and UTC; `off` for never. Environments may say otherwise."""

    backup_keep: str = Field("daily=7,weekly=4,monthly=6", pattern=f"^{_KEPT}(,{_KEPT}){{0,2}}$")
    """Of how many days, weeks and months a backup is kept. Environments may say otherwise."""

    backup_remote: str = ""
    """Where copies of backups go, as rclone writes it: `nas:cabestan`. Empty: they are on this disk alone."""

    last_backup_days: int = Field(90, ge=1, le=3650)
    """How long the last backups of what was deleted are kept."""

    backup_seconds: int = Field(6 * 3600, ge=1)
    """How long a dump, a restore or a copy may take."""

    watch_seconds: int = Field(5, ge=0, le=3600)
    """How long the tasks of a deployment must stay healthy; the default of new environments."""

    job_log_bytes: int = Field(512 * 1024 * 1024, ge=1024)
    """How much of a job's output is kept."""

    journal_bytes: int = Field(1024 * 1024 * 1024, ge=16 * 1024 * 1024)
    """How much of what the applications of an environment say is kept, compressed."""

    journal_days: int = Field(30, ge=1)
    """For how many days what applications say is kept."""

    journal_lines_per_second: int = Field(10_000, ge=1)
    """How many lines of each container are kept in a second; what is said faster is dropped, and counted."""

    push_bytes: int = Field(256 * 1024 * 1024, ge=1024)
    """How large one push may be."""

    push_follow_seconds: int = Field(600, ge=0, le=24 * 3600)
    """How long a push is followed at most in its author's terminal. 0: none is."""

    commit_files: int = Field(50_000, ge=100)
    """How many files and folders a commit may have."""

    commit_bytes: int = Field(1024 * 1024 * 1024, ge=1024)
    """How large the files of a commit may be together."""

    project_refs: int = Field(5000, ge=1)
    """How many branches and tags a project may have."""

    open_pipelines: int = Field(100, ge=1)
    """How many pipelines of a project may be under way or wait at the same time."""

    kept_pipelines: int = Field(2000, ge=0)
    """How many pipelines of a project are kept, beside those whose release was deployed; 0 keeps all."""

    parallel_git: int = Field(12, ge=1, le=200)
    """How many clones, fetches and pushes are worked on at the same time; the others wait for their turn."""

    git_seconds: int = Field(3600, ge=1)
    """How long a clone, a fetch or a push may take."""

    git_processor_seconds: int = Field(120, ge=1)
    """How much of the processor's time each process of Git may take."""

    git_memory_bytes: int = Field(256 * 1024 * 1024, ge=32 * 1024 * 1024)
    """How much memory each process of Git may have for itself."""

    free_bytes: int = Field(1024 * 1024 * 1024, ge=0)
    """Space that must be free on the disk before a job or a deployment begins."""

    volume_disk_percent: int = Field(90, ge=1, le=100)
    """How full the disk of the volumes may be without an alert."""

    volume_bytes: int = Field(0, ge=0)
    """How much a volume of an environment may take without an alert. 0: any."""

    session_hours: int = Field(24 * 14, ge=1)
    """How long a login in a browser lasts."""

    log_level: str = Field("info", pattern="^(debug|info|warning|error)$")
    """How much the server says about itself."""

    @field_validator("data", "images", "key_file", "ca_bundle", "acme_ca_bundle", "acme_dns_file", mode="after")
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        return path.expanduser().absolute() if path else None

    @field_validator("time_zone", mode="after")
    @classmethod
    def _known_time_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"there is no time zone {name}; write one such as Europe/Paris or UTC") from error
        return name

    @field_validator("backup_schedule", mode="after")
    def _known_schedule(cls, schedule: str) -> str:
        if schedule != "off":
            try:
                CronSim(schedule, datetime(2026, 1, 1, tzinfo=UTC))
            except CronSimError as error:
                raise ValueError("write it as cron does, such as 30 2 * * *, or off") from error
        return schedule

    @field_validator("database_url", mode="after")
    @classmethod
    def _known_database(cls, url: SecretStr) -> SecretStr:
        if url.get_secret_value() and not url.get_secret_value().startswith(_DATABASES):
            raise ValueError("write sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME")
        return url

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is passed in wins over the environment, which wins over the file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, _file())

    @property
    def lead(self) -> timedelta:
        return timedelta(seconds=self.lead_seconds)

    @property
    def public_url(self) -> str:
        return (self.url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def internal_url(self) -> str:
        """Where the machine itself reaches the server: hooks, the registry's clients, and the gate of jobs."""
        return f"http://{self.host}:{self.port}"

    @property
    def database(self) -> str:
        return self.database_url.get_secret_value() or f"sqlite:///{self.data / 'cabestan.sqlite'}"

    @property
    def key_path(self) -> Path:
        return self.key_file or self.data / "key"

    @property
    def registry(self) -> str:
        """The registry's address, as it stands in references of images."""
        return f"127.0.0.1:{self.registry_port}"

    @property
    def router_host(self) -> str:
        """Where this machine itself reaches the router."""
        return "127.0.0.1" if self.router_address == "0.0.0.0" else self.router_address  # noqa: S104

    @property
    def private_domain_names(self) -> tuple[str, ...]:
        return _by_commas(self.private_domains)

    @property
    def strict_rule_codes(self) -> tuple[str, ...]:
        return tuple(self.strict_rules.replace(",", " ").split())

    @property
    def acme_dns_resolver_addresses(self) -> tuple[str, ...]:
        return _by_commas(self.acme_dns_resolvers)

    @property
    def tls_port(self) -> int:
        """The port of HTTPS as users see it."""
        return self.public_tls_port or self.router_tls_port

    def address_of(self, domain: str) -> str:
        """The address under which the router serves a domain."""
        return f"https://{domain}" if self.tls_port == 443 else f"https://{domain}:{self.tls_port}"


def read_settings(**given: Any) -> Settings:
    """Reads file and environment; raises ConfigurationError that names each wrong setting."""
    _refuse_unknown_variables()
    if "CABESTAN_CONFIG" in os.environ and not _file().exists():
        raise ConfigurationError(f"There is no settings file {_file()}.", "Correct CABESTAN_CONFIG, or unset it.")
    try:
        return Settings(**given)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_input=False))
        raise ConfigurationError(
            f"The settings are not right: {problems}.", f"Correct {_file()} or CABESTAN_*."
        ) from error
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"The settings file {_file()} cannot be read: {error}.", "Correct it.") from error


def _by_commas(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _file() -> Path:
    return Path(os.environ.get("CABESTAN_CONFIG", DEFAULT_FILE))


#: variables of the command line, which are not settings of the server
_OTHER_VARIABLES = frozenset({"CABESTAN_CONFIG", "CABESTAN_URL", "CABESTAN_TOKEN", "CABESTAN_CLIENT_CONFIG"})


def _refuse_unknown_variables() -> None:
    known = {f"CABESTAN_{name.upper()}" for name in Settings.model_fields} | _OTHER_VARIABLES
    unknown = sorted(name for name in os.environ if name.startswith("CABESTAN_") and name not in known)
    if unknown:
        raise ConfigurationError(f"There is no setting {', '.join(unknown)}.", "docs/settings.md lists all of them.")
