"""The own authority and what it signs, judged by OpenSSL; and what people bring."""

import ssl
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cabestan.adapters.certificates import Issued, check_upload, issue, make_authority, permitted_domains, read_der
from cabestan.domain.certificate import CertificateKind
from cabestan.errors import Invalid

NOW = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
DOMAINS = ("localhost", "internal", "apps.example.org")


@pytest.fixture(scope="module")
def root() -> Issued:
    return make_authority("Cabestan test", DOMAINS, NOW)


def _verify(folder: Path, root: Issued, leaf: Issued, host: str) -> str:
    """What OpenSSL says; empty where it accepts the certificate for the host."""
    (folder / "root.pem").write_text(root.certificate.chain)
    (folder / "leaf.pem").write_text(leaf.certificate.chain)
    moment = str(int(NOW.timestamp()) + 60)
    command = [
        "openssl",
        "verify",
        "-x509_strict",
        "-purpose",
        "sslserver",
        "-attime",
        moment,
        "-verify_hostname",
        host,
    ]
    command += ["-CAfile", str(folder / "root.pem"), str(folder / "leaf.pem")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


@pytest.mark.parametrize(
    ("names", "host"),
    [
        (("staging-hello-demo.localhost",), "staging-hello-demo.localhost"),
        (("apps.example.org", "*.apps.example.org"), "apps.example.org"),
        (("apps.example.org", "*.apps.example.org"), "x.apps.example.org"),
        ((f"{'a' * 63}.{'b' * 63}.internal",), f"{'a' * 63}.{'b' * 63}.internal"),
    ],
)
def test_openssl_accepts_what_the_authority_signs(
    root: Issued, tmp_path: Path, names: tuple[str, ...], host: str
) -> None:
    leaf = issue(root, names, NOW)
    assert _verify(tmp_path, root, leaf, host) == ""
    assert "hostname mismatch" in _verify(tmp_path, root, leaf, "other.internal")
    assert (leaf.certificate.hosts, leaf.certificate.kind, leaf.certificate.issuer) == (
        names,
        CertificateKind.OWN,
        "Cabestan test",
    )
    assert leaf.certificate.not_after - leaf.certificate.not_before == timedelta(days=397)


def test_the_authority_cannot_sign_for_other_names(root: Issued, tmp_path: Path) -> None:
    assert permitted_domains(root.certificate) == frozenset(DOMAINS)
    stolen = issue(root, ("bank.example.com",), NOW)
    assert "permitted subtree violation" in _verify(tmp_path, root, stolen, "bank.example.com")


def test_a_key_does_not_show(root: Issued) -> None:
    assert root.key.startswith("-----BEGIN PRIVATE KEY-----")
    assert "PRIVATE" not in repr(root)


def test_what_a_server_shows_is_read(root: Issued) -> None:
    leaf = issue(root, ("a.internal",), NOW).certificate
    der = ssl.PEM_cert_to_DER_cert(leaf.chain)
    assert read_der(der) == replace(leaf, kind=CertificateKind.ACME)


def test_a_chain_and_its_key_are_taken(root: Issued) -> None:
    leaf = issue(root, ("a.internal", "*.b.internal"), NOW)
    chain = leaf.certificate.chain + root.certificate.chain
    assert check_upload(chain, leaf.key, NOW) == replace(leaf.certificate, kind=CertificateKind.UPLOADED, chain=chain)


def test_what_is_wrong_with_a_chain_or_its_key_is_told(root: Issued) -> None:
    leaf, other = issue(root, ("a.internal",), NOW), issue(root, ("b.internal",), NOW)
    foreign = make_authority("Another", DOMAINS, NOW)
    text = leaf.certificate.chain
    locked = _encrypted(leaf.key)
    cases = [
        ("", leaf.key, NOW, "The chain holds no certificate that can be read."),
        ("-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n", leaf.key, NOW, "The chain holds no"),
        (text, "", NOW, "The private key cannot be read."),
        (text, locked, NOW, "The private key is encrypted."),
        (text, other.key, NOW, "The private key is not the key of the first certificate."),
        (root.certificate.chain + text, leaf.key, NOW, "The private key is not the key of the first certificate."),
        (text + foreign.certificate.chain, leaf.key, NOW, "The certificate of Another follows The certificate of"),
        (text, leaf.key, NOW + timedelta(days=398), "The certificate of a.internal ended at"),
        (text, leaf.key, NOW - timedelta(days=2), "The certificate of a.internal is good from"),
        (root.certificate.chain, root.key, NOW, "The certificate of Cabestan test has no host name."),
    ]
    for chain, key, now, words in cases:
        with pytest.raises(Invalid) as caught:
            check_upload(chain, key, now)
        assert caught.value.message.startswith(words)
        assert caught.value.remedy
        assert leaf.key.splitlines()[1] not in str(caught.value)


@pytest.mark.parametrize("remedied", [False, True])
def test_one_that_signs_itself_is_taken_when_it_is_made_as_the_refusal_says(tmp_path: Path, remedied: bool) -> None:
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -subj /CN=a.internal -keyout key"
    more = ["-addext", "basicConstraints=critical,CA:FALSE"] if remedied else []
    names = ["-addext", "subjectAltName=DNS:a.internal"]
    made = subprocess.run([*command.split(), *names, *more], cwd=tmp_path, capture_output=True, text=True, check=True)
    key, now = (tmp_path / "key").read_text(), datetime.now(UTC) + timedelta(minutes=1)
    if remedied:
        assert check_upload(made.stdout, key, now).hosts == ("a.internal",)
        return
    with pytest.raises(Invalid) as caught:
        check_upload(made.stdout, key, now)
    assert caught.value.message == "The certificate of a.internal is an authority's."
    assert "-addext basicConstraints=critical,CA:FALSE" in caught.value.remedy


def _encrypted(key: str) -> str:
    command = ["openssl", "pkey", "-aes256", "-passout", "pass:x"]
    return subprocess.run(command, input=key, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    ("common_name", "refused"),
    [
        *(("victim.org", True), ("*.*.org", True), ("*", True), ("Own,victim.org.", True), ("a.internal", False)),
        *(("A.Internal", False), ("A company, and its certificate", False)),
    ],
)
def test_a_common_name_that_the_router_would_take_for_a_further_host_is_refused(
    common_name: str, refused: bool
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, NOW, NOW + timedelta(days=1))
    names = x509.SubjectAlternativeName([x509.DNSName("a.internal")])
    made = builder.add_extension(names, critical=False).sign(key, hashes.SHA256())
    form = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    pem = key.private_bytes(serialization.Encoding.PEM, *form).decode()
    chain = made.public_bytes(serialization.Encoding.PEM).decode()
    if refused:
        with pytest.raises(Invalid, match="is none of its subject alternative names"):
            check_upload(chain, pem, NOW)
    else:
        assert check_upload(chain, pem, NOW).hosts == ("a.internal",)
