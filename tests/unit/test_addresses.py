import idna
import pytest
from pydantic_core import PydanticCustomError

from siteforge import addresses


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("lumi.example.com", "lumi.example.com"),
        ("LUMI.Example.COM", "lumi.example.com"),
        ("lumi.example.com.", "lumi.example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example.", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("straße.example", "xn--strae-oqa.example"),
        ("例え。テスト", "xn--r8jz45g.xn--zckzah"),
        ("ｌｕｍｉ.example", "lumi.example"),
        ("4you.example", "4you.example"),
        ("a.b", "a.b"),
        ("a\u200b.example", "a.example"),
        (".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 61]), ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 61])),
    ],
)
def test_a_domain_has_one_spelling(written: str, meant: str) -> None:
    assert addresses.domain(written) == meant
    assert addresses.domain(meant) == meant


@pytest.mark.parametrize(
    "text",
    [
        *("", ".", "lumi", "localhost", "*.example.com", "*", "lumi.*"),
        *("http://a.example", "a.example/b", "a.example?b", "a@b.example", "a.example:80", "//a.example"),
        *("192.0.2.1", "[2001:db8::1]", "2001:db8::1", "127.1", "0x7f.1", "1.2.3.4.", "１.２.３.４"),
        *("a..example", ".a.example", "a.example..", "-a.example", "a-.example", "a_b.example", "a b.example"),
        *("a.example\n", "a.example\x00", "a\u202e.example", "xn--a.example", "xn--.example"),
        *("a" * 64 + ".example", "é" * 100_000 + ".example", ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 62])),
        *("wordpress.t0.svc", "wordpress.t0.svc.cluster.local", "a.localhost", "printer.local"),
    ],
)
def test_what_is_no_public_domain_is_refused(text: str) -> None:
    with pytest.raises(PydanticCustomError):
        addresses.domain(text)


def test_a_name_that_is_taken_as_it_is_is_what_idna_says_of_it() -> None:
    labels = [
        "a",
        "4",
        "a-b",
        "ab-c",
        "ab--c",
        "a--b",
        "a---b",
        "xn--a",
        "xn--bcher-kva",
        "-a",
        "a-",
        "0" * 63,
        "a" * 64,
    ]
    for name in (f"{one}.{other}.example" for one in labels for other in labels):
        try:
            meant = idna.encode(name, uts46=True, std3_rules=True).decode()
        except idna.IDNAError:
            with pytest.raises(PydanticCustomError):
                addresses.domain(name)
        else:
            assert addresses.domain(name) == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("DB.example.com.", "db.example.com"),
        ("mysql", "mysql"),
        ("mysql.data.svc.cluster.local", "mysql.data.svc.cluster.local"),
        ("10.0.0.5", "10.0.0.5"),
        ("[2001:0DB8::0005]", "2001:db8::5"),
    ],
)
def test_a_host_is_a_name_or_an_address_in_one_spelling(written: str, meant: str) -> None:
    assert addresses.host(written) == meant
    assert addresses.host(meant) == meant
    assert addresses.is_address(meant) == (meant[0] in "12")


@pytest.mark.parametrize(
    "text", ["", "db:3306", "mysql://db", "10.0.0", "10.0.0.5/32", "db example", "'; --", "/run/x.sock"]
)
def test_what_is_no_host_is_refused(text: str) -> None:
    with pytest.raises(PydanticCustomError):
        addresses.host(text)
