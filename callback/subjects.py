"""What lies behind a callback: an answered or missed call, or a closed case, as the rules look at it."""

from callback.rule import Subject
from telephony.reads import CallView
from workorder.case_view import CaseView


def subject_of_call(call: CallView) -> Subject:
    """Return what a call says of itself; its category is the agent's, once it is written."""
    return Subject(
        call_id=call.call_id,
        queue_name=call.queue_name or None,
        category=call.note.category,
        matter=call.note.category,
        result=call.note.disposition,
        is_confidential=call.is_confidential,
    )


def subject_of_case(case: CaseView) -> Subject:
    """Return what an approval case says of itself."""
    return Subject(
        person=case.applicant,
        case_id=case.case_id,
        hall=case.hall,
        unit=case.unit,
        region=case.region,
        category=case.category,
        matter_code=case.matter_code,
        matter=case.matter,
        window=case.window,
        result=case.result,
        is_confidential=case.is_confidential,
    )
