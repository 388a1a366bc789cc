"""Recorded calls as text tables: one event a line, `Event | Header=value | …`."""

from pathlib import Path

from telephony.ami_protocol import AmiMessage

FOLDER = Path(__file__).parent / "data" / "calls"


def recorded(name: str) -> list[AmiMessage]:
    """Return the events of a recorded call, in order."""
    lines = (FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return [_message(line) for line in lines if line and not line.startswith("#")]


def _message(line: str) -> AmiMessage:
    event, *headers = [part.strip(" ") for part in line.split(" | ")]
    pairs = [header.partition("=") for header in headers]
    return AmiMessage((("Event", event), *((key, value.replace("\\u2028", "\u2028")) for key, _, value in pairs)))
