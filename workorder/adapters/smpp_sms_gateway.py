"""Text messages over SMPP 3.4: a long one in joined parts or as one payload, receipts whenever they come."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import structlog
from smpplib import consts

from core.errors import UnavailableError
from workorder.adapters.smpp_session import NoAnswerError, NotSentError, SmppLogin, SmppSession
from workorder.ports import Outcome, OutgoingSms, Receipt, SubmitResult, TakenPart
from workorder.sms_receipt import read_receipt
from workorder.sms_state import WHOLE
from workorder.sms_text import Coding, encode, joining_header

log = structlog.get_logger()
NAME = "smpp"
_DATA_CODING = {Coding.GSM7: 0x00, Coding.UCS2: 0x08}
_HAS_HEADER = 0x40
_KIND_OF_MESSAGE, _RECEIPT = 0x3C, 0x04
_INTERNATIONAL, _UNKNOWN_TON, _ISDN = 1, 0, 1
# Not taken, and the server says that it may take it another time.
_LATER = {
    consts.SMPP_ESME_RTHROTTLED,
    consts.SMPP_ESME_RMSGQFUL,
    consts.SMPP_ESME_RSYSERR,
    consts.SMPP_ESME_RINVBNDSTS,
    consts.SMPP_ESME_RX_T_APPN,
}
_THROTTLED_SECONDS = 5.0


class SmppSmsGateway:
    """Sends part after part, stops at the first that is not taken, and never sends a part again by itself.

    Args:
        on_receipt: keeps a receipt; when it raises UnavailableError, the server is asked to tell it again.
        source: the number that messages come from.
        multipart: `udh` joins parts by a header, `payload` hands long texts over whole.
    """

    name = NAME

    def __init__(
        self,
        login: SmppLogin,
        on_receipt: Callable[[Receipt], None],
        *,
        source: str = "",
        multipart: Literal["udh", "payload"] = "udh",
        timeout_seconds: float = 15.0,
        enquire_seconds: float = 30.0,
    ) -> None:
        self._on_receipt = on_receipt
        self._source = source
        self._multipart = multipart
        self._session = SmppSession(login, self._deliver, timeout_seconds=timeout_seconds, enquire_seconds=enquire_seconds)

    @property
    def problem(self) -> str:
        return self._session.problem

    def start(self) -> None:
        """Begin to hold the session and to hear receipts."""
        self._session.start()

    def close(self) -> None:
        """Unbind."""
        self._session.close()

    def wait_until_bound(self, seconds: float) -> bool:
        """Wait for the session; say whether it is there."""
        return self._session.wait_until_bound(seconds)

    def submit(self, message: OutgoingSms) -> SubmitResult:
        taken: list[TakenPart] = []
        for part_no, fields in self._parts(message):
            if part_no in message.taken_parts:
                continue
            try:
                answer = self._session.ask("submit_sm", **self._address(message), **fields)
            except NotSentError as error:
                return SubmitResult(Outcome.LATER, tuple(taken), str(error)[:200])
            except NoAnswerError as error:
                return SubmitResult(Outcome.UNKNOWN, tuple(taken), str(error)[:200])
            if answer.status == consts.SMPP_ESME_ROK:
                gateway_id = (getattr(answer, "message_id", None) or b"").rstrip(b"\x00").decode("ascii", "replace")
                if answer.command != "submit_sm_resp" or not gateway_id:
                    return SubmitResult(Outcome.UNKNOWN, tuple(taken), "answer without an id")
                taken.append(TakenPart(part_no, gateway_id))
                continue
            error_text = consts.DESCRIPTIONS.get(answer.status, f"status {answer.status:#010x}")
            if answer.status in _LATER:
                return SubmitResult(Outcome.LATER, tuple(taken), error_text, _THROTTLED_SECONDS)
            return SubmitResult(Outcome.REFUSED, tuple(taken), error_text)
        return SubmitResult(Outcome.TAKEN, tuple(taken))

    def _address(self, message: OutgoingSms) -> dict[str, Any]:
        phone = message.phone.removeprefix("+") if message.phone.startswith("+") else f"86{message.phone}"
        return {
            "source_addr_ton": _UNKNOWN_TON,
            "source_addr_npi": _ISDN,
            "source_addr": self._source,
            "dest_addr_ton": _INTERNATIONAL,
            "dest_addr_npi": _ISDN,
            "destination_addr": phone,
            "registered_delivery": 1,
            "data_coding": _DATA_CODING[message.text.coding],
            # Sixteen bits of our id: enough to find a message in the carrier's records, not to know it by.
            "user_message_reference": message.message_id.int & 0xFFFF,
        }

    def _parts(self, message: OutgoingSms) -> list[tuple[int, dict[str, Any]]]:
        text = message.text
        count = len(text.parts)
        if count == 1:
            return [(1, {"short_message": encode(text.text, text.coding)})]
        if self._multipart == "payload":
            return [(WHOLE, {"message_payload": encode(text.text, text.coding)})]
        # The same for every try, so that parts of a second one join those of the first.
        reference = message.message_id.int & 0xFF
        return [
            (
                number,
                {"short_message": joining_header(reference, count, number) + encode(part, text.coding), "esm_class": _HAS_HEADER},
            )
            for number, part in enumerate(text.parts, start=1)
        ]

    def _deliver(self, pdu: Any) -> int:
        """Keep a receipt and say with which status to answer; a citizen's own message is taken and left."""
        text = pdu.short_message or getattr(pdu, "message_payload", None) or b""
        receipt = read_receipt(text, getattr(pdu, "receipted_message_id", None), getattr(pdu, "message_state", None))
        if receipt is None or (pdu.esm_class or 0) & _KIND_OF_MESSAGE != _RECEIPT:
            log.info("smpp_message_ignored", esm_class=pdu.esm_class)
            return int(consts.SMPP_ESME_ROK)
        try:
            self._on_receipt(Receipt(NAME, receipt.gateway_id, receipt.status, receipt.detail))
        except UnavailableError as error:
            log.warning("smpp_receipt_not_kept", error=str(error)[:200])
            return int(consts.SMPP_ESME_RX_T_APPN)
        return int(consts.SMPP_ESME_ROK)
