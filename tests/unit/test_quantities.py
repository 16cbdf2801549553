from fractions import Fraction

import pytest

from siteforge import quantities


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("1000m", "1"),
        ("1500m", "1500m"),
        ("0.5", "500m"),
        ("0.1", "100m"),
        ("2.0", "2"),
        ("0", "0"),
        ("0Mi", "0"),
        ("1024Mi", "1Gi"),
        ("1536Mi", "1536Mi"),
        ("1.5Gi", "1536Mi"),
        ("0.5Gi", "512Mi"),
        ("1024Ki", "1Mi"),
        ("1000000", "1M"),
        ("1500k", "1500k"),
        ("1G", "1G"),
        ("1073741824", "1073741824"),
        ("0.5Ki", "512"),
        ("2048", "2048"),
    ],
)
def test_canonical_is_what_the_api_server_stores(written: str, stored: str) -> None:
    assert quantities.canonical(written) == stored
    assert quantities.canonical(stored) == stored
    assert quantities.parse(written) == quantities.parse(stored)


@pytest.mark.parametrize(
    "text", ["", "-1", "+5", "1e3", "1E3", "1 Gi", "1Gi\n", "Gi", "1gb", "1GiB", ".5", "5.", "１", "1,5", "1K", "0x10"]
)
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a Kubernetes quantity"):
        quantities.parse(text)


@pytest.mark.parametrize("text", ["8Ei", "99999999999999999999"])
def test_what_kubernetes_cannot_count_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="larger than"):
        quantities.parse(text)


def test_what_is_finer_than_a_thousandth_is_refused() -> None:
    with pytest.raises(ValueError, match="finer"):
        quantities.parse("0.0001")


def test_amounts_are_rounded_up() -> None:
    assert quantities.cpu(Fraction(1, 3)) == "334m"
    assert quantities.memory(Fraction(2**20 + 1)) == "2Mi"
    assert quantities.memory(Fraction(2**30)) == "1Gi"
