"""The rules that a new installation begins with; a site changes them on the page."""

from datetime import time

from callback.rule import NextDay, Reason, RuleDefinition, ShareSampled, Way

RULES: dict[str, RuleDefinition] = {
    "case_closed": RuleDefinition(
        title="办件办结后回访",
        reason=Reason.CASE_CLOSED,
        when=NextDay(at=time(9, 0)),
        ways=[Way.IVR, Way.SMS],
        questionnaire="case_service",
        ask_every_days=7,
        promised_working_days=5,
    ),
    "missed_call": RuleDefinition(
        title="漏接电话回拨", reason=Reason.MISSED_CALL, ways=[Way.AGENT], promised_working_days=1, expires_after_days=7
    ),
    "bad_rating": RuleDefinition(
        title="差评整改回访", reason=Reason.BAD_RATING, ways=[Way.AGENT], promised_working_days=5, expires_after_days=14
    ),
    "call_answered": RuleDefinition(
        title="来电满意度抽样回访",
        reason=Reason.CALL_ANSWERED,
        ways=[Way.IVR],
        questionnaire="call_service",
        ask_every_days=30,
        sampling=ShareSampled(share=0.1, seed="demo"),
        expires_after_days=3,
    ),
}
DEFAULTS: dict[Reason, RuleDefinition] = {
    Reason.MISSED_CALL: RULES["missed_call"],
    Reason.BAD_RATING: RULES["bad_rating"],
    Reason.ASKED_TIME: RuleDefinition(title="市民约定时间回电", reason=Reason.ASKED_TIME, expires_after_days=3),
    Reason.QUEUE_CALLBACK: RuleDefinition(title="排队回拨", reason=Reason.QUEUE_CALLBACK, expires_after_days=1),
}
"""What holds for replies that no rule speaks of: we owe them whether or not anybody wrote a rule."""
