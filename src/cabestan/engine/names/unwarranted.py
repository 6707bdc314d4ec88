"""Certificates that were uploaded for projects hold for as long as all their names are the project's.

A name that is given up may be somebody else's tomorrow, who must not be served with the key of today's owner.
"""

from datetime import timedelta

import sqlalchemy as sa
import structlog

from cabestan.domain.certificate import Certificate, CertificateKind
from cabestan.engine.names import hosts
from cabestan.engine.services import Services
from cabestan.store import alerts as alert_store
from cabestan.store import certificates as store
from cabestan.store import outbox
from cabestan.store import projects as project_store

_log = structlog.get_logger(__name__)
KIND = "certificate-removed"
#: the alert only tells: nothing ends it but time
_TOLD = timedelta(days=7)


def unwarranted(services: Services, tx: sa.Connection) -> dict[Certificate, tuple[str, ...]]:
    """Those of projects to their names that are not the project's, or not any more."""
    uploaded = [one for one in store.of_kind(tx, CertificateKind.UPLOADED) if one.project]
    projects = {one.project: project_store.find(tx, one.project) for one in uploaded}
    own = {name: hosts.names_of(services, tx, project) for name, project in projects.items() if project}
    foreign = {one: tuple(host for host in one.hosts if host not in own[one.project]) for one in uploaded}
    return {one: names for one, names in foreign.items() if names}


def drop_unwarranted(services: Services, tx: sa.Connection) -> tuple[Certificate, ...]:
    """Takes them away, each with an alert, and gives them."""
    gone = unwarranted(services, tx)
    for certificate, names in gone.items():
        store.remove(tx, certificate.id)
        _raise_alert(services, tx, certificate, names)
        if project := project_store.find(tx, certificate.project):
            outbox.tell(tx, project.id, services.now())
        _log.info("removed a certificate", project=certificate.project, hosts=certificate.hosts, foreign=names)
    for alert in alert_store.all_open(tx, KIND):
        if services.now() - alert.raised_at > _TOLD:
            alert_store.clear(tx, alert.id, services.now())
    return tuple(gone)


def _raise_alert(services: Services, tx: sa.Connection, certificate: Certificate, names: tuple[str, ...]) -> None:
    subject, project = ", ".join(certificate.hosts), project_store.find(tx, certificate.project)
    verb = "does" if len(names) == 1 else "do"
    message = (
        f"The certificate that {certificate.by} brought for {subject} was removed with its key: "
        f"{', '.join(names)} {verb} not belong to {certificate.project} any more."
    )
    left = [host for host in certificate.hosts if host not in names]
    remedy = "Nothing is to be done."
    if left:
        remedy = f"Bring one for {', '.join(left)}, where it needs one: `cabestan certificate add`."
    alert_store.put(tx, KIND, subject, message, remedy, project.id if project else None, services.now())
