"""The rules and questionnaires of the year, in the words that the program itself checks."""

from datetime import time

from callback.rule import NextDay, Reason, RuleDefinition, ShareSampled, StrataSampled, Way, Who
from launcher.year.matters import HALLS
from launcher.year.outreach import CALLS_FOLLOWED, PLAN_OF_CALL, PLAN_OF_ENTERPRISE_CALL, PLAN_OF_HALL, PLANS, SAMPLED_LARGE, WAYS
from survey.schema import QuestionnaireDefinition
from survey.service import demonstration

SEED = "2026"
_HALL_KEYS = ("case_closed", "case_closed_east", "case_closed_west", "case_closed_new", "case_closed_county")
CALL_KEYS = ("call_answered", "call_answered_enterprise")
MISSED_KEY, BAD_KEY = "missed_call", "bad_rating"


def rules(large_units: list[str]) -> dict[str, RuleDefinition]:
    """Return the rules by their keys: each hall's own, then those of calls, missed calls and bad ratings."""
    found: dict[str, RuleDefinition] = {}
    for key, (hall, _, _, _), plan in zip(_HALL_KEYS, HALLS, PLAN_OF_HALL, strict=True):
        found[key] = RuleDefinition(
            title=f"办件回访：{hall}",
            reason=Reason.CASE_CLOSED,
            who=Who(halls=[hall]),
            when=NextDay(at=time(9, 0)),
            ways=_ways(plan),
            questionnaire="case_service",
            sampling=StrataSampled(
                by="unit", shares=dict.fromkeys(large_units, SAMPLED_LARGE) or {"其他": 1.0}, other=1.0, seed=SEED
            ),
            promised_working_days=5,
            sms_wait_days=7,
        )
    for key, queue, plan, title in (
        (CALL_KEYS[0], "consult", PLAN_OF_CALL, "来电抽样回访：办事咨询"),
        (CALL_KEYS[1], "enterprise", PLAN_OF_ENTERPRISE_CALL, "来电抽样回访：企业登记"),
    ):
        found[key] = RuleDefinition(
            title=title,
            reason=Reason.CALL_ANSWERED,
            who=Who(queues=[queue]),
            when=NextDay(at=time(9, 0)),
            ways=_ways(plan),
            questionnaire="call_service",
            sampling=ShareSampled(share=CALLS_FOLLOWED, seed=SEED),
            sms_wait_days=7,
        )
    found[MISSED_KEY] = RuleDefinition(
        title="漏接电话回拨", reason=Reason.MISSED_CALL, promised_working_days=1, expires_after_days=7
    )
    found[BAD_KEY] = RuleDefinition(title="差评整改回访", reason=Reason.BAD_RATING, promised_working_days=5)
    return found


def rule_of_hall(hall: int) -> str:
    """Return the key of the rule on a hall's cases."""
    return _HALL_KEYS[hall]


def _ways(plan: int) -> list[Way]:
    return [Way(WAYS[way]) for way in PLANS[plan]]


def questionnaires() -> dict[str, list[QuestionnaireDefinition]]:
    """Return the versions of each questionnaire, oldest first; the first one on cases did not ask for a recommendation."""
    case, call, after = (demonstration(key) for key in ("case_service", "call_service", "after_call"))
    first = case.model_copy(update={"questions": tuple(question for question in case.questions if question.key != "recommend")})
    return {"case_service": [first, case], "call_service": [call], "after_call": [after]}
