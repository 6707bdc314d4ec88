"""X.509 with `cryptography`: an authority, certificates that it signs, and what others bring."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Network, IPv6Network
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes, PrivateKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from cabestan.domain.certificate import Certificate, CertificateKind
from cabestan.errors import Invalid

_AUTHORITY_LIFE = timedelta(days=3650)
#: browsers refuse longer ones
_LIFE = timedelta(days=397)
#: clocks differ
_BEFORE = timedelta(hours=1)
#: with the wildcards in any place and the dots at the end that the router takes
_LIKE_A_HOST = re.compile(r"[a-z0-9*_-]*[.*][a-z0-9.*_-]*", re.ASCII)
_EVERY_ADDRESS = (x509.IPAddress(IPv4Network("0.0.0.0/0")), x509.IPAddress(IPv6Network("::/0")))


@dataclass(frozen=True)
class Issued:
    """A certificate and its private key, as PEM (PKCS 8, not encrypted)."""

    certificate: Certificate
    key: str

    def __repr__(self) -> str:
        return f"Issued({self.certificate!r})"


def make_authority(name: str, domains: Iterable[str], now: datetime) -> Issued:
    """Signs itself. It holds for names in `domains` alone, so that whoever steals its key gains no other name."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Cabestan"), x509.NameAttribute(NameOID.COMMON_NAME, name)]
    )
    constraints = x509.NameConstraints([x509.DNSName(domain) for domain in sorted(set(domains))], [*_EVERY_ADDRESS])
    made = (
        _builder(subject, subject, key.public_key(), now, _AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .add_extension(constraints, critical=True)
        .sign(key, hashes.SHA256())
    )
    return Issued(_value(CertificateKind.AUTHORITY, made, _pem(made)), _key_text(key))


def issue(authority: Issued, hosts: tuple[str, ...], now: datetime) -> Issued:
    """For a server with these names, which may be wildcards."""
    root = x509.load_pem_x509_certificate(authority.certificate.chain.encode())
    signing = serialization.load_pem_private_key(authority.key.encode(), None)
    assert isinstance(signing, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    # the common name has at most 64 characters, and says nothing that the alternative names do not
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0][:64])])
    key_of_root = root.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    made = (
        _builder(subject, root.subject, key.public_key(), now, _LIFE)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(key_of_root), critical=False)
        .sign(signing, hashes.SHA256())
    )
    return Issued(_value(CertificateKind.OWN, made, _pem(made)), _key_text(key))


def permitted_domains(authority: Certificate) -> frozenset[str]:
    """The domains that it may sign for."""
    root = x509.load_pem_x509_certificate(authority.chain.encode())
    constraints = root.extensions.get_extension_for_class(x509.NameConstraints).value
    return frozenset(name.value for name in constraints.permitted_subtrees or () if isinstance(name, x509.DNSName))


def read_der(der: bytes) -> Certificate:
    """What a server showed in a handshake."""
    found = x509.load_der_x509_certificate(der)
    return _value(CertificateKind.ACME, found, _pem(found))


def check_upload(chain: str, key: str, now: datetime) -> Certificate:
    """A chain and its key, as PEM. Raises Invalid that says which of the two is wrong, and how."""
    certificates = _read_chain(chain)
    first = certificates[0]
    if _public(_read_key(key).public_key()) != _public(first.public_key()):
        raise Invalid(
            "The private key is not the key of the first certificate.",
            "Put the server's own certificate first, and give the key that it was made with.",
        )
    for below, above in pairwise(certificates):
        _check_signed(below, above)
    value = _value(CertificateKind.UPLOADED, first, "".join(map(_pem, certificates)))
    _check_use(first, value, now)
    for above in certificates[1:]:
        if above.not_valid_after_utc <= now:
            raise Invalid(f"{_name(above)} in the chain ended at {above.not_valid_after_utc}.", "Give a newer chain.")
    return value


def _read_chain(chain: str) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(chain.encode())
    except ValueError as error:
        raise Invalid(
            "The chain holds no certificate that can be read.",
            "Give PEM: -----BEGIN CERTIFICATE-----, the server's own certificate first, then those that signed it.",
        ) from error


def _read_key(key: str) -> PrivateKeyTypes:
    try:
        return serialization.load_pem_private_key(key.encode(), None)
    except TypeError as error:
        raise Invalid("The private key is encrypted.", "Decrypt it: openssl pkey -in KEY -out PLAIN.") from error
    except ValueError as error:
        raise Invalid(
            "The private key cannot be read.", "Give PEM, such as -----BEGIN PRIVATE KEY-----, without a passphrase."
        ) from error


def _check_signed(below: x509.Certificate, above: x509.Certificate) -> None:
    try:
        below.verify_directly_issued_by(above)
    except (InvalidSignature, ValueError, TypeError) as error:
        raise Invalid(
            f"{_name(above)} follows {_name(below)} in the chain, but did not sign it.",
            "Put the certificates in order: the server's own first, each followed by the one that signed it.",
        ) from error


def _check_use(first: x509.Certificate, value: Certificate, now: datetime) -> None:
    if not value.hosts:
        raise Invalid(f"{_name(first)} has no host name.", "Browsers want it as a subject alternative name.")
    if value.not_after <= now:
        raise Invalid(f"{_name(first)} ended at {value.not_after}.", "Give one that is still good.")
    if value.not_before > now:
        raise Invalid(f"{_name(first)} is good from {value.not_before} only.", "Add it then.")
    if _is_authority(first):
        raise Invalid(
            f"{_name(first)} is an authority's.",
            "Put the server's own certificate first. One that signs itself is made by "
            "`openssl req -x509 … -addext basicConstraints=critical,CA:FALSE`.",
        )
    if further := _further_name(first, value.hosts):
        message = f"The common name of the certificate, {further[:80]!r}, is none of its subject alternative names."
        raise Invalid(message, "Have it made anew with all its host names as subject alternative names.")


def _further_name(certificate: x509.Certificate, hosts: tuple[str, ...]) -> str:
    """A common name that is not among the hosts. The router takes it for one more, and a comma for several."""
    names = [str(name.value).lower() for name in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    parts = [part.strip() for name in names for part in name.split(",")]
    return next((part for part in parts if _LIKE_A_HOST.fullmatch(part) and part not in hosts), "")


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return bool(certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca)
    except x509.ExtensionNotFound:
        return False


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    now: datetime,
    life: timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BEFORE)
        .not_valid_after(now - _BEFORE + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _value(kind: CertificateKind, certificate: x509.Certificate, chain: str) -> Certificate:
    return Certificate(
        id=0,
        kind=kind,
        hosts=_hosts(certificate),
        chain=chain,
        issuer=_common_name(certificate.issuer),
        fingerprint=certificate.fingerprint(hashes.SHA256()).hex(),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
    )


def _hosts(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(dict.fromkeys(name.lower() for name in names.get_values_for_type(x509.DNSName)))


def _name(certificate: x509.Certificate) -> str:
    return f"The certificate of {_common_name(certificate.subject)}"


def _common_name(name: x509.Name) -> str:
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else name.rfc4514_string()


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _public(key: object) -> bytes:
    encoding, form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    public: bytes = key.public_bytes(encoding, form)  # type: ignore[attr-defined]
    return public


def _key_text(key: CertificateIssuerPrivateKeyTypes) -> str:
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, serialization.NoEncryption()).decode()
