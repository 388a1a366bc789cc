"""What a delivery receipt of SMPP 3.4 says (specification, appendix B and 5.3.2.35)."""

import re
from dataclasses import dataclass

from workorder.sms_state import ReceiptStatus

_ID = re.compile(rb"\bid:\s*([^\s\x00]{1,65})", re.IGNORECASE)
_STATUS = re.compile(rb"\bstat:\s*([A-Za-z]{5,9})", re.IGNORECASE)
_ERROR = re.compile(rb"\berr:\s*([0-9A-Za-z]{1,10})", re.IGNORECASE)
_WORDS = {
    b"DELIVRD": ReceiptStatus.DELIVERED,
    b"EXPIRED": ReceiptStatus.FAILED,
    b"DELETED": ReceiptStatus.FAILED,
    b"UNDELIV": ReceiptStatus.FAILED,
    b"REJECTD": ReceiptStatus.FAILED,
    b"UNKNOWN": ReceiptStatus.FAILED,
    b"ENROUTE": ReceiptStatus.ON_THE_WAY,
    b"ACCEPTD": ReceiptStatus.ON_THE_WAY,
}
_NUMBERS = dict(enumerate((b"ENROUTE", b"DELIVRD", b"EXPIRED", b"DELETED", b"UNDELIV", b"ACCEPTD", b"UNKNOWN", b"REJECTD"), 1))


@dataclass(frozen=True, slots=True)
class SmppReceipt:
    """Which part, what became of it, and the network's word for it."""

    gateway_id: str
    status: ReceiptStatus
    detail: str


def read_receipt(text: bytes, message_id: bytes | None = None, message_state: int | None = None) -> SmppReceipt | None:
    """Return the receipt that a deliver_sm carries, by its optional parameters or its text; None when it carries none."""
    found = message_id.rstrip(b"\x00") if message_id else None
    if not found and (match := _ID.search(text)):
        found = match[1]
    match = _STATUS.search(text)
    word = _NUMBERS.get(message_state or 0) or (match[1].upper() if match else b"")
    if not found or word not in _WORDS:
        return None
    error = _ERROR.search(text)
    detail = word.decode() + (f" {error[1].decode()}" if error else "")
    return SmppReceipt(found.decode("ascii", "replace"), _WORDS[word], detail)
