"""Surveys from the offer to the end: nothing twice, nothing lost, nothing counted that does not count."""

import contextlib
import threading
import uuid
from datetime import timedelta

import pytest

from survey.events import BadRatingGiven, SurveyAnswered, SurveyFinished
from survey.service import demonstration
from survey.survey_state import SurveyMoveError
from survey.views import (
    BadAnswerError,
    LinkExpiredError,
    LinkForgedError,
    LinkUsedError,
    LinkWithdrawnError,
    NotLaunchedError,
    QuotaFullError,
    SurveyContext,
    SurveyEndedError,
    SurveyFilter,
    SurveyNotFoundError,
)
from tests.integration.survey.conftest import Base
from tests.unit.survey.made import question, questionnaire, when

WEEK = timedelta(days=7).total_seconds()


@pytest.fixture
def case(base: Base) -> uuid.UUID:
    return base.launched(demonstration("case_service"), "case_service")


def test_offering_twice_makes_one_survey(base: Base, case: uuid.UUID) -> None:
    made: list[uuid.UUID] = []
    threads = [threading.Thread(target=lambda: made.append(base.offered(case, "attempt:1"))) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 5
    assert len(set(made)) == 1
    assert base.offered(case, "attempt:2") != made[0]


def test_only_launched_versions_are_asked(base: Base, case: uuid.UUID) -> None:
    draft = base.service.new_version("fang", case)
    with pytest.raises(NotLaunchedError):
        base.offered(draft.version_id)
    base.service.launch("fang", draft.version_id)
    # What was owed before the launch is asked in the new words.
    assert base.service.view(base.offered(case)).version_id == draft.version_id
    base.service.retire("fang", draft.version_id)
    with pytest.raises(NotLaunchedError):
        base.offered(case)


def test_an_answered_survey(base: Base, case: uuid.UUID) -> None:
    callback_id = uuid.uuid4()
    survey_id = base.offered(case, callback_id=callback_id, unit="市公安局", matter="补办身份证", weight=2.5, queue_name="consult")
    started = base.service.start(survey_id)
    assert (started.state, started.context.unit, started.context.weight) == ("started", "市公安局", 2.5)
    base.service.answer(survey_id, "satisfaction", 5, heard="非常满意")
    base.service.answer(survey_id, "resolved", "yes")
    ended = base.service.finish(survey_id, "completed")
    assert ended.state == "completed"
    assert [(a.question_key, a.value, a.score, a.heard) for a in ended.answers] == [
        ("satisfaction", 5, 5.0, "非常满意"),
        ("resolved", "yes", 1.0, ""),
    ]
    assert base.service.finish(survey_id, "completed") == ended, "again is harmless"
    with pytest.raises(SurveyMoveError):
        base.service.finish(survey_id, "refused")
    with pytest.raises(SurveyEndedError):
        base.service.answer(survey_id, "satisfaction", 1)
    assert len(base.events(SurveyAnswered)) == 2
    assert base.events(SurveyFinished) == [SurveyFinished(survey_id=survey_id, state="completed")]
    assert base.events(BadRatingGiven) == []


def test_a_bad_rating_is_told_once_at_the_end(base: Base, case: uuid.UUID) -> None:
    survey_id = base.offered(case)
    base.service.answer(survey_id, "satisfaction", 1)
    base.service.answer(survey_id, "satisfaction", 2)
    assert base.events(BadRatingGiven) == []
    base.service.finish(survey_id, "partial")
    base.service.finish(survey_id, "partial")
    assert base.events(BadRatingGiven) == [BadRatingGiven(survey_id=survey_id, score=2)]


def test_a_changed_answer_drops_what_it_hides(base: Base, case: uuid.UUID) -> None:
    survey_id = base.offered(case)
    base.service.answer(survey_id, "satisfaction", 1)
    base.service.answer(survey_id, "reason", ["slow", "unsolved"])
    assert base.service.answer(survey_id, "satisfaction", 4).values == {"satisfaction": 4}
    assert base.service.retract(survey_id, "satisfaction").values == {}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("satisfaction", 6),
        ("satisfaction", "5"),
        ("satisfaction", True),
        ("satisfaction", None),
        ("resolved", "maybe"),
        ("reason", []),
        ("reason", ["slow", "slow"]),
        ("reason", ["nonsense"]),
        ("recommend", 11),
        ("recommend", 7.5),
        ("words", ""),
        ("words", "字" * 501),
        ("nothing", 1),
    ],
)
def test_what_is_no_answer_is_refused(base: Base, case: uuid.UUID, key: str, value: object) -> None:
    survey_id = base.offered(case)
    with pytest.raises(BadAnswerError):
        base.service.answer(survey_id, key, value)
    assert base.service.view(survey_id).answers == ()


def test_ends_are_what_the_answers_bear_out(base: Base, case: uuid.UUID) -> None:
    nothing = base.offered(case)
    assert base.service.finish(nothing, "partial").state == "skipped"
    half = base.offered(case)
    base.service.answer(half, "satisfaction", 3)
    assert base.service.finish(half, "completed").state == "partial"
    refused = base.offered(case)
    assert base.service.finish(refused, "refused").state == "refused"


def test_quotas_hold_at_the_offer(base: Base) -> None:
    version_id = base.launched(
        questionnaire(
            question("a"), quotas=[{"field": "unit", "value": "市公安局", "most": 2}, {"field": "", "value": "", "most": 3}]
        )
    )
    for number in range(2):
        survey_id = base.offered(version_id, f"police {number}", unit="市公安局")
        base.service.answer(survey_id, "a", 5)
        base.service.finish(survey_id, "completed")
    with pytest.raises(QuotaFullError):
        base.offered(version_id, unit="市公安局")
    assert base.offered(version_id, "police 0", unit="市公安局"), "what was offered before is returned"
    other = base.offered(version_id, unit="市税务局")
    base.service.start(other)
    with pytest.raises(QuotaFullError):
        base.offered(version_id, unit="市税务局")


def test_links_that_lie_about_do_not_overrun_a_quota(base: Base) -> None:
    version_id = base.launched(questionnaire(question("a"), quotas=[{"field": "", "value": "", "most": 2}]))
    first, second, third, begun = (base.offered(version_id) for _ in range(4))
    for survey_id in (first, second):
        base.service.start(survey_id)
    with pytest.raises(QuotaFullError):
        base.service.open_link(base.service.link(third))
    for begin in (lambda: base.service.start(begun), lambda: base.service.answer(begun, "a", 5)):
        with pytest.raises(QuotaFullError):
            begin()
    assert base.service.view(begun).state == "offered"
    assert base.service.open_link(base.service.link(first)), "who has begun goes on"


def test_many_who_begin_in_one_moment_do_not_overrun_a_quota(base: Base) -> None:
    version_id = base.launched(questionnaire(question("a"), quotas=[{"field": "", "value": "", "most": 2}]))
    surveys = [base.offered(version_id) for _ in range(8)]

    def begin(survey_id: uuid.UUID) -> None:
        with contextlib.suppress(QuotaFullError):
            base.service.start(survey_id)

    threads = [threading.Thread(target=begin, args=(survey_id,)) for survey_id in surveys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [base.service.view(survey_id).state for survey_id in surveys].count("started") == 2


def test_nobody_answers_twice_for_one_callback(base: Base, case: uuid.UUID) -> None:
    callback_id = uuid.uuid4()
    link, call = (base.offered(case, callback_id=callback_id) for _ in range(2))
    for key, value in {"satisfaction": 5, "resolved": "yes"}.items():
        base.service.answer(call, key, value)
    assert base.service.open_link(base.service.link(link))
    base.service.finish(call, "completed")
    with pytest.raises(LinkUsedError):
        base.service.open_link(base.service.link(link), is_sent=True)
    base.service.close_of_callback(callback_id, with_links=True)
    base.service.close_of_callback(callback_id, with_links=True)
    assert base.service.view(link).state == "expired"
    with pytest.raises(LinkUsedError):
        base.service.open_link(base.service.link(link))


def test_what_an_agent_asks_lasts_as_long_as_its_callback(base: Base, case: uuid.UUID) -> None:
    callback_id = uuid.uuid4()
    link = base.offered(case, callback_id=callback_id)
    survey_id = base.service.offer("callback:1:agent", case, "callback", "agent", SurveyContext(callback_id=callback_id))
    base.clock.advance(4 * WEEK)
    base.service.close_expired()
    (answer,) = base.service.answer(survey_id, "satisfaction", 4).answers
    assert not answer.is_late
    base.service.close_of_callback(callback_id, with_links=False)
    assert base.service.view(survey_id).state == "partial"
    later = base.offered(case, "later", callback_id=callback_id)
    base.service.close_of_callback(callback_id, with_links=False)
    assert base.service.view(later).state == "offered", "who could not be reached may still open the link"
    assert base.service.view(link).state == "expired"


def test_numbers_of_persons_are_masked_in_words(base: Base, case: uuid.UUID) -> None:
    survey_id = base.offered(case)
    base.service.answer(survey_id, "satisfaction", 2)
    base.service.answer(survey_id, "words", "请打 13800138000，身份证 110101199003070015")
    kept = str(base.service.view(survey_id).values["words"])
    assert kept.startswith("请打 ")
    assert "13800138000" not in kept
    assert "110101199003070015" not in kept


def test_late_answers_are_marked(base: Base, case: uuid.UUID) -> None:
    survey_id = base.offered(case)
    base.service.answer(survey_id, "satisfaction", 4)
    base.clock.advance(WEEK + 60)
    late = base.service.answer(survey_id, "resolved", "no")
    assert [answer.is_late for answer in late.answers] == [False, True]


def test_surveys_end_when_their_time_is_over(base: Base, case: uuid.UUID) -> None:
    untouched, begun, done = (base.offered(case) for _ in range(3))
    base.service.answer(begun, "satisfaction", 2)
    base.service.finish(done, "refused")
    base.clock.advance(WEEK + 60)
    assert base.service.close_expired() == 0, "the hours for late answers come first"
    base.clock.advance(24 * 3600)
    assert base.service.close_expired() == 2
    assert base.service.close_expired() == 0
    assert [base.service.view(one).state for one in (untouched, begun, done)] == ["expired", "partial", "refused"]
    with pytest.raises(LinkExpiredError):
        base.service.open_link(base.service.link(untouched))
    with pytest.raises(LinkExpiredError):
        base.service.open_link(base.service.link(begun))


def test_links(base: Base, case: uuid.UUID) -> None:
    survey_id = base.offered(case)
    token = base.service.link(survey_id)
    assert token == base.service.link(survey_id)
    assert len(token) <= 50, "it must fit into a text message"
    assert base.service.address(survey_id) == f"https://hall.example/s/{token}"
    assert base.service.open_link(token).survey_id == survey_id
    base.service.answer(survey_id, "satisfaction", 5)
    assert base.service.open_link(token).values == {"satisfaction": 5}, "it opens again until it is handed in"
    base.service.finish(survey_id, "completed")
    with pytest.raises(LinkUsedError):
        base.service.open_link(token)


FORGED = [lambda t: t[:-1] + ("A" if t[-1] != "A" else "Q"), lambda t: "B" + t[1:], lambda t: t[:20], str.upper]


@pytest.mark.parametrize("change", FORGED)
def test_a_forged_link_opens_nothing(base: Base, case: uuid.UUID, change: object) -> None:
    token = base.service.link(base.offered(case))
    with pytest.raises(LinkForgedError):
        base.service.open_link(change(token))  # type: ignore[operator]


@pytest.mark.parametrize("token", ["", ".", "…", "a.b", "\x00", "x" * 5000])
def test_nonsense_is_no_link(base: Base, token: str) -> None:
    with pytest.raises(LinkForgedError):
        base.service.open_link(token)


def test_an_expired_link_gives_an_open_page_some_hours(base: Base, case: uuid.UUID) -> None:
    token = base.service.link(base.offered(case))
    base.clock.advance(WEEK + 60)
    with pytest.raises(LinkExpiredError):
        base.service.open_link(token)
    assert base.service.open_link(token, is_sent=True)
    base.clock.advance(24 * 3600)
    with pytest.raises(LinkExpiredError):
        base.service.open_link(token, is_sent=True)


def test_a_withdrawn_survey_is_closed_and_kept(base: Base, case: uuid.UUID) -> None:
    survey_id = base.offered(case)
    base.service.answer(survey_id, "satisfaction", 1)
    base.service.withdraw(survey_id, "fang", "市民要求")
    base.service.withdraw(survey_id, "fang")
    with pytest.raises(LinkWithdrawnError):
        base.service.open_link(base.service.link(survey_id))
    with pytest.raises(SurveyEndedError):
        base.service.answer(survey_id, "satisfaction", 5)
    assert base.service.view(survey_id).values == {"satisfaction": 1}
    base.service.finish(survey_id, "partial")
    assert base.events(BadRatingGiven) == [], "what was withdrawn calls nobody"


def test_lists_are_filtered(base: Base, case: uuid.UUID) -> None:
    other = base.launched(questionnaire(question("a"), question("b", show_if=when("a"))), "other")
    call_id = uuid.uuid4()
    first = base.offered(case, call_id=call_id)
    base.clock.advance(1)
    second = base.offered(other)
    base.service.answer(second, "a", 5)
    everything = base.service.list_surveys()
    assert [one.survey_id for one in everything.surveys] == [second, first]
    assert [one.survey_id for one in base.service.list_surveys(SurveyFilter(call_id=call_id)).surveys] == [first]
    assert base.service.list_surveys(SurveyFilter(questionnaire_key="other", state="started")).total == 1
    assert base.service.list_surveys(SurveyFilter(offered_before=base.clock.now())).surveys[0].survey_id == first
    with pytest.raises(SurveyNotFoundError):
        base.service.view(uuid.uuid4())
