"""The pages on which questionnaires are made: list, editor, preview, rehearsal, launch."""

import re
import uuid
from html import unescape

import pytest
from werkzeug.test import TestResponse

from survey.service import demonstration
from survey.views import VersionView
from tests.fakes.browser import Browser
from tests.integration.survey.conftest import PASSWORD, Base
from tests.unit.survey.made import question, questionnaire, when


def text(answer: TestResponse) -> str:
    return answer.get_data(as_text=True)


@pytest.fixture
def editor(client: Browser) -> Browser:
    client.log_in("supervisor", PASSWORD)
    return client


@pytest.fixture
def draft(base: Base) -> VersionView:
    return base.service.create_questionnaire("supervisor", "case_service", demonstration("case_service"))


def page_of(version_id: uuid.UUID) -> str:
    return f"/questionnaires/{version_id}"


def seen(answer: TestResponse) -> str:
    found = re.search(r'name="seen" value="([^"]+)"', text(answer))
    assert found is not None
    return unescape(found[1])


def test_the_list_shows_versions_states_and_answers(editor: Browser, base: Base) -> None:
    assert "还没有问卷" in text(editor.get("/questionnaires/"))
    version_id = base.launched(demonstration("case_service"), "case_service")
    survey_id = base.offered(version_id)
    base.service.answer(survey_id, "satisfaction", 5)
    base.service.finish(survey_id, "partial")
    base.service.new_version("supervisor", version_id)
    shown = text(editor.get("/questionnaires/"))
    assert "办件回访" in shown
    assert "第 1 版" in shown
    assert "第 2 版" in shown
    assert "在用" in shown
    assert "草稿" in shown
    assert re.search(r'<td class="r">5</td><td class="r">1</td><td class="r">1</td>', shown)


def test_a_questionnaire_is_made_from_nothing(editor: Browser, base: Base) -> None:
    made = editor.post("/questionnaires/", data={"title": "窗口服务", "key": "window"})
    assert made.status_code == 302
    (one,) = base.service.list_questionnaires()
    address = page_of(one.versions[0].version_id)
    assert made.headers["Location"] == address
    assert "问卷没有题目" in text(editor.get(address))
    editor.post(f"{address}/questions", data={"kind": "single", "seen": seen(editor.get(address))})
    page = editor.get(f"{address}?q=1")
    assert "第 1 题没有写题目" in text(page)
    saved = editor.post(
        f"{address}/questions/1",
        data={
            "seen": seen(page),
            "kind": "single",
            "required": "1",
            "title_zh": "您在哪个窗口办的？",
            "option_key": ["", "", ""],
            "option_zh": ["一号", "二号", ""],
            "option_en": ["One", "", ""],
        },
    )
    assert saved.status_code == 302
    kept = base.service.get_version(one.versions[0].version_id).definition.questions[0]
    assert [(option.key, option.label.zh, option.label.en) for option in kept.options] == [
        ("o1", "一号", "One"),
        ("o2", "二号", ""),
    ]
    assert "逻辑检查通过" in text(editor.get(address))
    editor.post(f"{address}/launch")
    assert base.service.launched_version("window") == one.versions[0].version_id


def test_options_keep_their_keys_when_others_go(editor: Browser, base: Base, draft: VersionView) -> None:
    address = page_of(draft.version_id)
    page = editor.get(f"{address}?q=4")
    data = {
        "seen": seen(page),
        "kind": "multiple",
        "required": "0",
        "title_zh": "原因？",
        "option_key": ["trips", "slow", "unclear", ""],
        "option_zh": ["跑的次数多", "", "没有说清楚", "别的"],
        "option_en": ["", "", "", ""],
        "show_if": ["satisfaction|at_most|3", "resolved|any_of|no", ""],
    }
    editor.post(f"{address}/questions/4", data=data)
    kept = base.service.get_version(draft.version_id).definition.questions[3]
    assert [option.key for option in kept.options] == ["trips", "unclear", "o1"]
    assert [(c.question, c.operator, c.number, c.values) for c in kept.show_if] == [
        ("satisfaction", "at_most", 3.0, ()),
        ("resolved", "any_of", None, ("no",)),
    ]
    shown = text(editor.get(f"{address}?q=4"))
    assert "第 1 题：基本满意及以下" in shown
    assert "第 2 题：没有办成" in shown


def test_bad_input_is_said_and_nothing_is_saved(editor: Browser, base: Base, draft: VersionView) -> None:
    address = page_of(draft.version_id)
    page = editor.get(f"{address}?q=3")
    answer = editor.post(
        f"{address}/questions/3",
        data={"seen": seen(page), "kind": "scale", "required": "1", "title_zh": "新题目", "lowest": "a", "highest": "10"},
    )
    assert answer.status_code == 400
    assert "要填整数" in text(answer)
    assert "新题目" in text(answer), "what was typed stays"
    settings = editor.post(
        f"{address}/settings", data={"seen": seen(page), "title_zh": "新标题", "expires_after_days": "0", "repeats": "2"}
    )
    assert settings.status_code == 400
    assert "最小 1" in text(settings)
    assert base.service.get_version(draft.version_id).definition == draft.definition


def role(editor: Browser, address: str, place: int, role: str, kind: str = "rating", **more: str) -> TestResponse:
    page = editor.get(f"{address}?q={place}")
    data = {"seen": seen(page), "kind": kind, "required": "1", "title_zh": "题目？", "role": role, **more}
    return editor.post(f"{address}/questions/{place}", data=data)


def test_what_a_question_counts_for_is_chosen(editor: Browser, base: Base) -> None:
    """Statistics finds the two questions by their keys; whoever makes a questionnaire on the page never sees a key."""
    made = base.service.create_questionnaire("supervisor", "window", questionnaire(question("q1", title={"zh": "题目？"})))
    address = page_of(made.version_id)
    for place, kind in ((2, "yes_no"), (3, "rating")):
        editor.post(f"{address}/questions", data={"kind": kind, "seen": seen(editor.get(address))})
        role(editor, address, place, "", kind, show_if="q1|at_most|2")

    def keys() -> list[str]:
        return [one.key for one in base.service.get_version(made.version_id).definition.questions]

    assert keys() == ["q1", "q2", "q3"]
    assert role(editor, address, 1, "satisfaction").status_code == 302
    assert role(editor, address, 2, "resolved", "yes_no", show_if="satisfaction|at_most|2").status_code == 302
    assert keys() == ["satisfaction", "resolved", "q3"]
    kept = base.service.get_version(made.version_id).definition.questions
    assert [one.question for asked in kept for one in asked.show_if] == ["satisfaction", "satisfaction"], "conditions follow"
    shown = text(editor.get(f"{address}?q=1"))
    assert '<option value="satisfaction" selected>' in shown
    assert "计入解决率" in shown
    again = role(editor, address, 3, "satisfaction")
    assert again.status_code == 400
    assert "第 1 题已经计入满意率" in text(again)
    assert keys() == ["satisfaction", "resolved", "q3"]
    role(editor, address, 1, "")
    assert keys()[0] not in ("satisfaction", "q3")
    editor.post(f"{address}/launch")
    assert base.service.launched_version("window") == made.version_id


def test_what_counts_is_of_the_right_kind_at_launch(editor: Browser, base: Base, draft: VersionView) -> None:
    address = page_of(draft.version_id)
    role(editor, address, 1, "satisfaction", "scale", lowest="0", highest="10")
    assert "第 1 题计入满意率，题型要选五级好差评" in text(editor.get(address))
    editor.post(f"{address}/launch")
    assert base.service.launched_version("case_service") is None


def test_settings_are_kept(editor: Browser, base: Base, draft: VersionView) -> None:
    address = page_of(draft.version_id)
    page = editor.get(f"{address}?q=settings")
    data = {
        "seen": seen(page),
        "title_zh": "办件回访（新）",
        "opening_zh": "您办理的{matter}已办结。",
        "closing_zh": "谢谢。",
        "expires_after_days": "3",
        "repeats": "1",
        "quota_field": ["unit", "", ""],
        "quota_value": ["市公安局", "", ""],
        "quota_most": ["200", "1000", ""],
    }
    assert editor.post(f"{address}/settings", data=data).status_code == 302
    kept = base.service.get_version(draft.version_id).definition
    assert (kept.title.zh, kept.expires_after_days, kept.repeats) == ("办件回访（新）", 3, 1)
    assert [(quota.field, quota.value, quota.most) for quota in kept.quotas] == [("unit", "市公安局", 200), ("", "", 1000)]
    assert kept.questions == draft.definition.questions


def test_questions_are_moved_copied_and_deleted(editor: Browser, base: Base, draft: VersionView) -> None:
    address = page_of(draft.version_id)

    def act(place: int, name: str) -> list[str]:
        editor.post(f"{address}/questions/{place}/{name}", data={"seen": seen(editor.get(f"{address}?q=1"))})
        return [one.key for one in base.service.get_version(draft.version_id).definition.questions]

    assert act(1, "down") == ["resolved", "satisfaction", "recommend", "reason", "words"]
    assert act(1, "up") == ["resolved", "satisfaction", "recommend", "reason", "words"]
    assert act(1, "copy") == ["resolved", "resolved1", "satisfaction", "recommend", "reason", "words"]
    assert act(2, "delete") == ["resolved", "satisfaction", "recommend", "reason", "words"]
    act(4, "up")
    act(3, "up")
    assert "看的是后面的第 3 题" in text(editor.get(address)), "a condition that now looks ahead is shown at once"
    assert editor.post(f"{address}/questions/9/up").status_code == 404


def test_two_editors(editor: Browser, base: Base, draft: VersionView) -> None:
    address = page_of(draft.version_id)
    before = seen(editor.get(f"{address}?q=1"))
    base.clock.advance(1)
    base.service.save_draft("fang", draft.version_id, questionnaire(question("a"), title={"zh": "别人的"}))
    answer = editor.post(f"{address}/questions/1", data={"seen": before, "kind": "rating", "required": "1", "title_zh": "我的题目"})
    assert answer.status_code == 409
    assert "fang 刚刚改过这一版" in text(answer)
    assert "我的题目" in text(answer)
    assert base.service.get_version(draft.version_id).definition.title.zh == "别人的"


def test_logic_that_never_ends_is_not_launched(editor: Browser, base: Base) -> None:
    circle = questionnaire(question("a", show_if=when("b")), question("b", show_if=when("a")))
    made = base.service.create_questionnaire("supervisor", "circle", circle)
    address = page_of(made.version_id)
    assert "会绕圈" in text(editor.get(address))
    assert editor.post(f"{address}/launch").status_code == 302
    assert "还不能发布" in text(editor.get(address))
    assert base.service.launched_version("circle") is None


def test_a_launched_version_is_read_only(editor: Browser, base: Base, draft: VersionView) -> None:
    address = page_of(draft.version_id)
    assert 'data-confirm="发布“办件回访”第 1 版？"' in text(editor.get(address)), "the launch asks first"
    editor.post(f"{address}/launch")
    page = text(editor.get(address))
    assert "不能再改" in page
    assert 'form="question"' not in page
    for name, data in {
        "settings": {"title_zh": "改", "expires_after_days": "3", "repeats": "1"},
        "questions": {"kind": "text"},
    }.items():
        editor.post(f"{address}/{name}", data=data)
    assert base.service.get_version(draft.version_id).definition == draft.definition
    editor.post(f"{address}/version")
    newer = base.service.list_questionnaires()[0].draft
    assert newer is not None
    assert newer.version_no == 2
    assert "<b>第 1 版</b>在用" in text(editor.get(page_of(newer.version_id)))
    editor.post(f"{page_of(newer.version_id)}/discard")
    assert base.service.list_questionnaires()[0].draft is None
    editor.post(f"{address}/retire")
    assert base.service.launched_version("case_service") is None


def test_the_preview_is_the_real_page(editor: Browser, draft: VersionView) -> None:
    address = f"{page_of(draft.version_id)}/preview"
    first = editor.get(address)
    assert "您对这次办事的服务满意吗" in text(first)
    assert "frame-ancestors 'self'" in first.headers["Content-Security-Policy"]
    assert "<script" not in text(first)
    sent = {"asked": "satisfaction,resolved,recommend", "passed": "", "satisfaction": "2", "resolved": "no", "recommend": ""}
    second = editor.post(address, data=sent)
    assert "不满意的主要原因" in text(second)
    kept = dict(re.findall(r'name="(kept-[a-z]+)" value="([^"]*)"', text(second)))
    assert kept == {"kept-satisfaction": "2", "kept-resolved": "no"}
    assert "recommend" in re.findall(r'name="passed" value="([^"]*)"', text(second))[0]
    done = editor.post(address, data={"asked": "reason,words", "passed": "recommend", **kept})
    assert "提交成功" in text(done)
    assert "How satisfied" in text(editor.get(f"{address}?lang=en"))


def test_a_call_is_rehearsed(editor: Browser, draft: VersionView) -> None:
    address = f"{page_of(draft.version_id)}/trial?way=ivr"
    first = text(editor.get(address))
    assert "您最近办理的事项已经办结" in first
    assert "非常满意请按 1" in first
    moves: list[str] = []
    for data in ({"act": "speech", "speech": "不太满意"}, {"act": "key:7"}, {"act": "silence"}, {"act": "key:2"}):
        shown = text(editor.post(address, data={**data, "move": moves}))
        pad = shown[shown.index('<form class="pad"') :].partition("</form>")[0]
        moves = [unescape(move) for move in re.findall(r'name="move" value="([^"]*)"', pad)]
    assert moves == ["speech:不太满意", "keys:7", "silence:", "keys:2"]
    assert "记为：不满意" in shown
    assert "记为：没有办成" in shown
    assert "没有对应的选项" in shown
    over = text(editor.post(address, data={"act": "hang_up", "move": [*moves, "nonsense", "keys"]}))
    assert "没有答完，已答的保留" in over


def test_the_agents_form_is_rehearsed(editor: Browser, draft: VersionView) -> None:
    address = f"{page_of(draft.version_id)}/trial?way=agent"
    assert "不满意的主要原因" not in text(editor.get(address))
    shown = text(editor.post(address, data={"satisfaction": "1", "way": "agent"}))
    assert "不满意的主要原因" in shown
    assert "还有必答题：第 2 题" in shown
    assert "网页预览" in text(editor.get(f"{page_of(draft.version_id)}/trial"))


@pytest.mark.parametrize("view", ["web", "ivr", "agent"])
def test_the_three_previews(editor: Browser, draft: VersionView, view: str) -> None:
    shown = text(editor.get(f"{page_of(draft.version_id)}?q=4&view={view}"))
    assert {"web": "phoneframe", "ivr": "跑的次数多请按 1", "agent": "sv-q"}[view] in shown


def test_every_kind_of_question_has_its_form(editor: Browser, base: Base) -> None:
    kinds = ["rating", "yes_no", "single", "multiple", "scale", "number", "text"]
    made = base.service.create_questionnaire(
        "supervisor", "all", questionnaire(*(question(f"q{n}", kind) for n, kind in enumerate(kinds)))
    )
    address = page_of(made.version_id)
    for place in range(1, len(kinds) + 1):
        before = base.service.get_version(made.version_id).definition
        page = editor.get(f"{address}?q={place}")
        assert page.status_code == 200
        names = dict.fromkeys(re.findall(r'name="(option_key|option_zh|option_en|lowest|highest)"', text(page)))
        assert bool(names) == (kinds[place - 1] not in ("rating", "text"))
        form = re.search(r'<form id="question".*?</form>', text(page), re.S)
        assert form is not None
        fields: dict[str, list[str]] = {}
        for tag in re.findall(r"<input[^>]*>", form[0]):
            found = re.search(r'name="([^"]+)"', tag)
            value = re.search(r'value="([^"]*)"', tag)
            if found and value:
                fields.setdefault(found[1], []).append(unescape(value[1]))
        fields |= {"kind": [kinds[place - 1]], "required": ["1"], "speech": [""]}
        assert editor.post(f"{address}/questions/{place}", data=fields).status_code == 302
        after = base.service.get_version(made.version_id).definition
        if kinds[place - 1] != "yes_no":
            assert after.questions[place - 1] == before.questions[place - 1], "saving what is shown changes nothing"


@pytest.mark.parametrize(
    ("role", "read", "write"), [("manager", 200, 403), ("agent", 403, 403), ("supervisor", 200, 302), ("admin", 403, 403)]
)
def test_who_may_what(client: Browser, base: Base, draft: VersionView, role: str, read: int, write: int) -> None:
    client.log_in(role, PASSWORD)
    assert client.get("/questionnaires/").status_code == read
    assert client.get(page_of(draft.version_id)).status_code == read
    assert client.get(f"{page_of(draft.version_id)}/preview").status_code == read
    assert client.post(f"{page_of(draft.version_id)}/launch").status_code == write
    assert (base.service.launched_version("case_service") is not None) == (write == 302)


def test_pages_in_english(editor: Browser, draft: VersionView) -> None:
    editor.post("/language", data={"language": "en", "next": "/"})
    shown = text(editor.get(f"{page_of(draft.version_id)}?q=1"))
    assert "Launch version 1" in shown
    assert "题型" not in shown
