import uuid
from datetime import date

import pytest
from sqlalchemy import select

from core.errors import InvalidInputError
from core.outbox import OutboxEvent
from kb.article_view import ArticleNotFoundError
from kb.handlers import KnowledgeHandlers
from kb.models import KnowledgeGap, Suggestion, SuggestionFeedback
from kb.suggestion_view import SuggestionNotFoundError
from telephony.events import SegmentHeard
from tests.integration.kb.conftest import Base, article

QUESTION = "你好我想问一下我的身份证丢了在外地能不能补办啊"
AGENT = uuid.UUID(int=7)


def events(base: Base) -> list[str]:
    with base.database.transaction() as session:
        wanted = OutboxEvent.name.in_(["SuggestionsReady", "SuggestionJudged"])
        return list(session.scalars(select(OutboxEvent.name).where(wanted).order_by(OutboxEvent.id)))


def keys(base: Base, call_id: uuid.UUID) -> list[str]:
    return [view.article.key for view in base.service.current_suggestions(call_id)]


def test_cards_appear_once_the_citizen_has_said_enough(demo: Base) -> None:
    call_id = uuid.uuid4()
    demo.conversation.say(call_id, "喂您好请问")
    assert demo.service.suggest(call_id, uuid.uuid4()) == []
    demo.conversation.say(call_id, "我身份证丢了在外地能不能补办")
    cards = demo.service.suggest(call_id, uuid.uuid4())
    assert cards[0].article.key == "renkou-sfz-yidi-bu" or "身份证" in cards[0].article.content.title
    assert [card.rank for card in cards] == list(range(1, len(cards) + 1))
    first = cards[0]
    assert first.confidence >= demo.service.search(QUESTION).threshold
    assert first.article.content.source
    assert first.article.is_published_revision
    assert first.query in "喂您好请问我身份证丢了在外地能不能补办"
    assert first.excerpt
    assert not first.degraded
    assert events(demo) == ["SuggestionsReady"]


def test_politeness_is_no_question_however_long(demo: Base) -> None:
    call_id = uuid.uuid4()
    demo.conversation.say(call_id, "喂您好请问一下我想问一下麻烦您帮我看一下谢谢谢谢您")
    assert demo.service.suggest(call_id, uuid.uuid4()) == []
    assert demo.service.gaps() == []


def test_the_same_cards_are_not_shown_twice(demo: Base) -> None:
    call_id, segment_id = uuid.uuid4(), uuid.uuid4()
    demo.conversation.say(call_id, QUESTION)
    before = demo.service.suggest(call_id, segment_id)
    assert demo.service.suggest(call_id, segment_id) == before
    demo.conversation.say(call_id, "，谢谢您。")
    assert [card.id for card in demo.service.suggest(call_id, uuid.uuid4())] == [card.id for card in before]
    assert events(demo) == ["SuggestionsReady"]


def test_another_question_brings_other_cards_and_the_old_ones_stay_on_record(demo: Base) -> None:
    call_id = uuid.uuid4()
    demo.conversation.say(call_id, QUESTION)
    first = demo.service.suggest(call_id, uuid.uuid4())
    demo.conversation.say(call_id, "还有一个事情就是我们两个人想领结婚证，请问结婚登记要带什么东西去哪里办理登记")
    second = demo.service.suggest(call_id, uuid.uuid4())
    assert "mzj-jiehun-dengji" in [card.article.key for card in second]
    assert not {card.id for card in first} & {card.id for card in second}
    everything = demo.service.suggestions(call_id)
    assert [card.id for card in everything[: len(second)]] == [card.id for card in second]
    assert {card.id for card in everything} == {card.id for card in [*first, *second]}
    assert events(demo) == ["SuggestionsReady"] * 2


def test_what_nobody_wrote_about_shows_nothing_and_becomes_a_gap(demo: Base) -> None:
    call_id, segment_id = uuid.uuid4(), uuid.uuid4()
    demo.conversation.say(call_id, "你好楼上邻居半夜在家里唱歌声音特别大吵得睡不着")
    assert demo.service.suggest(call_id, segment_id) == []
    assert demo.service.suggest(call_id, segment_id) == []
    (gap,) = demo.service.gaps()
    assert gap.call_id == call_id
    assert gap.best_confidence < demo.service.search("x").threshold
    assert events(demo) == []


def test_a_gap_closes_when_the_citizen_had_only_not_finished(demo: Base) -> None:
    call_id = uuid.uuid4()
    demo.conversation.say(call_id, "我想跟你们打听一个情况是这么回事")
    demo.service.suggest(call_id, uuid.uuid4())
    assert len(demo.service.gaps()) == 1
    demo.conversation.say(call_id, "我身份证丢了在外地能不能补办")
    assert demo.service.suggest(call_id, uuid.uuid4())
    assert demo.service.gaps() == []


def test_verdicts_replace_each_other_and_can_be_taken_back(demo: Base) -> None:
    call_id = uuid.uuid4()
    demo.conversation.say(call_id, QUESTION)
    card = demo.service.suggest(call_id, uuid.uuid4())[0]
    assert demo.service.adopt(card.id, AGENT).verdict == "adopted"
    assert demo.service.adopt(card.id, AGENT).verdict == "adopted"
    wrong = demo.service.mark_wrong(card.id, AGENT, "  收费\n已经变了\x00 ")
    assert (wrong.verdict, wrong.reason, wrong.judged_by) == ("wrong", "收费 已经变了", AGENT)
    assert wrong.judged_at == demo.clock.now()
    undone = demo.service.undo(card.id, AGENT)
    assert (undone.verdict, undone.reason) == (None, "")
    assert demo.service.undo(card.id, AGENT).verdict is None
    with demo.database.transaction() as session:
        rows = session.execute(select(SuggestionFeedback.kind, SuggestionFeedback.undone_at).order_by(SuggestionFeedback.id)).all()
    assert [(kind, undone_at is not None) for kind, undone_at in rows] == [("adopted", True), ("wrong", True)]
    assert events(demo) == ["SuggestionsReady"] + ["SuggestionJudged"] * 3


def test_refused_verdicts(demo: Base) -> None:
    call_id = uuid.uuid4()
    demo.conversation.say(call_id, QUESTION)
    card = demo.service.suggest(call_id, uuid.uuid4())[0]
    with pytest.raises(InvalidInputError):
        demo.service.mark_wrong(card.id, AGENT, " \n ")
    with pytest.raises(InvalidInputError):
        demo.service.judge(card.id, "great", AGENT)  # type: ignore[arg-type]
    with pytest.raises(SuggestionNotFoundError):
        demo.service.adopt(call_id, AGENT)
    assert demo.service.get_suggestion(card.id).verdict is None


@pytest.mark.parametrize("verdict", ["ignored", "wrong"])
def test_what_was_put_aside_is_not_offered_to_the_call_again(demo: Base, verdict: str) -> None:
    call_id = uuid.uuid4()
    demo.conversation.say(call_id, QUESTION)
    card = demo.service.suggest(call_id, uuid.uuid4())[0]
    demo.service.judge(card.id, verdict, AGENT, "不对")  # type: ignore[arg-type]
    demo.conversation.say(call_id, "，我人现在在外地，身份证丢了。")
    demo.service.suggest(call_id, uuid.uuid4())
    views = {view.article.key: view for view in demo.service.suggestions(call_id)}
    assert views[card.article.key].verdict == verdict
    current = [key for key in keys(demo, call_id) if key != card.article.key]
    assert keys(demo, call_id)[:1] != [card.article.key] or current == []


def test_a_verdict_survives_that_the_card_goes_and_comes_back(demo: Base) -> None:
    call_id = uuid.uuid4()
    demo.conversation.say(call_id, QUESTION)
    card = demo.service.suggest(call_id, uuid.uuid4())[0]
    demo.service.adopt(card.id, AGENT)
    demo.conversation.say(call_id, "另外我还想问一下我们两个人领结婚证的结婚登记要带什么东西去哪里办理结婚登记呢")
    demo.service.suggest(call_id, uuid.uuid4())
    demo.conversation.say(call_id, "还是说回刚才那个吧，我的身份证丢了，我人在外地，能不能就在外地补办身份证啊")
    back = {view.id: view for view in demo.service.suggest(call_id, uuid.uuid4())}
    assert back[card.id].verdict == "adopted"


def test_an_article_found_by_hand_is_adopted_in_the_revision_of_today(demo: Base) -> None:
    call_id = uuid.uuid4()
    hit = demo.service.search("公积金贷款").hits[0]
    view = demo.service.adopt_article(call_id, hit.article_id, AGENT, query="公积金贷款")
    assert (view.rank, view.verdict, view.confidence) == (None, "adopted", hit.confidence)
    assert view.article.revision_id == hit.revision_id
    assert demo.service.adopt_article(call_id, hit.article_id, AGENT).id == view.id
    assert [card.id for card in demo.service.suggestions(call_id)] == [view.id]
    with pytest.raises(ArticleNotFoundError):
        demo.service.adopt_article(call_id, uuid.uuid4(), AGENT)


def test_a_card_cites_the_revision_that_was_shown(demo: Base) -> None:
    call_id = uuid.uuid4()
    demo.conversation.say(call_id, QUESTION)
    card = demo.service.suggest(call_id, uuid.uuid4())[0]
    changed = card.article.content.model_copy(update={"answer": "现在全都改了，到窗口去问。"})
    demo.service.revise_article("editor", card.article.id, changed)
    demo.service.publish_article("editor", card.article.id)
    assert demo.service.get_suggestion(card.id).article.content.answer == card.article.content.answer


def test_an_expired_article_is_never_suggested_not_even_by_an_index_that_lags(base: Base) -> None:
    words = ("我的无人机要登记去哪里登记", "无人机实名登记怎么登记")
    base.publish("old", article("无人机实名登记", *words, valid_to=date(2026, 11, 22)))
    base.publish("new", article("无人机实名登记新办法", *words, valid_from=date(2026, 11, 24)))
    base.publish("today", article("无人机实名登记办法", *words, valid_to=date(2026, 11, 23)))
    base.service.ensure_index()
    call_id = uuid.uuid4()
    base.conversation.say(call_id, "你好我想问一下我的无人机要登记去哪里登记")
    assert [hit.key for hit in base.service.search("无人机登记").hits] == ["today"]
    base.service.suggest(call_id, uuid.uuid4())
    assert set(keys(base, call_id)) <= {"today"}
    base.clock.advance(24 * 3600)
    assert [hit.key for hit in base.service.search("无人机登记").hits] == ["new"]
    assert [hit.key for hit in base.service.search("无人机登记", on=date(2026, 1, 1)).hits] == ["old", "today"]


def test_a_retired_article_is_not_shown_by_an_index_that_has_not_heard(demo: Base) -> None:
    hit = demo.service.search("公积金贷款").hits[0]
    demo.service.retire_article("editor", hit.article_id)
    assert demo.service.count_unindexed() == 1
    assert hit.key not in [other.key for other in demo.service.search("公积金贷款").hits]


def test_the_handler_listens_to_citizens_and_forgets_what_was_masked_later(demo: Base) -> None:
    handlers = KnowledgeHandlers(demo.service, demo.database)
    call_id, segment_id = uuid.uuid4(), uuid.uuid4()
    demo.conversation.say(call_id, QUESTION)
    handlers.on_segment_heard(SegmentHeard(call_id=call_id, segment_id=segment_id, party="agent"))
    assert demo.service.suggestions(call_id) == []
    handlers.on_segment_heard(SegmentHeard(call_id=call_id, segment_id=segment_id, party="citizen"))
    cards = demo.service.suggestions(call_id)
    assert cards
    assert all(card.query for card in cards)
    handlers.on_segment_heard(SegmentHeard(call_id=call_id, segment_id=segment_id, party="citizen", is_amended=True))
    with demo.database.transaction() as session:
        assert set(session.scalars(select(Suggestion.query).where(Suggestion.call_id == call_id))) == {""}
        assert list(session.scalars(select(KnowledgeGap.query))) == []


def test_hostile_words_of_a_citizen_are_only_words(demo: Base) -> None:
    call_id = uuid.uuid4()
    hostile = "'; DROP TABLE article; -- <script>alert(1)</script> {{7*7}} \u202e身份证丢了在外地能不能补办"
    demo.conversation.say(call_id, hostile)
    demo.service.suggest(call_id, uuid.uuid4())
    assert demo.service.count_articles() >= 120


def test_an_article_with_markup_comes_back_as_it_was_written(base: Base) -> None:
    title = '<img src=x onerror="alert(1)">无人机登记'
    base.publish("evil", article(title, "无人机{{config}}登记", answer="<b>无人机</b>登记要实名。" * 3))
    base.service.ensure_index()
    hit = base.service.search("无人机登记").hits[0]
    assert hit.title == title
    assert hit.excerpt.startswith("<b>无人机</b>")
    assert all(0 <= start < end <= len(hit.excerpt) for start, end in hit.marks)
