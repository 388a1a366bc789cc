"""The server knocks at no neighbour's door: where figures may be pushed to."""

from ipaddress import ip_address

import pytest

from webui.wallboard.webhook_addresses import BadWebhookAddressError, check_known_host, is_allowed, read_address, read_networks

LOOPBACK = read_networks(["127.0.0.0/8", "::1/128"])


def may_push(text: str, networks: list[str] | None = None) -> bool:
    try:
        check_known_host(read_address(text), read_networks(networks or []))
    except BadWebhookAddressError:
        return False
    return True


@pytest.mark.parametrize(
    "text",
    [
        "ftp://hall.example/x", "javascript:alert(1)", "hall.example", "//hall.example/x", "http://", "https://", "",
        "https://user:pass@hall.example/", "https://hall.example/#part", "https://hall.example:99999/", "https://hall.example:0/",
        "https://hall.example/a b", "https://hall.example\\@127.0.0.1/", "https://大厅.example/", "https://[::1", "file:///etc/passwd",
        "https://hall.example/" + "x" * 600, "https://hall.example/\r\nHost: other",
    ],
)  # fmt: skip
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(BadWebhookAddressError):
        read_address(text)


def test_the_parts_of_an_address() -> None:
    address = read_address(" https://Hall.Example/push?screen=1 ")
    assert (address.scheme, address.host, address.port, address.target) == ("https", "hall.example", 443, "/push?screen=1")
    assert address.origin == "hall.example"
    assert read_address("http://10.0.0.9:8080").origin == "10.0.0.9:8080"
    assert read_address("https://[2606:4700::1]/").origin == "[2606:4700::1]"


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.9.9.9", "10.0.0.1", "192.168.1.1", "172.16.0.1", "169.254.169.254", "0.0.0.0", "100.64.0.1",
        "224.0.0.1", "255.255.255.255", "[::1]", "[::]", "[fe80::1]", "[fd00::1]", "[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]",
        "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[ff02::1]",
    ],
)  # fmt: skip
def test_inner_addresses_are_refused_even_by_https(host: str) -> None:
    assert not may_push(f"https://{host}/")


def test_public_addresses_take_https_alone() -> None:
    assert may_push("https://8.8.8.8/")
    assert not may_push("http://8.8.8.8/")
    assert may_push("https://hall.example/")
    assert not may_push("http://hall.example/")


def test_what_the_site_allows() -> None:
    assert may_push("http://127.0.0.1:9000/", ["127.0.0.0/8"])
    assert may_push("https://10.20.3.4/", ["10.20.0.0/16"])
    assert not may_push("http://10.21.0.1/", ["10.20.0.0/16"])
    assert not may_push("http://8.8.8.8/", ["127.0.0.0/8"])
    # A name may lead into the network or not: judged when it is looked up.
    assert may_push("http://hall.example/", ["10.20.0.0/16"])


def test_a_name_that_leads_inside_is_refused_when_looked_up() -> None:
    address = read_address("https://hall.example/")
    assert not is_allowed(ip_address("10.0.0.5"), address, [])
    assert not is_allowed(ip_address("::ffff:127.0.0.1"), address, [])
    assert is_allowed(ip_address("::ffff:127.0.0.1"), address, LOOPBACK)
    assert is_allowed(ip_address("1.1.1.1"), address, [])
    assert not is_allowed(ip_address("1.1.1.1"), read_address("http://hall.example/"), LOOPBACK)
