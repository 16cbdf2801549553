"""A tenant's passwords and salts, derived from one secret of the stack.

Each value is HKDF-SHA256 (RFC 5869) of the stack's secret, bound to the tenant's name and the value's
purpose. Nothing is stored that could be lost: the same secret gives the same passwords on another
machine, for a recreated tenant, and after the loss of Pulumi's state. Knowing one value tells nothing
of another. See docs/adr/0002-derived-secrets.md.

Each begins with MARK, so that a log, a scanner or a person knows a secret when they see one, without knowing any
(redaction.py).

The label in `_info` and MARK are part of the contract: changing them changes every password there is.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field

MINIMUM_LENGTH = 32
"""Characters in the stack's secret; 32 random bytes in base64 are 44."""

MARK = "sfg_"
"""What every derived value begins with."""

SALTS = (
    "AUTH_KEY",
    "SECURE_AUTH_KEY",
    "LOGGED_IN_KEY",
    "NONCE_KEY",
    "AUTH_SALT",
    "SECURE_AUTH_SALT",
    "LOGGED_IN_SALT",
    "NONCE_SALT",
)
"""WordPress's eight keys and salts, by their names in wp-config.php."""


PURPOSES = ("database-password", "database-root-password", "admin-password", *(f"salt-{name}" for name in SALTS))
"""What a tenant's own passwords and salts are for; each is derived for its purpose."""


@dataclass(frozen=True, repr=False)
class Credentials:
    """Everything secret of one tenant. It has no repr, so that a log can't show it by accident."""

    database_password: str
    database_root_password: str
    admin_password: str
    smtp_password: str
    """The one that was given; empty if none was."""
    salts: dict[str, str]
    """A value for each of SALTS."""
    fingerprint: str
    """Tells whether the credentials changed without telling what they are; may be shown."""


@dataclass(frozen=True, repr=False)
class Given:
    """Passwords that are as they are: of servers that somebody else keeps, and of tenants that were adopted."""

    database: str = ""
    """Empty for a tenant with a database of its own."""
    smtp: str = ""
    adopted: Mapping[str, str] = field(default_factory=dict)
    """What a tenant had before it was Siteforge's, by purpose: see PURPOSES."""


def derive(secret: str, tenant: str, version: int = 1, given: Given | None = None) -> Credentials:
    """The credentials of one tenant.

    Args:
        secret: the stack's secret, at least MINIMUM_LENGTH characters.
        tenant: the tenant's name.
        version: counts their rotations, from 1.
        given: passwords to use as they are.

    Raises:
        ValueError: the secret is too short to be one.
    """
    key, given = _key(secret), given or Given()

    def value(purpose: str, length: int) -> str:
        if purpose in given.adopted:
            return given.adopted[purpose]
        derived = hkdf_expand(key, _info(tenant, purpose, version), length)
        return MARK + base64.urlsafe_b64encode(derived).decode().rstrip("=")

    return Credentials(
        database_password=given.database or value("database-password", 24),
        database_root_password=value("database-root-password", 24),
        admin_password=value("admin-password", 18),
        smtp_password=given.smtp,
        salts={name: value(f"salt-{name}", 48) for name in SALTS},
        fingerprint=_fingerprint(key, tenant, version, given),
    )


def fingerprint(secret: str, tenant: str, version: int = 1, given: Given | None = None) -> str:
    """The fingerprint of what `derive` derives, without deriving it.

    Args:
        secret, tenant, version, given: as for `derive`.

    Raises:
        ValueError: as `derive`.
    """
    return _fingerprint(_key(secret), tenant, version, given or Given())


def _key(secret: str) -> bytes:
    if len(secret) < MINIMUM_LENGTH:
        raise ValueError(f"the stack's secret has {len(secret)} characters; at least {MINIMUM_LENGTH} are needed")
    return hkdf_extract(b"siteforge", secret.encode())


def _fingerprint(key: bytes, tenant: str, version: int, given: Given) -> str:
    # A change of these has to roll the pods as well. Hashed with the key, a fingerprint tells nothing of them.
    # It is of marked values: of those before them it was another, so that pods that still have them are made anew.
    own = "marked-fingerprint"
    others = f"{own}/{given.database}\0{given.smtp}" if given.database or given.smtp else own
    if given.adopted:
        others += "".join(f"/{purpose}\0{given.adopted[purpose]}" for purpose in sorted(given.adopted))
    return hkdf_expand(key, _info(tenant, others, version), 6).hex()


def hkdf_extract(salt: bytes, material: bytes) -> bytes:
    """RFC 5869, section 2.2, with SHA-256."""
    return hmac.digest(salt, material, hashlib.sha256)


def hkdf_expand(key: bytes, info: bytes, length: int) -> bytes:
    """RFC 5869, section 2.3, with SHA-256; `length` in bytes, at most 255 blocks of 32."""
    block, output = b"", b""
    for counter in range(1, -(-length // hashlib.sha256().digest_size) + 1):
        block = hmac.digest(key, block + info + bytes([counter]), hashlib.sha256)
        output += block
    return output[:length]


def _info(tenant: str, purpose: str, version: int) -> bytes:
    rotated = f"/{version}" if version > 1 else ""
    return f"siteforge/v1/{tenant}/{purpose}{rotated}".encode()
