"""Keys and certificates of the cluster, by the openssl program: an authority of its own and one pair a component.

Names and groups are those that Kubernetes' own authorisation expects (the "default user accounts" of
https://kubernetes.io/docs/setup/best-practices/certificates/).
"""

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from local.steps import run

_DAYS = 3650
_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc")


@dataclass(frozen=True)
class Certificate:
    """One certificate.

    Args:
        file: base name of its `.key` and `.crt`.
        user: common name, which Kubernetes takes for the user.
        group: organisation, which Kubernetes takes for the group.
        names: subject alternative names as openssl writes them (`IP:...`, `DNS:...`).
    """

    file: str
    user: str
    group: str
    names: tuple[str, ...] = ()


def wanted(node: str, addresses: Sequence[str]) -> tuple[Certificate, ...]:
    """The certificates of a cluster.

    Args:
        node: name of the real node.
        addresses: all at which the API server and the kubelet are reached.
    """
    numbers = tuple(f"IP:{address}" for address in addresses)
    kubernetes = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local")
    names = ("DNS:localhost", *(f"DNS:{name}" for name in kubernetes))
    return (
        Certificate("kube-apiserver", "kube-apiserver", "siteforge", names + numbers),
        Certificate("kubelet", f"system:node:{node}", "system:nodes", (f"DNS:{node}", *numbers)),
        Certificate("kube-controller-manager", "system:kube-controller-manager", "system:kube-controller-manager"),
        Certificate("kube-scheduler", "system:kube-scheduler", "system:kube-scheduler"),
        Certificate("kube-proxy", "system:kube-proxy", "system:node-proxier"),
        # The add-ons (DNS, storage, simulated nodes) are the administrator too: they run as processes of this machine.
        Certificate("admin", "siteforge-admin", "system:masters"),
    )


def ensure(folder: Path, certificates: Sequence[Certificate], log: Path) -> None:
    """Make what is missing or no longer fits, in `folder`, with keys that only their owner can read.

    The authority and the key that signs service account tokens stay the same for the cluster's life. The rest is
    issued anew when names or addresses change.

    Raises:
        Failure: openssl is missing or refuses; the message has its last lines.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    issued = folder / "issued.json"
    specification = json.dumps([asdict(certificate) for certificate in certificates], indent=1)
    complete = issued.exists() and issued.read_text() == specification
    if complete and all((folder / f"{certificate.file}.key").exists() for certificate in certificates):
        return
    work = folder / "new"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(mode=0o700)
    if not (folder / "authority.key").exists():
        _openssl(log, "req", "-x509", *_KEY, "-days", str(_DAYS), "-subj", "/CN=siteforge-local",
                 "-addext", "basicConstraints=critical,CA:TRUE",
                 "-addext", "keyUsage=critical,keyCertSign,cRLSign,digitalSignature",
                 "-keyout", work / "authority.key", "-out", work / "authority.crt")  # fmt: skip
        # The key goes last, as its presence is what says that the pair is complete.
        _publish(work, folder, "authority.crt", "authority.key")
    if not (folder / "service-accounts.key").exists():
        _openssl(log, "genrsa", "-out", work / "service-accounts.key", "2048")
        _publish(work, folder, "service-accounts.key")
    for certificate in certificates:
        _issue(certificate, folder, work, log)
    temporary = work / issued.name
    temporary.write_text(specification)
    temporary.replace(issued)
    shutil.rmtree(work, ignore_errors=True)


def _issue(certificate: Certificate, folder: Path, work: Path, log: Path) -> None:
    key, crt = f"{certificate.file}.key", f"{certificate.file}.crt"
    names = ("-addext", f"subjectAltName={','.join(certificate.names)}") if certificate.names else ()
    _openssl(log, "req", "-x509", *_KEY, "-days", str(_DAYS),
             "-CA", folder / "authority.crt", "-CAkey", folder / "authority.key",
             "-subj", f"/O={certificate.group}/CN={certificate.user}",
             "-addext", "basicConstraints=critical,CA:FALSE", "-addext", "keyUsage=critical,digitalSignature",
             "-addext", "extendedKeyUsage=serverAuth,clientAuth", *names,
             "-keyout", work / key, "-out", work / crt)  # fmt: skip
    _publish(work, folder, key, crt)


def _publish(work: Path, folder: Path, *files: str) -> None:
    for name in files:
        (work / name).chmod(0o600)
        (work / name).replace(folder / name)


def _openssl(log: Path, *arguments: str | Path) -> None:
    # An empty configuration: the machine's openssl.cnf may add extensions of its own.
    run(["openssl", *arguments], log=log, env=os.environ | {"OPENSSL_CONF": "/dev/null"})
