"""The people of an end-to-end test: an agent at a real browser, and citizens with real telephones. Also used by the benchmarks."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Locator, Page, Playwright, expect

from core.settings import PROJECT_DIR
from tests.program import Program

CHROMIUM = "/usr/bin/chromium"
SPEECH = PROJECT_DIR / "tests/data/speech"
_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--allow-loopback-in-peer-connection",
)
# A pause is shown by its reason.
_PAUSES = ("签入", "用餐", "饮水", "培训", "会议", "其他", "未接来电", "小休")
# The citizen hears a greeting before any agent rings.
RINGS_WITHIN = 30_000


def launch(playwright: Playwright, microphone: Path | None = None) -> Browser:
    """Start Chromium; what is said into its microphone is the file (48 kHz WAV), over and over, or the browser's own beeps."""
    said = [f"--use-file-for-fake-audio-capture={microphone}"] if microphone else []
    return playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=[*_FLAGS, *said])


class Desk:
    """One agent at the desk, in a browser context of their own; everything is done by click."""

    def __init__(self, browser: Browser, program: Program, username: str) -> None:
        self.program = program
        self.login = next(login for login in program.endpoints["logins"] if login["username"] == username)
        self.context: BrowserContext = browser.new_context(
            base_url=program.web, locale="zh-CN", timezone_id="Asia/Shanghai", viewport={"width": 1366, "height": 768}
        )
        self.context.set_default_timeout(10_000)
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self._watch(self.page)

    def _watch(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))
        page.on("console", lambda said: self.complaints.append(said.text) if "Content Security Policy" in said.text else None)
        # A real agent who closes the browser in a call is asked; a crash asks nobody.
        page.on("dialog", lambda dialog: dialog.accept())

    def log_in(self) -> Desk:
        """Go through the log-in page to the desk."""
        self.page.goto("/login")
        self.page.get_by_label("账号").fill(self.login["username"])
        self.page.get_by_label("密码").fill(self.login["password"])
        self.page.get_by_role("button", name="登录").click()
        self.page.wait_for_url(lambda url: "/login" not in url)
        if "agent" in self.login["roles"]:
            self.page.goto("/desk/")
            self.expect_state("离线", "就绪", *_PAUSES, "异常", "话后")
        return self

    @property
    def state(self) -> Locator:
        return self.page.locator("#state")

    def expect_state(self, *words: str, timeout: float = 15_000) -> None:
        """Wait until the state button shows one of the words."""
        self.page.wait_for_function(
            "words => words.some((word) => document.getElementById('state')?.textContent.includes(word))",
            arg=list(words),
            timeout=timeout,
        )

    def ready(self) -> Desk:
        """Click until the desk says 就绪."""
        # The button comes alive when the softphone has registered.
        self.page.locator('#phone [data-id="ready"]:not([aria-disabled])').click(timeout=20_000)
        self.expect_state("就绪")
        return self

    def answer(self, timeout: float = RINGS_WITHIN) -> None:
        """Wait for the ring and pick up."""
        self.page.locator('#phone [data-id="answer"]').click(timeout=timeout)
        self.expect_state("通话中")
        # The telephone talks a moment before the exchange has connected the two (a call that another agent had already shows 接听
        # even while it rings): nobody hangs up that fast.
        ask = "async () => (await window.tingjian.send('/desk/state', {}, 'GET')).agent.state"
        eventually(lambda: self.page.evaluate(ask) == "talking", self.page)
        expect(self.page.locator("#caller")).to_contain_text("接听", timeout=10_000)

    def hang_up(self) -> None:
        """End the call."""
        self.page.locator('#phone [data-id="hangup"]').click()

    def finish(self, disposition: str = "即时答复") -> None:
        """Finish the after-call work and be ready again."""
        self.expect_state("话后")
        self.page.locator("#dispositions label", has_text=disposition).first.click()
        self.page.locator("#finish:not([aria-disabled])").click()
        self.expect_state("就绪")

    def pause(self, reason: str) -> None:
        """Take no calls."""
        self.page.locator('#phone [data-id="pause"]').click()
        self.page.locator("#phone-popup button", has_text=reason).click()
        self.expect_state(reason)

    def resume(self) -> None:
        """Take calls again."""
        self.page.locator('#phone [data-id="ready"]:not([aria-disabled])').click()

    def leave(self) -> None:
        """Go back to being logged out, whatever was going on, so that the next test begins as the first did."""
        if self.page.is_closed():
            self.page = self.context.new_page()
            self._watch(self.page)
        self.page.goto("/desk/")
        self.expect_state("离线", "就绪", *_PAUSES, "话后", "异常", "通话中", "振铃")
        if "通话中" in self.state.inner_text():
            self.hang_up()
        if "离线" in self.state.inner_text():
            return
        self.expect_state("就绪", *_PAUSES, "话后", "异常")
        self.state.click()
        self.page.locator("#state-menu button", has_text="签出").click()
        self.expect_state("离线")

    def said(self, party: str = "citizen") -> Locator:
        """Return the lines of the transcript that are heard to the end."""
        return self.page.locator(f"#said .say{'.cit' if party == 'citizen' else ':not(.cit)'}:not(.now) p")

    @property
    def cards(self) -> Locator:
        """Return the suggested answers, in order."""
        return self.page.locator("#cards article.ans")

    def banner(self, key: str) -> Locator:
        """Return one of the desk's banners."""
        return self.page.locator(f'#banners [data-banner="{key}"]')

    def call_id(self) -> str:
        """Return the id of the call that is on the desk now."""
        # The telephone knows that it talks a moment before the server does.
        ask = "async () => (await window.tingjian.send('/desk/state', {}, 'GET')).call?.id"
        return str(eventually(lambda: self.page.evaluate(ask), self.page))

    def close(self) -> None:
        """Close the browser context."""
        self.context.close()


class Citizen:
    """One call by `manage.py call`, in a process of its own."""

    def __init__(self, program: Program, file: Path, number: str, *, name: str = "", seconds: float | None = None) -> None:
        options = [*(["--name", name] if name else []), *(["--seconds", str(seconds)] if seconds else [])]
        self.process = subprocess.Popen(
            program.manage("call", str(file), "--from", number, *options),
            cwd=PROJECT_DIR,
            env=program.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    @property
    def is_on_the_line(self) -> bool:
        return self.process.poll() is None

    def wait(self, timeout: float = 40) -> str:
        """Wait until the call is over and return what the command printed."""
        output, _ = self.process.communicate(timeout=timeout)
        assert self.process.returncode == 0, output
        return output

    def end(self) -> None:
        """Cut the call off, as a telephone without battery does."""
        if self.is_on_the_line:
            self.process.kill()
        self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()


@contextmanager
def citizen(program: Program, file: str | Path, number: str = "13800138000", **options: Any) -> Iterator[Citizen]:
    """Ring the hotline; whoever is still on the line at the end is cut off."""
    caller = Citizen(program, SPEECH / file, number, **options)
    try:
        yield caller
    finally:
        caller.end()


def eventually(what: Callable[[], Any], page: Page | None = None, timeout: float = 15.0) -> Any:
    """Wait until something is true and return it; the page, when given, goes on living meanwhile."""
    import time

    deadline = time.monotonic() + timeout
    while not (found := what()):
        assert time.monotonic() < deadline, "it did not come about"
        if page is not None:
            page.wait_for_timeout(100)
        else:
            time.sleep(0.1)
    return found


__all__ = ["CHROMIUM", "SPEECH", "Citizen", "Desk", "citizen", "eventually", "expect", "launch"]
