"""Where figures may be pushed to, so that nobody can make the server knock at its own neighbours. Pure.

Everywhere on the internet by https; in the networks that the site names (`WEBHOOK_NETWORKS`) by http too; nowhere else.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from core.errors import InvalidInputError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
_LONGEST = 500


class BadWebhookAddressError(InvalidInputError):
    """No address to push to. `why` is form, scheme or host."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True)
class WebhookAddress:
    """A checked address, in parts."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def is_encrypted(self) -> bool:
        """Whether it is https."""
        return self.scheme == "https"

    @property
    def origin(self) -> str:
        """What a Host header says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.is_encrypted else 80) else f"{host}:{self.port}"


def read_address(text: str) -> WebhookAddress:
    """Return the parts of an address.

    Raises:
        BadWebhookAddressError: not http(s), no host, or with a user, a password or a fragment in it.
    """
    text = text.strip()
    if not text.isascii() or not text.isprintable() or " " in text or "\\" in text or len(text) > _LONGEST:
        raise BadWebhookAddressError("form")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise BadWebhookAddressError("form") from error
    if parts.scheme not in {"http", "https"}:
        raise BadWebhookAddressError("scheme")
    if not parts.hostname or parts.username is not None or parts.password is not None or parts.fragment or port == 0:
        raise BadWebhookAddressError("form")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return WebhookAddress(parts.scheme, parts.hostname, port or (443 if parts.scheme == "https" else 80), target)


def read_networks(texts: Iterable[str]) -> list[Network]:
    """Return the networks of the setting.

    Raises:
        ValueError: one is none.
    """
    return [ip_network(text.strip()) for text in texts]


def check_known_host(address: WebhookAddress, networks: Sequence[Network]) -> None:
    """Refuse at once what need not be looked up: an address in digits that is not allowed, or http where no network allows it.

    Raises:
        BadWebhookAddressError: it can't be pushed to.
    """
    try:
        literal = ip_address(address.host)
    except ValueError:
        if not address.is_encrypted and not networks:
            raise BadWebhookAddressError("scheme") from None
        return
    if not is_allowed(literal, address, networks):
        raise BadWebhookAddressError("host" if address.is_encrypted else "scheme")


def is_allowed(found: Address, address: WebhookAddress, networks: Sequence[Network]) -> bool:
    """Say whether one of a host's addresses may be connected to."""
    if isinstance(found, IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    if any(found.version == network.version and found in network for network in networks):
        return True
    if isinstance(found, IPv6Address) and (found.sixtofour or found.teredo or found in _TRANSLATED):
        return False  # an IPv4 address inside, which may be anybody's
    return address.is_encrypted and found.is_global and not found.is_multicast


_TRANSLATED = IPv6Network("64:ff9b::/96")
