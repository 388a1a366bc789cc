"""The hall screen in a real browser: its pages in turn, the end of news made plain, and back again by itself."""

import contextlib
import threading
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect, sync_playwright
from werkzeug.serving import BaseWSGIServer, make_server

from tests import servers
from tests.integration.webui_wallboard.conftest import Hall
from webui.wallboard.playlist import PageKind, PlaylistPage

SIZES = ((1366, 768), (1920, 1080), (3840, 1080), (1080, 1920), (1024, 768), (2560, 1080))


class Site:
    """The application behind a port that stays the same when the server goes and comes."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.port = servers.free_port()
        self.start()

    def start(self) -> None:
        self._server: BaseWSGIServer = make_server("127.0.0.1", self.port, self.app, threaded=True)
        self._server.daemon_threads = True  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = servers.installed("install_chromium.sh")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def site(hall: Hall) -> Iterator[Site]:
    made = Site(hall.app)
    yield made
    made.stop()


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    made = chromium.new_context(viewport={"width": 1920, "height": 1080}, locale="zh-CN")
    made.set_default_timeout(15000)
    expect.set_options(timeout=20000)
    yield made
    made.close()


def fill(hall: Hall) -> None:
    """A morning of the hotline, followed for as long as the test lasts."""
    hall.bridge_heard(-3600)
    for number in range(12):
        hall.call(timedelta(minutes=10 * number), 5 + number, topic="居民医保补缴")
    for number in range(7):
        hall.call(timedelta(minutes=20 * number), 9, topic="居住证签注")
    hall.call(timedelta(hours=1), 30, "abandoned")
    hall.call(timedelta(seconds=42), None)
    for number in range(24):
        hall.rating(5 if number % 4 else 3, number // 6)
        hall.rating(1, number // 6, question_key="resolved")
    for _ in range(3):
        hall.callback()
    hall.callback("missed_call")


@pytest.fixture
def wall(hall: Hall, site: Site, context: BrowserContext) -> Iterator[Page]:
    """The display's page, opened with its token; fails on errors and on what the policy refuses."""
    fill(hall)
    _display, token = hall.display()
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda line: wrong.append(line.text) if "Content Security Policy" in line.text else None)
    page.goto(f"{site.address}/wall/hall?token={token}")
    expect(page.locator("#fresh")).to_contain_text("数据截至 10:30:00")
    yield page
    assert wrong == []


def box(page: Page, name: str) -> str:
    return page.locator(".page:not([hidden]) .box", has=page.get_by_role("heading", name=name, exact=True)).inner_text()


def loaded_anew(page: Page) -> None:
    """Wait until the page that was marked is gone; the policy lets no script of ours wait there."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        with contextlib.suppress(Error):  # asked while it went
            if page.evaluate("window.kept") is None:
                return
        page.wait_for_timeout(200)
    raise AssertionError("the page was not loaded anew")


def test_the_figures_stand_on_the_page(wall: Page) -> None:
    wall.goto(wall.url + "?page=1")
    expect(wall.locator(".p-operation .big").nth(2)).to_contain_text("19")
    assert "1人" in box(wall, "正在排队").replace("\n", "")
    assert "15 秒接通率" in wall.content()
    assert "居民医保补缴" in box(wall, "今日热点")
    assert wall.locator("html").get_attribute("class") == "is-fresh"
    assert "token" not in wall.url


def test_old_news_is_shown_as_old_and_the_page_comes_back_by_itself(hall: Hall, site: Site, wall: Page) -> None:
    wall.evaluate("window.kept = 1")
    site.stop()
    expect(wall.locator("#fresh")).to_contain_text("已停止更新")
    expect(wall.locator("#fresh")).to_contain_text("最后 10:30:00，正在重连")
    assert "is-stale" in (wall.locator("html").get_attribute("class") or "")
    style = "([selector, name]) => getComputedStyle(document.querySelector(selector), selector === 'html' ? '::after' : null)[name]"
    assert wall.evaluate(style, ["html", "borderTopWidth"]) == "8px"
    assert wall.evaluate(style, [".page:not([hidden])", "opacity"]) == "0.5"
    assert "grayscale(1)" in wall.evaluate(style, [".page:not([hidden])", "filter"])
    # It counts on, and what waited stands still.
    first = wall.locator("#fresh").inner_text()
    waited = wall.locator("[data-t*='|wait']").inner_text() if wall.locator(".p-operation:not([hidden])").count() else ""
    time.sleep(2.2)
    assert wall.locator("#fresh").inner_text() != first
    if waited and wall.locator(".p-operation:not([hidden])").count():
        assert wall.locator("[data-t*='|wait']").inner_text() == waited
    hall.clock.advance(120)
    site.start()
    expect(wall.locator("#fresh")).to_contain_text("数据截至 10:32:00")
    assert "is-fresh" in (wall.locator("html").get_attribute("class") or "")
    assert wall.evaluate("window.kept") == 1  # without loading anew


def test_a_database_that_is_away_is_old_news_too(hall: Hall, wall: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    from core.database import DatabaseUnavailableError

    def away() -> object:
        raise DatabaseUnavailableError("gone")

    monkeypatch.setattr(hall.snapshots, "_read", away)
    expect(wall.locator("#fresh")).to_contain_text("已停止更新")


def test_a_telephone_system_that_nobody_follows_is_said_to_be_lost(hall: Hall, wall: Page) -> None:
    hall.bridge_heard(-7200, hears_exchange=False)
    hall.clock.advance(1)  # else the page would think that it has these figures already
    expect(wall.locator(".p-operation .cap").first).to_have_text("话务数据中断")
    expect(wall.locator(".p-operation .big").first).to_have_text("–人")
    expect(wall.locator(".p-operation .big").nth(1)).to_have_text("–")


def test_a_revoked_token_says_so_and_shows_no_figure(hall: Hall, wall: Page) -> None:
    display = hall.displays.list_displays()[0]
    hall.displays.revoke_token("setup", display.display_id, display.tokens[0].token_id)
    expect(wall.locator("#denied")).to_be_visible()
    expect(wall.locator("#fresh")).to_have_text("这块屏幕的授权已撤销")
    assert wall.locator(".page:not([hidden])").count() == 0
    assert "居民医保补缴" not in wall.locator("body").inner_text()


def test_a_new_version_and_a_new_playlist_load_the_page_anew(hall: Hall, wall: Page) -> None:
    wall.evaluate("window.kept = 1")
    display = hall.displays.list_displays()[0]
    hall.displays.save_display("setup", display.display_id, "大厅主屏", "云川大厅", [PlaylistPage(PageKind.TOPICS, 600)])
    expect(wall.locator("h1")).to_contain_text("云川大厅")
    expect(wall.locator(".p-topics")).to_be_visible()
    loaded_anew(wall)
    wall.evaluate("window.kept = 1")
    from dataclasses import replace

    hall.app.extensions["wallboard"] = replace(hall.wallboard, version="deployed")
    loaded_anew(wall)
    expect(wall.locator("body")).to_have_attribute("data-version", "deployed")


def test_pages_change_without_sliding(hall: Hall, wall: Page) -> None:
    display = hall.displays.list_displays()[0]
    pages = [PlaylistPage(kind, 5) for kind in PageKind]
    hall.displays.save_display("setup", display.display_id, "大厅主屏", "", pages)
    # The clock of the house stands still in tests: the page's own goes on between two readings.
    shown = set()
    for _ in range(3):
        expect(wall.locator("#dots i")).to_have_count(3)
        shown.add(wall.locator(".page:not([hidden])").get_attribute("data-page"))
        hall.clock.advance(5)
        time.sleep(3.5)
    assert shown == {"operation", "satisfaction", "topics"}
    assert wall.evaluate("document.getAnimations().length") == 0


@pytest.mark.parametrize("number", [1, 2, 3])
def test_nothing_is_cut_off_on_any_screen(wall: Page, number: int) -> None:
    address = wall.url
    for width, height in SIZES:
        wall.set_viewport_size({"width": width, "height": height})
        wall.goto(f"{address}?page={number}")
        expect(wall.locator("#fresh")).to_contain_text("数据截至")
        wall.wait_for_timeout(200)
        assert wall.evaluate(
            "[document.documentElement.scrollWidth - innerWidth, document.documentElement.scrollHeight - innerHeight]"
        ) == [0, 0]
        cut = wall.evaluate(
            """() => [...document.querySelectorAll(
                 '.page:not([hidden]) :is(.box, .big, .cap, h2, b, .sat), .hd h1, .hd .fresh, .hd .date, .hd .clock, .ft')]
               .filter(e => e.offsetWidth && (e.scrollWidth > e.clientWidth + 1
                   // A tall letter may leave its line, but nothing leaves its box.
                   || e.matches('.box, .ft') && e.scrollHeight > e.clientHeight + 2))
               .filter(e => getComputedStyle(e).display !== 'inline')
               .map(e => [e.className || e.tagName, e.innerText.slice(0, 30), e.scrollWidth - e.clientWidth,
                         e.scrollHeight - e.clientHeight])"""
        )
        assert cut == [], (width, height, cut)


def test_the_preview_in_the_page_of_displays(hall: Hall, site: Site, context: BrowserContext) -> None:
    fill(hall)
    display, _token = hall.display()
    page = context.new_page()
    page.goto(f"{site.address}/login")
    page.fill("[name=username]", "admin")
    page.fill("[name=password]", "Hotline-2026")
    page.click(".loginform .btn.pri")
    page.goto(f"{site.address}/displays/{display.display_id}")
    frame = page.frame_locator("iframe")
    expect(frame.locator("#fresh")).to_contain_text("数据截至")
