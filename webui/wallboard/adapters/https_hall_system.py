"""Pushes to the hall's system by HTTP: looks the host up once, judges what was found, and connects to just that."""

import socket
import ssl
import threading
import time
from collections.abc import Sequence
from ipaddress import ip_address

import httpx

from webui.wallboard.ports import Delivered, HallSystemUnavailableError
from webui.wallboard.webhook_addresses import Network, WebhookAddress, is_allowed

CONNECT_SECONDS = 3.0
READ_SECONDS = 4.0
WHOLE_SECONDS = 8.0


class HttpsHallSystem:
    """The hall's system behind an address of its own."""

    def __init__(self, networks: Sequence[Network], verify: ssl.SSLContext | bool = True) -> None:
        self._networks = networks
        self._verify = verify

    def push(self, address: WebhookAddress, headers: dict[str, str], body: bytes) -> Delivered:
        """See the port. A name that leads somewhere else at the second look-up changes nothing: there is none."""
        began = time.monotonic()
        found = self._look_up(address)
        url = httpx.URL(scheme=address.scheme, host=found, port=address.port, raw_path=address.target.encode())
        timeout = httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
        # Neither the environment's proxies nor a netrc: the figures go where the site said.
        client = httpx.Client(verify=self._verify, timeout=timeout, trust_env=False, follow_redirects=False)
        # Each read has its limit, but an answer may drip: then the whole has one.
        watch = threading.Timer(WHOLE_SECONDS, client.close)
        watch.daemon = True
        watch.start()
        try:
            extensions = {"sni_hostname": address.host} if address.is_encrypted else {}
            request = client.build_request(
                "POST", url, headers={**headers, "Host": address.origin}, content=body, extensions=extensions
            )
            answer = client.send(request, stream=True)
            status = answer.status_code
            answer.close()
        except httpx.TimeoutException as error:
            raise HallSystemUnavailableError("timeout") from error
        except httpx.TransportError as error:
            raise HallSystemUnavailableError(_why(error, is_overdue=client.is_closed)) from error
        except RuntimeError as error:
            # A client that the watch closed says so in a way of its own.
            raise HallSystemUnavailableError("timeout") from error
        finally:
            watch.cancel()
            client.close()
        if not 200 <= status < 300:
            raise HallSystemUnavailableError("status", status)
        return Delivered(status, round(1000 * (time.monotonic() - began)))

    def _look_up(self, address: WebhookAddress) -> str:
        try:
            rows = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise HallSystemUnavailableError("unknown_host") from error
        for row in rows:
            found = str(row[4][0]).partition("%")[0]
            if is_allowed(ip_address(found), address, self._networks):
                return found
        raise HallSystemUnavailableError("refused_address")


def _why(error: httpx.TransportError, *, is_overdue: bool) -> str:
    if is_overdue:
        return "timeout"
    return "tls" if "SSL" in str(error) or "certificate" in str(error) else "no_connection"
