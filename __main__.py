"""The Pulumi program: read the configuration, load the catalogue, make a Tenant of each entry, export them."""

import pulumi

from siteforge import Tenant, catalogue, outputs, settings

with settings.reported():
    stack = settings.read()
    options = pulumi.ResourceOptions(provider=stack.provider)
    specs = catalogue.load(stack.catalogue)
    stack.check(specs)
    tenants = {spec.name: Tenant(spec.name, stack.tenant_args(spec), options) for spec in specs}
    outputs.export(tenants)
