"""A tenant's credentials as Pulumi knows them: secret from end to end, but for their fingerprint."""

import pulumi

from siteforge.secrets import Credentials, Given, derive


def derived(
    secret: pulumi.Input[str],
    tenant: str,
    version: int,
    database_password: pulumi.Input[str] = "",
    smtp_password: pulumi.Input[str] = "",
    adopted: pulumi.Input[dict[str, str]] | None = None,
) -> pulumi.Output[Credentials]:
    """The credentials of one tenant, secret whatever they were given as; arguments as in `secrets.derive`."""
    given = pulumi.Output.all(pulumi.Output.secret(secret), database_password, smtp_password, adopted or {})
    return given.apply(lambda known: derive(known[0], tenant, version, Given(*known[1:])))


def fingerprint(credentials: pulumi.Output[Credentials]) -> pulumi.Output[str]:
    """Tells of a change and nothing else; not secret, so that previews can show the pod template it stands in."""
    return pulumi.Output.unsecret(credentials.apply(lambda known: known.fingerprint))
