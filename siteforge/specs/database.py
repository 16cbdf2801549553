"""A tenant's own database: one MariaDB in a StatefulSet, reached through a Service.

The contract with the image is that of the official `mariadb` image (hub.docker.com/_/mariadb). A tenant whose
database is kept elsewhere has none of these objects.
"""

import base64
from typing import Any

from siteforge import names
from siteforge.blueprint import Blueprint, Database
from siteforge.names import DATABASE
from siteforge.quantities import MEBIBYTE, parse
from siteforge.secrets import Credentials
from siteforge.specs import pods
from siteforge.specs.manifest import Manifest, manifest

NAME = "wordpress"
USER = "wordpress"
PORT = 3306

_USER_ID = 10999
"""Nobody's on a node, where the image's own `mysql` (999) may be somebody; the official image runs as any user."""

_SLOW_START_SECONDS = 600

_HEADLESS = f"{DATABASE}-headless"
_PASSWORDS_SQL = "passwords.sql"


def secret_data(credentials: Credentials) -> dict[str, str]:
    """The passwords as `data` of a Secret, and the SQL that gives them to the accounts at each start."""
    values = {
        "password": credentials.database_password,
        "root-password": credentials.database_root_password,
        _PASSWORDS_SQL: passwords_sql(credentials),
    }
    return {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}


def passwords_sql(credentials: Credentials) -> str:
    """What the server runs at each start (`--init-file`): the accounts get the passwords of the Secret.

    So a rotation, a restored backup and an adopted volume all end with passwords that fit. The image itself
    sets passwords only when it makes the database; until then there are no accounts to change.
    """
    accounts = {f"{USER}@'%'": credentials.database_password, "root@localhost": credentials.database_root_password}
    lines = [
        "SET @made = (SELECT COUNT(*) FROM information_schema.tables"
        " WHERE table_schema = 'mysql' AND table_name = 'global_priv');",
        _if_made(f"SELECT COUNT(*) INTO @made FROM mysql.global_priv WHERE User = '{USER}'"),  # noqa: S608 - all constants
        *(_if_made(f"ALTER USER {account} IDENTIFIED BY {_text(password)}") for account, password in accounts.items()),
    ]
    return "\n".join(lines) + "\n"


def _if_made(statement: str) -> str:
    quoted = statement.replace("\\", "\\\\").replace('"', '\\"')
    return f'EXECUTE IMMEDIATE IF(@made, "{quoted}", "DO 0");'


def _text(value: str) -> str:
    """A text of SQL: a derived password is one as it is, one that was adopted may be anything on one line."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def secret(tenant: Blueprint) -> Manifest:
    """The Secret, but for its data: see `secret_data`."""
    return manifest("v1", "Secret", tenant.name, DATABASE, names.role_labels(tenant.name, DATABASE), type="Opaque")


def service_account(tenant: Blueprint) -> Manifest:
    """The database's identity."""
    return pods.service_account(tenant.name, DATABASE)


def claim(tenant: Blueprint) -> Manifest:
    """The claim of the data's volume.

    A claim of its own rather than a template of the StatefulSet: a template can't be changed, so the
    volume could never grow.
    """
    return pods.claim(tenant.name, DATABASE, _own(tenant).volume)


def service(tenant: Blueprint) -> Manifest:
    """The Service that WordPress connects to.

    Its address outlives the pod's, and refuses at once while the pod is not ready. The name of a headless
    one resolves to the pod itself: after a restart clients wait for the old pod's address, for as long as
    DNS caches it, and then for their own time-out.
    """
    # Nobody answers while the tenant is suspended: an update would wait for it.
    annotations = {"pulumi.com/skipAwait": "true"} if tenant.suspended else {}
    return _service(tenant, DATABASE, annotations, type="ClusterIP")


def headless_service(tenant: Blueprint) -> Manifest:
    """The headless Service that a StatefulSet asks for: it gives the pod its name in DNS."""
    return _service(tenant, _HEADLESS, {}, clusterIP="None")


def _service(tenant: Blueprint, name: str, annotations: dict[str, str], **fields: str) -> Manifest:
    spec = {
        **fields,
        "selector": names.selector(tenant.name, DATABASE),
        "ports": [{"name": "mysql", "port": PORT, "targetPort": "mysql", "protocol": "TCP"}],
    }
    labels = names.role_labels(tenant.name, DATABASE)
    return manifest("v1", "Service", tenant.name, name, labels, annotations=annotations, spec=spec)


def stateful_set(tenant: Blueprint) -> Manifest:
    """The StatefulSet, but for its spec: see `stateful_set_spec`."""
    return manifest("apps/v1", "StatefulSet", tenant.name, DATABASE, names.role_labels(tenant.name, DATABASE))


def stateful_set_spec(tenant: Blueprint, fingerprint: str) -> dict[str, Any]:
    """The spec of one replica, or none of a suspended tenant. A change of its pod template restarts the database.

    Args:
        tenant: the blueprint.
        fingerprint: of the tenant's credentials; the server takes new ones when it starts.
    """
    metadata = {
        "labels": names.role_labels(tenant.name, DATABASE),
        "annotations": {names.annotation("credentials"): fingerprint},
    }
    return {
        "serviceName": _HEADLESS,
        "replicas": 0 if tenant.suspended else 1,
        "revisionHistoryLimit": 3,
        "selector": {"matchLabels": names.selector(tenant.name, DATABASE)},
        "template": {"metadata": metadata, "spec": _pod(tenant)},
    }


def disruption_budget(tenant: Blueprint) -> Manifest:
    """The database is one pod: the drain of its node stops it, and it starts on another."""
    return pods.disruption_budget(tenant.name, DATABASE, 1)


def arguments(memory_limit: str) -> list[str]:
    """MariaDB's options.

    The buffer pool takes two fifths; the rest is for connections (up to some 3 MiB each while they
    sort and join) and for the server itself. The default of 128 MiB would waste a large container
    and, with its 151 connections, kill a small one.
    """
    mebibytes = int(parse(memory_limit) / MEBIBYTE)
    connections = min(max(mebibytes // 4, 50), 1000)
    return [
        f"--innodb-buffer-pool-size={mebibytes * 2 // 5}M",
        f"--max-connections={connections}",
        # Its network policy lets it ask nobody: each connection would wait for DNS in vain.
        "--skip-name-resolve",
    ]


def _own(tenant: Blueprint) -> Database:
    assert tenant.database is not None, "asked only where the tenant has a database of its own"
    return tenant.database


def _pod(tenant: Blueprint) -> dict[str, Any]:
    return {
        "serviceAccountName": DATABASE,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": pods.pod_security(_USER_ID),
        # Time to write dirty pages back; killed earlier, the next start has to recover.
        "terminationGracePeriodSeconds": 60,
        "containers": [_container(tenant)],
        "volumes": [
            {"name": "data", "persistentVolumeClaim": {"claimName": DATABASE}},
            {"name": "run"} | pods.scratch("16Mi"),
            {"name": "secrets"} | pods.secret_volume(DATABASE),
            {"name": "tmp"} | pods.scratch("1Gi"),
        ],
        **pods.scheduling(_own(tenant).scheduling),
    }


def _container(tenant: Blueprint) -> dict[str, Any]:
    return {
        "name": "mariadb",
        "image": _own(tenant).image,
        "imagePullPolicy": tenant.pull_policy,
        "args": [*arguments(_own(tenant).size.memory_limit), f"--init-file={pods.SECRETS_FOLDER}/{_PASSWORDS_SQL}"],
        "env": [
            {"name": "MARIADB_AUTO_UPGRADE", "value": "1"},
            {"name": "MARIADB_DATABASE", "value": NAME},
            {"name": "MARIADB_INITDB_SKIP_TZINFO", "value": "1"},
            {"name": "MARIADB_PASSWORD_FILE", "value": f"{pods.SECRETS_FOLDER}/password"},
            # root connects from inside the pod only.
            {"name": "MARIADB_ROOT_HOST", "value": "localhost"},
            {"name": "MARIADB_ROOT_PASSWORD_FILE", "value": f"{pods.SECRETS_FOLDER}/root-password"},
            {"name": "MARIADB_USER", "value": USER},
        ],
        "ports": [{"name": "mysql", "containerPort": PORT, "protocol": "TCP"}],
        "resources": pods.resources(_own(tenant).size),
        "securityContext": pods.CONTAINER_SECURITY,
        # The image's own check; --connect goes over TCP, which the server of the first initialisation,
        # that has no passwords yet, does not answer.
        "startupProbe": _probe(["--connect", "--innodb_initialized"], period=2, failures=_SLOW_START_SECONDS // 2),
        "readinessProbe": _probe(["--connect", "--innodb_initialized"], period=5, failures=2),
        "livenessProbe": _probe(["--connect"], period=30, failures=4),
        "volumeMounts": [
            # A folder below the volume's root, which may hold a file system's lost+found.
            {"name": "data", "mountPath": "/var/lib/mysql", "subPath": "mysql"},
            {"name": "run", "mountPath": "/run/mysqld"},
            {"name": "secrets", "mountPath": pods.SECRETS_FOLDER, "readOnly": True},
            {"name": "tmp", "mountPath": "/tmp"},
        ],
    }


def _probe(checks: list[str], *, period: int, failures: int) -> dict[str, Any]:
    return {
        "exec": {"command": ["healthcheck.sh", *checks]},
        "periodSeconds": period,
        "timeoutSeconds": 10,
        "failureThreshold": failures,
    }
