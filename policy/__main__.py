"""A Pulumi policy pack of the rules, for programs that make tenants of their own (docs/policy.md).

pulumi install --cwd policy && pulumi up --policy-pack policy
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import rules
from pulumi_policy import (
    EnforcementLevel,
    PolicyPack,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UnknownValueError
from rules import ClusterRule, ObjectRule, manifests

_UNKNOWN = "known when it is made"


def _plain(value: Any) -> Any:
    """Properties as a manifest: Pulumi's numbers are all floats, and what isn't known yet raises when it is read."""
    if isinstance(value, Mapping):
        return {key: _item(value, key) for key in value}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_item(value, index) for index in range(len(value))]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _item(container: Any, key: Any) -> Any:
    try:
        return _plain(container[key])
    except UnknownValueError:
        return _UNKNOWN


def _is_object(kind: str, properties: Mapping[str, Any]) -> bool:
    return kind.startswith("kubernetes:") and "kind" in properties and "apiVersion" in properties


def _alone(rule: ObjectRule, args: ResourceValidationArgs, report: ReportViolation) -> None:
    if _is_object(args.resource_type, args.props):
        manifest = _plain(args.props)
        for reason in rule.check(manifest):
            report(f"{manifests.where(manifest)}: {reason}", None)


def _together(rule: ClusterRule, args: StackValidationArgs, report: ReportViolation) -> None:
    objects = [_plain(one.props) for one in args.resources if _is_object(one.resource_type, one.props)]
    for manifest, reason in rule.check(objects):
        report(f"{manifests.where(manifest)}: {reason}", None)


PolicyPack(
    "siteforge",
    enforcement_level=EnforcementLevel.MANDATORY,
    policies=[
        *(ResourceValidationPolicy(rule.name, rule.promise, partial(_alone, rule)) for rule in rules.OBJECT_RULES),
        *(StackValidationPolicy(rule.name, rule.promise, partial(_together, rule)) for rule in rules.CLUSTER_RULES),
    ],
)
