"""A tenant's credentials as Pulumi knows them: secret from end to end, but for their fingerprint."""

import pulumi

from siteforge.secrets import Credentials, derive


def derived(secret: pulumi.Input[str], tenant: str, version: int) -> pulumi.Output[Credentials]:
    """The credentials of one tenant, secret whatever `secret` was given as; arguments as in `secrets.derive`."""
    return pulumi.Output.secret(secret).apply(lambda known: derive(known, tenant, version))


def fingerprint(credentials: pulumi.Output[Credentials]) -> pulumi.Output[str]:
    """Tells of a change and nothing else; not secret, so that previews can show the pod template it stands in."""
    return pulumi.Output.unsecret(credentials.apply(lambda known: known.fingerprint))
