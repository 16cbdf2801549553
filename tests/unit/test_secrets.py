from itertools import product

import pytest

from siteforge import secrets

SECRET = "correct-horse-battery-staple-0123456789"


@pytest.mark.parametrize(
    ("material", "salt", "info", "length", "expected"),
    [
        # RFC 5869, appendix A, test cases 1, 2 and 3.
        (
            "0b" * 22,
            "000102030405060708090a0b0c",
            "f0f1f2f3f4f5f6f7f8f9",
            42,
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
        ),
        (
            bytes(range(0x50)).hex(),
            bytes(range(0x60, 0xB0)).hex(),
            bytes(range(0xB0, 0x100)).hex(),
            82,
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
            "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87",
        ),
        (
            "0b" * 22,
            "",
            "",
            42,
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
        ),
    ],
)
def test_hkdf_gives_the_rfcs_test_vectors(material: str, salt: str, info: str, length: int, expected: str) -> None:
    key = secrets.hkdf_extract(bytes.fromhex(salt), bytes.fromhex(material))
    assert secrets.hkdf_expand(key, bytes.fromhex(info), length).hex() == expected


def test_the_same_secret_gives_the_same_credentials() -> None:
    assert secrets.derive(SECRET, "blog-aku") == secrets.derive(SECRET, "blog-aku")


def test_the_derivation_is_a_contract_that_does_not_change() -> None:
    # A change here changes every password of every tenant: see docs/adr/0002-derived-secrets.md.
    known = secrets.derive(SECRET, "blog-aku")
    assert (known.database_password, known.fingerprint) == ("sfg_2bC0wpcLDlqq6DujslZIubaL88sE2hEI", "8cc2fe9e4f88")


def test_every_value_differs_between_purposes_tenants_secrets_and_versions() -> None:
    values: list[str] = []
    for secret, tenant, version in product((SECRET, SECRET + "x"), ("blog-aku", "shop-lumi"), (1, 2, 12)):
        known = secrets.derive(secret, tenant, version)
        values += [known.database_password, known.database_root_password, known.admin_password, known.fingerprint]
        values += [known.salts[name] for name in secrets.SALTS]
    assert len(set(values)) == 2 * 2 * 3 * (4 + 8)


def test_values_are_long_enough_and_fit_any_configuration_file() -> None:
    known = secrets.derive(SECRET, "blog-aku")
    assert len(known.database_password) == len(secrets.MARK) + 32
    assert len(known.admin_password) == len(secrets.MARK) + 24
    assert all(len(salt) == len(secrets.MARK) + 64 for salt in known.salts.values())
    for value in (known.database_password, known.admin_password, *known.salts.values()):
        assert value.startswith(secrets.MARK)
        assert value.replace("-", "").replace("_", "").isalnum()


def test_a_short_secret_is_refused_without_showing_it() -> None:
    with pytest.raises(ValueError, match="at least 32") as error:
        secrets.derive("hunter2", "blog-aku")
    assert "hunter2" not in str(error.value)


def test_credentials_do_not_show_themselves() -> None:
    known = secrets.derive(SECRET, "blog-aku")
    assert known.admin_password not in repr(known)
    assert known.admin_password not in str(known)


def test_given_passwords_are_used_as_they_are_and_change_no_other() -> None:
    plain = secrets.derive(SECRET, "blog-aku")
    given = secrets.derive(SECRET, "blog-aku", given=secrets.Given(database="hunter2", smtp="hunter3"))
    assert (given.database_password, given.smtp_password) == ("hunter2", "hunter3")
    assert (given.admin_password, given.salts) == (plain.admin_password, plain.salts)
    assert secrets.derive(SECRET, "blog-aku", given=secrets.Given()).fingerprint == plain.fingerprint


def test_a_new_given_password_is_noticed_and_not_told() -> None:
    passwords = [
        secrets.Given(),
        secrets.Given(database="a"),
        secrets.Given(database="b"),
        secrets.Given(smtp="a"),
        secrets.Given(database="a", smtp="a"),
    ]
    fingerprints = {secrets.derive(SECRET, "blog-aku", given=given).fingerprint for given in passwords}
    assert len(fingerprints) == len(passwords)
    assert secrets.derive(SECRET, "shop-lumi", given=secrets.Given(smtp="a")).fingerprint not in fingerprints


def test_a_fingerprint_is_known_without_the_rest() -> None:
    for given in (None, secrets.Given(smtp="s", database="d"), secrets.Given(adopted={"salt-AUTH_KEY": "a"})):
        known = secrets.derive(SECRET, "blog-aku", 2, given)
        assert secrets.fingerprint(SECRET, "blog-aku", 2, given) == known.fingerprint
    with pytest.raises(ValueError, match="at least"):
        secrets.fingerprint("short", "blog-aku")
