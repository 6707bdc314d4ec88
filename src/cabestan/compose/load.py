"""From the texts of Compose files to the checked model.

Each file is read, its variables are filled in, and what its services extend is put in. Then the files are
joined, and the whole is checked. All that is wrong is told at once, with the file where it stands. How the
results differ from Docker's own readers is written in docs/compose-reading.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cabestan.compose import fields, policy
from cabestan.compose.asked import Asked, Questions
from cabestan.compose.building import Build, read_builds, with_builds
from cabestan.compose.commit_files import Read
from cabestan.compose.commit_mounts import Commit, CommitMounts
from cabestan.compose.configs import declared_configs
from cabestan.compose.cron import check_cron_jobs
from cabestan.compose.ending import with_ends
from cabestan.compose.env_files import EnvFileReader
from cabestan.compose.extending import Extender
from cabestan.compose.filling import Filling
from cabestan.compose.findings import NOTHING_WAIVED, ComposeRefused, Finding, Report, Waivers
from cabestan.compose.library import Library, SourceFile, folder_of, no_further_files
from cabestan.compose.linking import with_aliases
from cabestan.compose.merging import Merger, settled
from cabestan.compose.model import ComposeFile, Service
from cabestan.compose.mounts import MountReader
from cabestan.compose.networks import check_networks, declared_networks
from cabestan.compose.nodes import Field, Items, Node, Scalar, Spot, Table, root_field
from cabestan.compose.order import check_order
from cabestan.compose.placeholder import is_mixed
from cabestan.compose.profiles import deployed, left_out
from cabestan.compose.routing import NO_DOMAIN, check_routes
from cabestan.compose.secret_files import SecretReader, committed_secrets, declared_secrets
from cabestan.compose.service_reader import ServiceReader
from cabestan.compose.source import Limits
from cabestan.errors import Invalid


@dataclass(frozen=True, slots=True)
class Loaded:
    """What may be deployed, what is doubtful in it, and what it asks for."""

    compose: ComposeFile
    warnings: tuple[Finding, ...]
    asked: tuple[Asked, ...] = ()


def load(
    text: str,
    file: str,
    variables: Mapping[str, str],
    *,
    waivers: Waivers = NOTHING_WAIVED,
    limits: Limits | None = None,
) -> Loaded:
    """One file that stands alone; see `load_files`."""
    return load_files([SourceFile(file, text)], variables, waivers=waivers, limits=limits)


def load_files(
    files: Sequence[SourceFile],
    variables: Mapping[str, str],
    *,
    read: Read = no_further_files,
    waivers: Waivers = NOTHING_WAIVED,
    limits: Limits | None = None,
) -> Loaded:
    """The checked files, each later one over those before it, as with `docker compose -f a -f b`.

    `variables` are all that they may use; secrets among them are placeholders. `read` gives the files that
    services extend. Relative paths are seen from the folder of the first file. Raises ComposeRefused with all
    findings, and Invalid for a variable that imitates a placeholder.
    """
    limits = limits or Limits()
    _check_variables(variables)
    report = Report(files[0].path, waivers)
    filling = Filling(report, variables, limits.max_text)
    root = root_field(_joined(files, Library(report, read, limits), filling))
    policy.check_keys(report, root, policy.TOP)
    compose = _compose(report, root, variables, filling.questions, Commit(read, folder_of(files[0].path)))
    check_order(report, compose)
    check_routes(report, compose, variables.get("CI_ENVIRONMENT_DOMAIN") or NO_DOMAIN)
    check_cron_jobs(report, compose)
    report.refuse_if_wrong()
    return Loaded(compose, report.warnings, filling.questions.with_secrets(compose))


def build_contexts(text: str, file: str, *, limits: Limits | None = None) -> tuple[Build, ...]:
    """What the services of one file ask to build; see `builds_of`."""
    return builds_of([SourceFile(file, text)], limits=limits)


def builds_of(
    files: Sequence[SourceFile], *, read: Read = no_further_files, limits: Limits | None = None
) -> tuple[Build, ...]:
    """What the services ask to build, without filling in variables. Raises ComposeRefused."""
    report = Report(files[0].path)
    root = root_field(_joined(files, Library(report, read, limits or Limits()), None))
    builds = read_builds(report, root.get("services"), folder_of(files[0].path))
    report.refuse_if_wrong()
    return builds


def _joined(files: Sequence[SourceFile], library: Library, filling: Filling | None) -> Table:
    """One tree of all files; without `filling`, variables stay as they are written."""
    fill = filling.top if filling else _as_written
    extender = Extender(library.report, library, fill, folder_of(files[0].path))
    merger = Merger(library.report)
    joined: Table | None = None
    for file in files:
        extended = extender.apply(fill(library.add(file).root), file.path)
        joined = extended if joined is None else merger.files(joined, extended)
    assert joined is not None, "there is a first file"
    if any(document.marked for document in library.known.values()):
        joined = settled(joined)
    if len(library.known) > 1 or extender.extended:
        _check_size(library, joined)
    return joined


def _as_written(root: Table) -> Table:
    return root


def _check_size(library: Library, root: Table) -> None:
    """What is extended again and again is bounded as what aliases stand for."""
    most, most_text = library.limits.max_nodes, library.limits.max_text
    nodes: list[Node] = [root]
    count = length = 0
    while nodes:
        node = nodes.pop()
        match node:
            case Table():
                nodes.extend(entry.value for entry in node.entries)
                count += 2 * len(node.entries)
            case Items():
                nodes.extend(node.items)
                count += len(node.items)
            case Scalar():
                length += len(node.text)
        if count > most or length > most_text:
            message = f"The files joined hold more than {most} values, or {most_text} characters in them."
            library.report.error("too-large", Spot(1, 1, ""), message, "Make them smaller.")
            raise ComposeRefused(library.report.findings)


def _check_variables(variables: Mapping[str, str]) -> None:
    for name, value in variables.items():
        if is_mixed(value):
            message = f"The variable {name} holds a character for private use."
            raise Invalid(message, "Remove the character.")


def _compose(
    report: Report, root: Field, variables: Mapping[str, str], questions: Questions, commit: Commit
) -> ComposeFile:
    _check_version(report, root.get("version"))
    mounts = MountReader(report, _declared_volumes(report, root.get("volumes")), CommitMounts(report, commit))
    files = committed_secrets(report, root.get("secrets"))
    secrets = SecretReader(report, declared_secrets(report, root.get("secrets")), commit.named(report, files))
    configs = declared_configs(report, root.get("configs"), commit.read, commit.folder)
    env_files = EnvFileReader(report, commit.read, commit.folder, variables)
    services = root.get("services")
    found: list[Service] = []
    if services is None or not isinstance(services.node, Table) or not services.node.entries:
        report.error("no-services", (services or root).spot, "The file names no services.", "Add services:.")
    else:
        reader = ServiceReader(report, variables, mounts, secrets, configs, env_files, questions)
        found = [service for name, value in deployed(services) if (service := reader.read(name, value))]
        left_out(report, services)
        found = list(with_builds(report, services, found, variables))
    networks = declared_networks(report, root.get("networks"))
    found_in_order = with_ends(report, with_aliases(report, found))
    compose = ComposeFile(report.file, found_in_order, tuple(mounts.volumes.values()), networks)
    check_networks(report, compose)
    return compose


def _check_version(report: Report, field: Field | None) -> None:
    if field is None:
        return
    if field.text.partition(".")[0] not in ("2", "3"):
        report.error("version", field.spot, f"{field.text[:20]!r} is no known version.", "Remove it, or write '3.8'.")


def _declared_volumes(report: Report, field: Field | None) -> frozenset[str]:
    declared = dict(fields.entries(report, field))
    for volume in declared.values():
        if not volume.empty and fields.table(report, volume, policy.VOLUME) and (driver := volume.get("driver")):
            _check_volume_driver(report, driver)
    return frozenset(declared)


def _check_volume_driver(report: Report, driver: Field) -> None:
    if not driver.empty and fields.text(report, driver) not in ("local", None):
        message = "The platform keeps the volumes, all of them on its own machines."
        report.error("no-driver", driver.spot, message, "Remove driver, or write local.")
