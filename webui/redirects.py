"""Where a page may send the browser next: only to ourselves."""

from urllib.parse import urlsplit


def safe_target(target: str | None, default: str = "/") -> str:
    """Return the target when it is a plain path of this site, else the default.

    Backslashes and control characters are refused: browsers read `/\\host` and `/<tab>/host` as another site.
    """
    if not target or not target.startswith("/") or target.startswith("//"):
        return default
    if "\\" in target or any(ord(character) < 0x20 for character in target):
        return default
    parts = urlsplit(target)
    return default if parts.scheme or parts.netloc else target
