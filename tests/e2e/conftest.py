"""One program for the session, a browser, and agents at their desks."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from playwright.sync_api import Browser, sync_playwright

from core.database import libpq_url
from tests.e2e.people import Desk, launch
from tests.fakes.smpp_carrier import SmppCarrier
from tests.program import Program, running_program
from tests.servers import free_port, installed


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The first test of a file also pays for the start of a whole program, which takes minutes on a busy machine."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.timeout(420))


@pytest.fixture(scope="session")
def carrier() -> Iterator[SmppCarrier]:
    """A carrier of text messages, taking all of them."""
    started = SmppCarrier()
    yield started
    started.close()


@pytest.fixture(scope="session")
def program(carrier: SmppCarrier) -> Iterator[Program]:
    """The whole program, started as `make run` starts it, with a carrier, a trunk to the tests' telephones, and no night."""
    settings = {"SMS_GATEWAY": "smpp", "SMPP_PORT": str(carrier.port), "SMS_QUIET_HOURS": "03:00-03:00"}
    settings |= {"OUTBOUND_TRUNK": f"sip:{{phone}}@127.0.0.1:{free_port()}", "CALLBACK_SURVEY_HOURS": "00:00-24:00"}
    settings |= {"CALLBACK_ATTEMPTS_A_DAY": "9", "CALLBACK_GAP_HOURS": "0"}
    with running_program(LOGIN_FAILURES="50", **settings) as started:
        yield started


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Chromium with a microphone that beeps."""
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def desks(program: Program, chromium: Browser) -> Iterator[Callable[[str], Desk]]:
    """Desks by user name; each logs in once."""
    made: dict[str, Desk] = {}

    def at(username: str) -> Desk:
        if username not in made:
            made[username] = Desk(chromium, program, username).log_in()
        return made[username]

    yield at
    complaints = [line for desk in made.values() for line in desk.complaints]
    for desk in made.values():
        desk.close()
    assert not complaints


@pytest.fixture(autouse=True)
def _quiet_lines(program: Program) -> Iterator[None]:
    """Whoever a failed test left on the line would be in the way of the next."""
    yield
    conf = program.folder / "asterisk/asterisk.conf"
    command = [f"{installed('install_asterisk.sh')}/ast", "-C", str(conf), "-rx", "channel request hangup all"]
    subprocess.run(command, check=False, capture_output=True, stdin=subprocess.DEVNULL)


@pytest.fixture
def agent(desks: Callable[[str], Desk]) -> Iterator[Desk]:
    """The first agent, ready; logged out at the end."""
    desk = desks("agent1").ready()
    yield desk
    desk.leave()


@pytest.fixture
def second_agent(desks: Callable[[str], Desk]) -> Iterator[Desk]:
    """The second agent, ready; logged out at the end."""
    desk = desks("agent2").ready()
    yield desk
    desk.leave()


@pytest.fixture(scope="session")
def api(program: Program) -> Iterator[Callable[..., Any]]:
    """Ask the JSON API with the token of endpoints.json."""
    headers = {"Authorization": f"Bearer {program.endpoints['api_token']}"}
    with httpx.Client(base_url=program.endpoints["api"], headers=headers, timeout=10) as client:

        def get(path: str, **arguments: Any) -> Any:
            answer = client.get(path, params=arguments)
            assert answer.status_code == 200, answer.text
            return answer.json()

        yield get


@pytest.fixture(scope="session")
def rows(program: Program) -> Callable[..., list[dict[str, Any]]]:
    """Ask the database itself."""

    def ask(query: str, *values: Any) -> list[dict[str, Any]]:
        with psycopg.connect(libpq_url(program.endpoints["database_url"]), row_factory=psycopg.rows.dict_row) as connection:
            return connection.execute(query, values).fetchall()  # type: ignore[arg-type]

    return ask


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """A failing test shows what the program logged."""
    outcome: Any = yield
    report = outcome.get_result()
    program = getattr(item, "funcargs", {}).get("program")
    if report.failed and isinstance(program, Program):
        report.sections.append(("logs of the program", program.logs()))
