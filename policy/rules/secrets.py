"""Secrets stand in files of Secrets, and nowhere else."""

import re
from collections.abc import Iterator

from . import manifests
from .manifests import Manifest
from .rules import ObjectRule

_SECRET_NAME = re.compile(r"(PASSW(OR)?D|SECRET|TOKEN|CREDENTIAL|_KEY|APIKEY|API_KEY|SALT)S?$", re.IGNORECASE)
_SECRET_ARGUMENT = re.compile(r"--?[a-z-]*(password|token|secret)[a-z-]*=(?!/)", re.IGNORECASE)
_URL_WITH_PASSWORD = re.compile(r"[a-z][a-z0-9+.-]*://[^/\s:@]+:[^/\s@]+@", re.IGNORECASE)


def _no_plain_secrets(manifest: Manifest) -> Iterator[str]:
    for container in manifests.containers(manifest):
        for variable in container.get("env") or ():
            name, value = str(variable.get("name")), variable.get("value")
            if "secretKeyRef" in (variable.get("valueFrom") or {}):
                yield f"{manifests.named(container)}: {name} puts a secret into the environment, which logs show"
            elif value and (_SECRET_NAME.search(name) or _URL_WITH_PASSWORD.search(str(value))):
                yield f"{manifests.named(container)}: {name} stands there in plain text"
        for source in container.get("envFrom") or ():
            if "secretRef" in source:
                yield f"{manifests.named(container)} has a whole Secret in its environment"
        for argument in (*(container.get("command") or ()), *(container.get("args") or ())):
            if _SECRET_ARGUMENT.search(str(argument)) or _URL_WITH_PASSWORD.search(str(argument)):
                yield f"{manifests.named(container)} has a secret in its arguments"
    if manifest.get("kind") == "ConfigMap":
        for key, value in (manifest.get("data") or {}).items():
            if _SECRET_NAME.search(key) or _URL_WITH_PASSWORD.search(str(value)):
                yield f"{key} stands in a ConfigMap, in plain text"


RULES: tuple[ObjectRule, ...] = (ObjectRule("no-plain-secrets", "mount secrets as files", _no_plain_secrets),)
