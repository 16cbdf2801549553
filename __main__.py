"""The Pulumi program: read the configuration, load the catalogue, make a Tenant of each entry, export them."""

import pulumi

from siteforge import Tenant, outputs, settings

with settings.reported():
    stack = settings.read()
    options = pulumi.ResourceOptions(provider=stack.provider)
    tenants = {spec.name: Tenant(spec.name, stack.args(spec), options) for spec in stack.tenants()}
    outputs.export(tenants, stack.others, stack.cluster)
