"""The year's surveys and answers as rows."""

import json

import numpy as np

from launcher.year import comments
from launcher.year import surveys as s
from launcher.year.arrays import DAY, NEVER, Ids, Ints
from launcher.year.callback_rows import Drawn, uuids
from launcher.year.case_rows import context_words
from launcher.year.copying import Cells, Keys, Numbers, Texts, Times, Words
from launcher.year.telephony_rows import OutCalls
from launcher.year.year import Year
from survey.schema import QuestionnaireDefinition

_KINDS = ("rating", "yes_no", "scale", "multiple", "text")


def survey_rows(year: Year, drawn: Drawn, out: OutCalls, agents: Ids) -> dict[str, Cells]:
    """Return the rows of `survey`."""
    surveys, calls, owed = year.surveys, year.calls, year.owed
    count = len(surveys)
    of_callback = surveys.callback >= 0
    callback = np.maximum(surveys.callback, 0)
    call = np.where(of_callback, owed.call[callback], surveys.call)
    case = np.where(of_callback, owed.case[callback], -1)
    matter = np.where(of_callback, owed.matter[callback], calls.matter[np.maximum(surveys.call, 0)])
    attempt = np.maximum(surveys.attempt, 0)
    agent = np.where(of_callback, drawn.attempt_agent[attempt], calls.agent[np.maximum(surveys.call, 0)])
    by_attempt, by_call = uuids(year.attempts.id), uuids(calls.id)

    def natural_keys(part: range) -> list[str]:
        chosen = slice(part.start, part.stop)
        asked, ended = by_attempt(attempt[chosen]), by_call(np.maximum(surveys.call[chosen], 0))
        pairs = zip(surveys.attempt[chosen].tolist(), asked, ended, strict=True)
        return [f"attempt:{one}" if place >= 0 else f"after_call:{other}" for place, one, other in pairs]

    return {
        "id": Keys(surveys.id),
        "natural_key": Texts(count, natural_keys),
        "questionnaire_version_id": Keys(*_versions(year, drawn)),
        "kind": Words(("callback", "after_call"), (~of_callback).astype(np.int64)),
        "way": Words(s.SURVEY_WAYS, surveys.way),
        "state": Words(s.SURVEY_STATES, surveys.state),
        "callback_id": Keys(drawn.callback_ids, surveys.callback),
        "call_id": Keys(calls.id, call),
        "case_id": Keys(year.cases.id, case),
        "agent_id": Keys(agents, agent),
        **context_words(year.matters, year.cases, calls, matter, case, call),
        "weight": Numbers(np.where(of_callback, owed.weight[callback], 1.0)),
        "offered_at": Times(surveys.offered_at),
        "started_at": Times(surveys.started_at),
        "finished_at": Times(surveys.finished_at),
        "expires_at": Times(surveys.offered_at + 7 * DAY),
        "withdrawn_at": Times(np.where(surveys.is_withdrawn, surveys.finished_at + DAY // 24, NEVER)),
    }


def version_places(year: Year, drawn: Drawn) -> Ints:
    """Return the place of each survey's questionnaire version among all versions, in the order of the questionnaires."""
    firsts = np.cumsum([0, *(len(drawn.questionnaire_version[key]) for key in s.QUESTIONNAIRES)])[:-1]
    is_second = (year.surveys.questionnaire == s.CASE) & (year.surveys.offered_at >= year.plan.second_version_from)
    return np.asarray(firsts[year.surveys.questionnaire] + is_second, dtype=np.int64)


def _versions(year: Year, drawn: Drawn) -> tuple[Ids, Ints]:
    ids = np.concatenate([version for key in s.QUESTIONNAIRES for version in drawn.questionnaire_version[key]])
    return ids, version_places(year, drawn)


def answer_rows(year: Year, questionnaires: dict[str, list[QuestionnaireDefinition]]) -> dict[str, Cells]:
    """Return the rows of `answer`."""
    answers = year.answers
    question, choice = answers.question, answers.choice
    score = np.where(np.isin(question, (s.SATISFACTION, s.RESOLVED, s.RECOMMEND)), choice, np.nan)
    values = [
        *(str(number) for number in range(11)),
        '"no"',
        '"yes"',
        *_reasons(questionnaires["case_service"][-1]),
        *_reasons(questionnaires["call_service"][-1]),
        *(json.dumps(text, ensure_ascii=False) for text in comments.TEXTS),
    ]
    resolved, reasons = 11, 13
    many = 1 << len(s.REASON_SHARES[s.CASE])
    words = reasons + many + (1 << len(s.REASON_SHARES[s.CALL]))
    own = np.where(year.surveys.questionnaire[answers.survey] == s.CALL, many, 0)
    starts = np.select(
        [question == s.RESOLVED, question == s.REASON, question == s.WORDS], [resolved, reasons + own, words], default=0
    )
    return {
        "survey_id": Keys(year.surveys.id, answers.survey),
        "question_key": Words(s.QUESTIONS, question),
        "kind": Words(_KINDS, question),
        "value": Words(values, starts + choice),
        "score": Numbers(score),
        "answered_at": Times(answers.at),
        "is_late": Words(("f", "t"), answers.is_late.astype(np.int64)),
    }


def _reasons(definition: QuestionnaireDefinition) -> list[str]:
    """Return the value of every set of reasons, by its bits."""
    question = definition.question("reason")
    assert question is not None
    keys = [option.key for option in question.options]
    return [json.dumps([key for place, key in enumerate(keys) if bits >> place & 1]) for bits in range(1 << len(keys))]
