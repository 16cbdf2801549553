"""The Pulumi program: read the configuration, load the catalogue, make a Tenant of each entry, export them."""

from siteforge import garbage

garbage.collect_rarely()  # before the imports that take their time

import pulumi

from siteforge import Tenant, outputs, settings
from siteforge.components.frozen import Frozen

with settings.reported():
    stack = settings.read()
    options = pulumi.ResourceOptions(provider=stack.provider)
    specs = stack.tenants()
    frozen = stack.live(specs)
    for name, objects in frozen.items():
        Frozen(name, objects, options)
    stack.thaw(specs)
    tenants = {spec.name: Tenant(spec.name, stack.args(spec), options) for spec in specs if spec.name not in frozen}
    outputs.export(tenants, stack.others(frozen), stack.cluster)
