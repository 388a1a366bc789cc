"""Agents' browsers: JsSIP in a real Chromium against the endpoints that the program provisions."""

import functools
import threading
import time
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from sqlalchemy import select

from core.settings import PROJECT_DIR
from telephony.adapters.ami_switch import AmiSwitch
from telephony.models import Agent
from tests.integration.telephony.conftest import Hotline, eventually
from tests.servers import installed

_PHONE = """
({number, password, url}) => new Promise((resolve, reject) => {
  const agent = new JsSIP.UA({
    sockets: [new JsSIP.WebSocketInterface(url)],
    uri: `sip:${number}@127.0.0.1`,
    password,
    register_expires: 60,
    session_timers: false,
  });
  agent.on('registered', () => resolve(true));
  agent.on('registrationFailed', (event) => reject(new Error(event.cause)));
  agent.on('newRTCSession', ({session}) => {
    window.phone = session;
    window.from = session.remote_identity.uri.toString();
    session.answer({mediaConstraints: {audio: true, video: false}, pcConfig: {iceServers: []}});
  });
  agent.start();
})
"""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        return


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    """A page of loopback: only there, or with TLS, may a browser use the microphone."""
    handler = functools.partial(_Quiet, directory=str(PROJECT_DIR / "webui" / "static" / "vendor"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def browser() -> Iterator[Browser]:
    flags = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", "--allow-loopback-in-peer-connection"]
    with sync_playwright() as playwright:
        program = Path(installed("install_chromium.sh"))
        browser = playwright.chromium.launch(executable_path=program, args=[*flags, "--no-sandbox", "--disable-gpu"])
        yield browser
        if browser.is_connected():
            browser.close()


def sit_down(hotline: Hotline, page: Page, origin: str, number: str) -> object:
    """Register a browser softphone for a new seat, log in and be ready; return the agent's id."""
    agent_id = hotline.service.save_agent(number, number, ("consult",))
    with hotline.database.transaction() as session:
        password = session.scalar(select(Agent.sip_password).where(Agent.id == agent_id))
    assert password
    provisioning = hotline.server.provisioning
    AmiSwitch(provisioning, provisioning, phone="browser", rtp_timeout_seconds=4).provision(number, password)
    page.goto(f"{origin}/VENDOR.md")
    page.add_script_tag(path=PROJECT_DIR / "webui" / "static" / "vendor" / "jssip.min.js")
    url = f"ws://127.0.0.1:{hotline.server.settings.asterisk_http_port}/ws"
    assert page.evaluate(_PHONE, {"number": number, "password": password, "url": url})
    eventually(lambda: hotline.agent(agent_id).is_registered)
    hotline.service.log_in_agent(agent_id)
    hotline.service.ready_agent(agent_id)
    return agent_id


def test_a_browser_answers_holds_and_dies(hotline: Hotline, browser: Browser, origin: str) -> None:
    hotline.stop_bridge()
    hotline.live_text = None
    hotline.start_bridge()
    page = browser.new_context(permissions=["microphone"]).new_page()
    agent_id = sit_down(hotline, page, origin, "8031")
    hotline.ring(number="13800138000", stay_seconds=60)
    eventually(lambda: hotline.state(agent_id) == "talking")
    assert "13800138000" not in page.evaluate("window.from")
    page.evaluate("phone.hold()")
    eventually(lambda: hotline.state(agent_id) == "held")
    # A held line is no dead line: the browser goes on sending.
    time.sleep(6)
    assert hotline.state(agent_id) == "held"
    page.evaluate("phone.unhold()")
    eventually(lambda: hotline.state(agent_id) == "talking")
    call_id = hotline.only_call().id
    started = time.monotonic()
    browser.close()
    eventually(lambda: hotline.state(agent_id) == "faulty", timeout=15)
    eventually(lambda: hotline.only_call().state == "queued", timeout=15)
    took = time.monotonic() - started
    assert took < 15
    assert "agent_lost" in hotline.story(call_id)
