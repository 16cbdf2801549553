"""The Pulumi program: read the configuration, load the catalogue, make a Tenant of each entry, export them."""

import pulumi

from siteforge import Tenant, catalogue, outputs, settings

with settings.reported():
    stack = settings.read()
    options = pulumi.ResourceOptions(provider=stack.provider)
    tenants = {
        spec.name: Tenant(spec.name, stack.tenant_args(spec), options) for spec in catalogue.load(stack.catalogue)
    }
    outputs.export(tenants)
