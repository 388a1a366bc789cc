"""The desk in a real browser, with a telephone that the test rings: by keys alone, under the policy, with hostile callers."""

import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from sqlalchemy import text
from werkzeug.serving import make_server

from core.outbox import publish
from kb.events import SuggestionsReady
from kb.models import Suggestion
from telephony.events import CallMissed, TranscriptReady
from tests import servers
from tests.integration.webui_desk.conftest import EVIL_NAME, PASSWORD, Hotline

TELEPHONE = Path(__file__).parents[2] / "fakes" / "jssip.js"
FLAGS = ["--no-sandbox", "--disable-gpu", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = servers.installed("install_chromium.sh")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def address(hotline: Hotline) -> Iterator[str]:
    server = make_server("127.0.0.1", servers.free_port(), hotline.app, threaded=True)
    server.daemon_threads = True  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    hotline.app.extensions["hub"].stop()
    server.shutdown()
    thread.join(5)


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    made = chromium.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN")
    made.route("**/vendor/jssip.min.js", lambda route: route.fulfill(path=TELEPHONE, content_type="text/javascript"))
    made.set_default_timeout(8000)
    expect.set_options(timeout=8000)
    yield made
    made.close()


@pytest.fixture
def desk(hotline: Hotline, address: str, context: BrowserContext) -> Iterator[Page]:
    """The desk of 陈敏, ready; fails when the page broke the policy, raised an error, or opened a dialog."""
    hotline.seat("8001")
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda line: wrong.append(line.text) if "Content Security Policy" in line.text else None)
    page.on("dialog", lambda dialog: (wrong.append(dialog.message) if dialog.type != "beforeunload" else None, dialog.accept()))
    page.goto(f"{address}/login")
    page.fill("[name=username]", "chen")
    page.fill("[name=password]", PASSWORD)
    page.click(".loginform .btn.pri")
    page.wait_for_url("**/desk/")
    expect(page.locator("#state")).to_contain_text("就绪")
    expect(page.locator("html")).to_have_attribute("data-telephone", "made")
    yield page
    assert wrong == []


def ring(hotline: Hotline, desk: Page, name: str = "王女士") -> str:
    unique = hotline.queue(name=name)
    hotline.ring(unique)
    desk.evaluate("telephone.ring()")
    return unique


def pick_up(hotline: Hotline, desk: Page, unique: str) -> uuid.UUID:
    desk.keyboard.press("Alt+a")
    call_id = hotline.answer(unique)
    expect(desk.locator("#state")).to_contain_text("通话中")
    return call_id


def suggest(hotline: Hotline, call_id: uuid.UUID, article_id: uuid.UUID, confidence: int = 88) -> None:
    view = hotline.kb.get_article(article_id)
    with hotline.database.transaction() as session:
        session.add(
            Suggestion(
                call_id=call_id, article_id=article_id, revision_id=view.revision_id, rank=1, score=5.0, confidence=confidence,
                query="居住证", excerpt=view.content.answer[:60], marks=[[0, 3]],
            )
        )  # fmt: skip
        publish(session, SuggestionsReady(call_id=call_id))


def test_a_call_by_keys_alone(hotline: Hotline, desk: Page) -> None:
    article_id = hotline.publish_article()
    unique = ring(hotline, desk)
    expect(desk.get_by_role("button", name="接听")).to_be_visible()
    expect(desk.locator("#caller-number")).to_contain_text("138****8000")
    call_id = pick_up(hotline, desk, unique)
    segment_id = hotline.say(call_id, "我的居住证到期了，号是〔证件号〕")
    expect(desk.locator("#said .say.cit p")).to_contain_text("我的居住证到期了")
    expect(desk.locator("#said .hide")).to_have_text("证件号已隐去")
    hotline.telephony.on_amendment(call_id, segment_id, "我的居住证到期了，号是〔证件号〕，卡是〔卡号〕")
    expect(desk.locator("#said .hide")).to_have_count(2)
    suggest(hotline, call_id, article_id)
    expect(desk.locator(".ans h3")).to_have_text("居住证满一年怎么签注")
    expect(desk.locator("#said u").first).to_have_text("居住证")
    desk.keyboard.press("Alt+1")
    expect(desk.locator(".ans.done")).to_contain_text("已采用")
    desk.keyboard.press("Alt+h")
    desk.keyboard.press("Alt+m")
    expect(desk.locator("#state")).to_contain_text("通话中")
    expect(desk.get_by_role("button", name="取消静音")).to_be_visible()
    desk.keyboard.press("Alt+k")
    desk.keyboard.press("5")
    assert desk.evaluate("window.tones") == ["5"]
    desk.keyboard.press("Escape")
    desk.keyboard.press("Alt+g")
    expect(desk.locator("#note-text")).to_have_value(
        "市民：我的居住证到期了，号是〔证件号〕，卡是〔卡号〕。\n已答复：居住证满一年怎么签注"
    )
    desk.keyboard.press("Alt+x")
    hotline.hang_up(unique)
    expect(desk.locator("#state")).to_contain_text("话后")
    expect(desk.locator("#lag")).to_contain_text("已结束")
    hotline.say(call_id, "晚到的一句")
    expect(desk.locator("#said")).to_contain_text("晚到的一句")
    expect(desk.locator("#lag")).to_contain_text("已结束")
    with hotline.database.transaction() as session:
        session.execute(text("UPDATE segment SET text = '录音里听清的', id = gen_random_uuid() WHERE text = '晚到的一句'"))
        publish(session, TranscriptReady(call_id=call_id))
    expect(desk.locator("#said")).to_contain_text("录音里听清的")
    expect(desk.locator("#said")).not_to_contain_text("晚到的一句")
    desk.keyboard.press("Control+Enter")
    expect(desk.locator("#saved")).to_have_text("请先选择处理结果")
    desk.get_by_text("即时答复").click()
    desk.keyboard.press("Control+Enter")
    expect(desk.locator("#state")).to_contain_text("就绪")
    expect(desk.locator("#recent-rows")).to_contain_text("即时答复")
    note = hotline.telephony.get_call(call_id).note
    assert (note.disposition, note.finished_at is not None) == ("即时答复", True)


def test_hostile_words_are_only_words(hotline: Hotline, desk: Page) -> None:
    article_id = hotline.publish_article(title=f"标题{EVIL_NAME}", answer=f"居住证{EVIL_NAME}可以补签。")
    unique = ring(hotline, desk, name=EVIL_NAME)
    expect(desk.locator("#caller-name")).to_have_text(EVIL_NAME)
    call_id = pick_up(hotline, desk, unique)
    hotline.say(call_id, f"居住证{EVIL_NAME}")
    suggest(hotline, call_id, article_id)
    expect(desk.locator(".ans h3")).to_contain_text("<img src=x")
    expect(desk.locator("#said")).to_contain_text("<img src=x")
    desk.keyboard.press("Alt+o")
    expect(desk.locator(".fulltext .answer")).to_contain_text("<img src=x")
    assert desk.locator("img").count() == 0


def test_nothing_moves_under_the_pointer(hotline: Hotline, desk: Page) -> None:
    first, second = hotline.publish_article(), hotline.publish_article(title="居住证丢了怎么补")
    call_id = pick_up(hotline, desk, ring(hotline, desk))
    suggest(hotline, call_id, first)
    desk.locator(".ans").first.hover()
    with hotline.database.transaction() as session:
        session.execute(text("UPDATE suggestion SET is_current = false"))
    suggest(hotline, call_id, second)
    expect(desk.locator("#more-cards")).to_have_text("1 条新建议")
    expect(desk.locator(".ans h3")).to_have_text("居住证满一年怎么签注")
    desk.locator("#note-text").hover()
    expect(desk.locator(".ans h3")).to_have_text("居住证丢了怎么补")
    expect(desk.locator("#more-cards")).to_be_hidden()


def test_a_lost_line_is_shown_and_what_was_written_is_sent_later(hotline: Hotline, desk: Page) -> None:
    call_id = pick_up(hotline, desk, ring(hotline, desk))

    desk.context.set_offline(True)
    hub = hotline.app.extensions["hub"]
    for subscriber in list(hub._subscribers):
        hub._drop(subscriber)
    expect(desk.locator("[data-banner=stream]")).to_contain_text("通话不受影响", timeout=15_000)
    expect(desk.locator("#lag")).to_have_text("转写中断")
    desk.locator("#note-text").fill("断线时写的")
    expect(desk.locator("#saved")).to_have_text("未能提交，已存在本机")
    hotline.say(call_id, "断线时说的")
    desk.context.set_offline(False)
    expect(desk.locator("#said")).to_contain_text("断线时说的", timeout=15_000)
    expect(desk.locator("[data-banner=stream]")).to_be_hidden()
    expect(desk.locator("#saved")).to_contain_text("自动保存", timeout=15_000)
    assert hotline.telephony.get_call(call_id).note.note == "断线时写的"


def test_a_second_tab_says_so_and_a_reloaded_one_shows_the_call(hotline: Hotline, desk: Page, context: BrowserContext) -> None:
    call_id = pick_up(hotline, desk, ring(hotline, desk))
    hotline.say(call_id, "第一句")
    second = context.new_page()
    second.goto(desk.url)
    expect(second.locator("[data-banner=phone]")).to_contain_text("另一个标签页")
    expect(second.locator("#said")).to_contain_text("第一句")
    assert second.evaluate("window.telephone") is None, "it must not register"
    second.close()
    desk.reload()
    expect(desk.locator("#said")).to_contain_text("第一句")
    expect(desk.locator("#state")).to_contain_text("通话中")
    expect(desk.locator("[data-banner=phone]")).to_contain_text("这个页面没有声音")


def test_a_missed_call_pauses_and_tells(hotline: Hotline, desk: Page) -> None:
    from telephony import ami_facts as facts

    unique = ring(hotline, desk)
    expect(desk.locator("#state")).to_contain_text("振铃")
    hotline.telephony.record([facts.AgentMissed(hotline.now, unique, "8001", f"{unique}-8001")])
    # Told while the telephone still rings, and still there when it has stopped.
    expect(desk.locator("[data-banner=missed]")).to_contain_text("没有接听")
    desk.evaluate("telephone.session.end('remote')")
    expect(desk.locator("[data-banner=missed]")).to_contain_text("没有接听")
    expect(desk.locator("#state")).to_contain_text("未接来电")
    desk.keyboard.press("Alt+r")
    expect(desk.locator("#state")).to_contain_text("就绪")
    expect(desk.locator("[data-banner=missed]")).to_have_count(0)


def test_a_call_that_met_a_busy_telephone_disturbs_nobody(hotline: Hotline, desk: Page) -> None:
    from telephony import ami_facts as facts

    call_id = pick_up(hotline, desk, ring(hotline, desk))
    other = hotline.queue(number="13900139000", name="李先生")
    hotline.ring(other)
    hotline.telephony.record([facts.AgentMissed(hotline.now, other, "8001", f"{other}-8001")])
    found = hotline.telephony.call_of_channel(other)
    assert found is not None
    # Even if it were told of: it is not the call in hand.
    with hotline.database.transaction() as session:
        publish(session, CallMissed(call_id=found.call_id, agent_id=hotline.agents["8001"]))
    hotline.say(call_id, "我还在听")
    expect(desk.locator("#said .say.cit p")).to_contain_text("我还在听")
    expect(desk.locator("#state")).to_contain_text("通话中")
    expect(desk.locator("[data-banner=missed]")).to_have_count(0)


def test_a_log_in_that_was_revoked_leads_to_the_log_in_page(hotline: Hotline, desk: Page) -> None:
    hub = hotline.app.extensions["hub"]
    while not hub._subscribers:  # one let in before the revocation would only be asked again at its stream's end
        desk.wait_for_timeout(50)
    with hotline.database.transaction() as session:
        session.execute(text("UPDATE login_session SET revoked_at = now()"))
    for subscriber in list(hub._subscribers):
        hub._drop(subscriber)
    desk.wait_for_url("**/login?next=/desk/", timeout=15_000)
