"""A tenant's site: WordPress with Apache in a Deployment, behind a Service.

The contract with the image is that of the official `wordpress` image (hub.docker.com/_/wordpress,
docker-library/wordpress): its entry point copies the core to /var/www/html and writes wp-config.php
from the environment. Core lives in a scratch folder, so that a new image is a new core; wp-content
lives on the volume.
"""

import base64
import hashlib
from collections.abc import Mapping
from typing import Any, Final

from siteforge import names, quantities
from siteforge.blueprint import Blueprint
from siteforge.names import WORDPRESS
from siteforge.plans import ContainerSize
from siteforge.quantities import parse
from siteforge.secrets import SALTS, Credentials
from siteforge.specs import database, pods
from siteforge.specs.manifest import Manifest, manifest
from siteforge.specs.site_config import METRICS_PORT, config, database_host
from siteforge.tenant_spec import AutoscalingSpec

ADMIN_USER = "admin"
PORT = 80

USER_ID = 10033
"""Nobody's on a node, where the image's own `www-data` (33) is somebody; the official image runs as any user."""

_LEAVING: dict[str, Any] = {
    # Requests still arrive until every node has heard that the pod is going; then the image's
    # stop signal lets Apache finish those it has.
    "preStop": {"exec": {"command": ["sleep", "5"]}},
}

_COMPONENT = "app.kubernetes.io/component"
SUSPENDED = {_COMPONENT: "suspended"}
"""Tells the pod of a suspended tenant's page from one of a site: both are of one Deployment."""

ROOT: Final = "/var/www/html"
"""Where the image has Apache look for the site."""
CONTENT: Final = f"{ROOT}/wp-content"
"""All of the site that isn't core: what its volume keeps."""
SCRIPTS_FOLDER = "/opt/siteforge/scripts"
_SCRIPTS = ("config.php", "install.php", "site.json", "site.php")
_HEALTH_PATH = "/siteforge-health.php"
_SLOW_START_SECONDS = 600
_LEAST_SCRATCH_SPACE = "512Mi"


def secret_data(credentials: Credentials) -> dict[str, str]:
    """The passwords and salts as `data` of a Secret."""
    values = {"admin-password": credentials.admin_password, "database-password": credentials.database_password}
    values |= {_salt_key(name): value for name, value in credentials.salts.items()}
    if credentials.smtp_password:
        values["smtp-password"] = credentials.smtp_password
    return {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}


def secret(tenant: Blueprint) -> Manifest:
    """The Secret, but for its data: see `secret_data`."""
    return manifest("v1", "Secret", tenant.name, WORDPRESS, names.role_labels(tenant.name, WORDPRESS), type="Opaque")


def config_map(tenant: Blueprint) -> Manifest:
    """The scripts that install, configure and probe the site, and Apache's settings."""
    labels = names.role_labels(tenant.name, WORDPRESS)
    return manifest("v1", "ConfigMap", tenant.name, WORDPRESS, labels, data=config(tenant))


def service_account(tenant: Blueprint) -> Manifest:
    """The site's identity."""
    return pods.service_account(tenant.name, WORDPRESS)


def claim(tenant: Blueprint) -> Manifest:
    """The claim of wp-content's volume."""
    return pods.claim(tenant.name, WORDPRESS, tenant.site.volume)


def service(tenant: Blueprint) -> Manifest:
    """The Service that the site is reached through; it sends traffic to ready pods only."""
    spec = {
        "type": "ClusterIP",
        "selector": names.selector(tenant.name, WORDPRESS),
        "ports": [{"name": "http", "port": PORT, "targetPort": "http", "protocol": "TCP"}],
    }
    return manifest("v1", "Service", tenant.name, WORDPRESS, names.role_labels(tenant.name, WORDPRESS), spec=spec)


def deployment(tenant: Blueprint) -> Manifest:
    """The Deployment, but for its spec: see `deployment_spec`."""
    return manifest("apps/v1", "Deployment", tenant.name, WORDPRESS, names.role_labels(tenant.name, WORDPRESS))


def disruption_budget(tenant: Blueprint) -> Manifest:
    """One pod of a site that is spread over nodes; all pods of one whose volume keeps them on a node.

    There, a pod that is stopped can't start anywhere until the others are gone: to spare them would block
    the drain, and save nothing.
    """
    return pods.disruption_budget(tenant.name, WORDPRESS, "100%" if _on_one_node(tenant) else 1)


def scaling(tenant: Blueprint) -> AutoscalingSpec | None:
    """Between how many pods the site follows its load, if it does: one and one while it is suspended.

    An autoscaler that went away with the site could set the page's number while it does so, and nothing would set it
    back; one that is held to one pod sets it right.
    """
    scaling = tenant.site.autoscaling
    if scaling and tenant.suspended:
        return scaling.model_copy(update={"min_replicas": 1, "max_replicas": 1})
    return scaling


def most_pods(tenant: Blueprint) -> int:
    """How many pods there may be as the tenant is now, apart from rollouts."""
    return 1 if tenant.suspended else tenant.site.most_replicas


def autoscaler(tenant: Blueprint, scaling: AutoscalingSpec) -> Manifest:
    """Keeps as many pods as the load needs; it takes metrics of the cluster (metrics-server)."""
    target = {"type": "Utilization", "averageUtilization": scaling.target_cpu_utilization_percentage}
    spec = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": WORDPRESS},
        "minReplicas": scaling.min_replicas,
        "maxReplicas": scaling.max_replicas,
        "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
    }
    labels = names.role_labels(tenant.name, WORDPRESS)
    return manifest("autoscaling/v2", "HorizontalPodAutoscaler", tenant.name, WORDPRESS, labels, spec=spec)


def deployment_spec(tenant: Blueprint, fingerprint: str) -> dict[str, Any]:
    """The Deployment's spec.

    While the tenant is suspended, its pod is one that says so: a rollout leads there and back, without a moment in
    which nobody answers.

    Args:
        tenant: the blueprint.
        fingerprint: of the tenant's credentials; a change of them has to roll the pods.
    """
    annotations = {
        names.annotation("config"): _digest(config(tenant)),
        names.annotation("credentials"): fingerprint,
    }
    labels = names.role_labels(tenant.name, WORDPRESS) | (SUSPENDED if tenant.suspended else {})
    # Their number is the autoscaler's where there is one: a number here would set it back on every run.
    replicas = {} if scaling(tenant) else {"replicas": 1 if tenant.suspended else tenant.site.replicas}
    return {
        **replicas,
        "revisionHistoryLimit": 3,
        "progressDeadlineSeconds": _SLOW_START_SECONDS,
        "selector": {"matchLabels": names.selector(tenant.name, WORDPRESS)},
        # A new pod is ready before an old one goes, so that a change is not an outage.
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": pods.SURGE, "maxUnavailable": 0}},
        "template": {
            "metadata": {"labels": labels, "annotations": annotations},
            "spec": _page_pod(tenant) if tenant.suspended else _pod(tenant),
        },
    }


def _digest(data: dict[str, str]) -> str:
    return hashlib.sha256(repr(sorted(data.items())).encode()).hexdigest()[:12]


def _salt_key(name: str) -> str:
    return name.lower().replace("_", "-")


def _pod(tenant: Blueprint) -> dict[str, Any]:
    return {
        **_identity(),
        "initContainers": [_install(tenant)],
        "containers": [_container(tenant)],
        "volumes": [
            {"name": "content", "persistentVolumeClaim": {"claimName": WORDPRESS}},
            {"name": "core"} | pods.scratch("512Mi"),
            {"name": "run"} | pods.scratch("16Mi"),
            scripts(),
            {"name": "secrets"} | pods.secret_volume(WORDPRESS),
            {"name": "tmp"} | pods.scratch(_scratch_space(tenant)),
        ],
        **_neighbours(tenant),
        **pods.scheduling(tenant.site.scheduling),
    }


def _page_pod(tenant: Blueprint) -> dict[str, Any]:
    """The pod of a suspended tenant: Apache with a page (scripts/suspended.php), no volume, no password."""
    container = {
        **_serving(tenant, pods.little(tenant.site.size)),
        # Not the image's entry point, which would copy the core.
        "command": ["apache2-foreground"],
        "env": _variables({"SITEFORGE_TITLE": tenant.title}),
        "volumeMounts": [
            file("/etc/apache2/conf-enabled/siteforge.conf", "suspended.conf"),
            file(f"{SCRIPTS_FOLDER}/suspended.php"),
            {"name": "run", "mountPath": "/run"},
            {"name": "tmp", "mountPath": "/tmp"},
        ],
    }
    return {
        **_identity(),
        "containers": [container],
        "volumes": [
            {"name": "run"} | pods.scratch("16Mi"),
            scripts(),
            {"name": "tmp"} | pods.scratch("16Mi"),
        ],
        **pods.scheduling(tenant.site.scheduling),
    }


def _identity() -> dict[str, Any]:
    """As whom the pods run, and how they go."""
    return {
        "serviceAccountName": WORDPRESS,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": pods.pod_security(USER_ID)
        # A safe sysctl: Apache listens on port 80 without being root.
        | {"sysctls": [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}]},
        "terminationGracePeriodSeconds": 60,
    }


def _scratch_space(tenant: Blueprint) -> str:
    """Room for two of the largest uploads, which wait there until they are complete."""
    return quantities.memory(max(parse(_LEAST_SCRATCH_SPACE), 2 * parse(tenant.site.php.upload_limit)))


def _on_one_node(tenant: Blueprint) -> bool:
    """Whether the site's pods, and the one that surges in a rollout, have to be where their volume is mounted."""
    return tenant.site.volume.access_mode == "ReadWriteOnce"


def _neighbours(tenant: Blueprint) -> dict[str, Any]:
    """Where the site's pods run, seen from each other: together where their volume is, or far apart."""
    # Not with a suspended tenant's page, which may be on any node.
    labels = names.role_labels(tenant.name, WORDPRESS)
    selector = {"matchLabels": names.selector(tenant.name, WORDPRESS) | {_COMPONENT: labels[_COMPONENT]}}
    if _on_one_node(tenant):
        together = {"labelSelector": selector, "topologyKey": "kubernetes.io/hostname"}
        return {"affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [together]}}}
    # With one replica it has no effect; it is always there, so that scaling rolls no pod.
    return {
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": key,
                # A site that is not spread is better than one that doesn't start.
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": selector,
                # Old pods of a rollout don't count: they are about to go.
                "matchLabelKeys": ["pod-template-hash"],
            }
            for key in ("topology.kubernetes.io/zone", "kubernetes.io/hostname")
        ]
    }


def _environment(tenant: Blueprint) -> list[dict[str, str]]:
    external, smtp = tenant.external_database, tenant.site.smtp
    values = {
        "WORDPRESS_CONFIG_EXTRA": f"require '{SCRIPTS_FOLDER}/config.php';",
        "WORDPRESS_DB_HOST": database_host(tenant),
        "WORDPRESS_DB_NAME": external.name if external else database.NAME,
        "WORDPRESS_DB_PASSWORD_FILE": f"{pods.SECRETS_FOLDER}/database-password",
        "WORDPRESS_DB_USER": external.user if external else database.USER,
    }
    values |= {f"WORDPRESS_{name}_FILE": f"{pods.SECRETS_FOLDER}/{_salt_key(name)}" for name in SALTS}
    if smtp and smtp.user:
        values["SITEFORGE_SMTP_PASSWORD_FILE"] = f"{pods.SECRETS_FOLDER}/smtp-password"
    # The image defines this constant before ours are read, from a variable of its own.
    if tenant.site.constants.get("WP_DEBUG"):
        values["WORDPRESS_DEBUG"] = "1"
    return _variables(values | tenant.site.env)


def _variables(values: Mapping[str, str]) -> list[dict[str, str]]:
    """Variables of a container, as they are: the kubelet would replace `$(NAME)`, unless its `$` is doubled."""
    return [{"name": name, "value": value.replace("$", "$$")} for name, value in sorted(values.items())]


def _install(tenant: Blueprint) -> dict[str, Any]:
    """Waits for the database and installs the site if nobody did; see scripts/install.php."""
    own = {
        "SITEFORGE_ADMIN_EMAIL": tenant.admin_email,
        "SITEFORGE_ADMIN_PASSWORD_FILE": f"{pods.SECRETS_FOLDER}/admin-password",
        "SITEFORGE_ADMIN_USER": ADMIN_USER,
        "SITEFORGE_TITLE": tenant.title,
    }
    return {
        "name": "install",
        "image": tenant.site.image,
        "imagePullPolicy": tenant.pull_policy,
        "command": ["php", f"{SCRIPTS_FOLDER}/install.php"],
        "env": [*_variables(own), *_environment(tenant)],
        "resources": pods.resources(tenant.site.size),
        "securityContext": pods.CONTAINER_SECURITY,
        "volumeMounts": [
            *(file(f"{SCRIPTS_FOLDER}/{name}") for name in _SCRIPTS),
            {"name": "secrets", "mountPath": pods.SECRETS_FOLDER, "readOnly": True},
            {"name": "tmp", "mountPath": "/tmp"},
        ],
    }


def _serving(tenant: Blueprint, size: ContainerSize) -> dict[str, Any]:
    """What the container that answers visitors has in common, whether it shows the site or the page in its place."""
    return {
        "name": "wordpress",
        "image": tenant.site.image,
        "imagePullPolicy": tenant.pull_policy,
        "ports": [_port("http", PORT)],
        "resources": pods.resources(size),
        "securityContext": pods.CONTAINER_SECURITY,
        "lifecycle": _LEAVING,
        "startupProbe": _probe("?ready", period=2, timeout=5, failures=_SLOW_START_SECONDS // 2),
        # Ready means that visitors get an answer: of the site, that PHP runs and the database holds an installed one.
        "readinessProbe": _probe("?ready", period=3, timeout=5, failures=2),
        # Alive means that PHP runs. A lost database or a busy minute is no reason to kill a pod.
        "livenessProbe": _probe("", period=20, timeout=20, failures=6),
    }


def _port(name: str, number: int) -> dict[str, Any]:
    return {"name": name, "containerPort": number, "protocol": "TCP"}


def _container(tenant: Blueprint) -> dict[str, Any]:
    measured = tenant.ingress.metrics_namespace
    return {
        **_serving(tenant, tenant.site.size),
        "ports": [_port("http", PORT), *([_port("metrics", METRICS_PORT)] if measured else [])],
        "env": _environment(tenant),
        "volumeMounts": [
            {"name": "core", "mountPath": ROOT},
            file(f"{ROOT}{_HEALTH_PATH}", "health.php"),
            {"name": "content", "mountPath": CONTENT, "subPath": "wp-content"},
            file("/etc/apache2/conf-enabled/siteforge.conf", "apache.conf"),
            {"name": "run", "mountPath": "/run"},
            *([file("/etc/apache2/conf-enabled/siteforge-metrics.conf", "metrics.conf")] if measured else []),
            *(file(f"{SCRIPTS_FOLDER}/{name}") for name in (*_SCRIPTS, *(["metrics.php"] if measured else []))),
            {"name": "secrets", "mountPath": pods.SECRETS_FOLDER, "readOnly": True},
            {"name": "tmp", "mountPath": "/tmp"},
        ],
    }


def scripts() -> dict[str, Any]:
    """The files of the ConfigMap as a volume."""
    return {"name": "scripts", "configMap": {"name": WORDPRESS, "defaultMode": 0o444}}


def file(path: str, name: str = "") -> dict[str, Any]:
    """The mount of a file of the ConfigMap, by default of the same name.

    A folder of them would change under a running pod, half-way through a request and before its rollout.
    """
    return {"name": "scripts", "mountPath": path, "subPath": name or path.rpartition("/")[2], "readOnly": True}


def _probe(query: str, *, period: int, timeout: int, failures: int) -> dict[str, Any]:
    return {
        "httpGet": {"path": _HEALTH_PATH + query, "port": "http", "scheme": "HTTP"},
        "periodSeconds": period,
        "timeoutSeconds": timeout,
        "failureThreshold": failures,
    }
