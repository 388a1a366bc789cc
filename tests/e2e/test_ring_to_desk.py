"""The project's main job on all its real parts: a spoken question rings, is answered, heard, found, adopted, and kept."""

import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.e2e.people import Desk, citizen, eventually, expect
from tests.program import Program

# What is spoken, the matters that answer it, and a word that must be heard.
QUESTIONS = (
    ("05_bdc.wav", {"二手房转移登记"}, "二手房"),
    ("07_gjj.wav", {"购房提取公积金"}, "多少钱"),
    ("10_jiehun.wav", {"结婚登记"}, "结婚"),
)
_NUMBERS = {file: f"138001380{at:02}" for at, (file, _, _) in enumerate(QUESTIONS, start=10)}
_answered: dict[str, dict[str, Any]] = {}
"""By file: what the desk showed of a call, for the tests of what was kept."""

Ask = Callable[..., Any]


@pytest.fixture(scope="module")
def matter_of(api: Ask) -> Callable[[str], str]:
    """Tell an article's matter by its id."""
    return lambda article_id: str(api(f"/articles/{article_id}")["matter"])


@pytest.mark.parametrize(("file", "matters", "word"), QUESTIONS, ids=[question[0] for question in QUESTIONS])
def test_a_spoken_question_is_answered_from_the_desk(
    program: Program, agent: Desk, matter_of: Callable[[str], str], file: str, matters: set[str], word: str
) -> None:
    with citizen(program, file, _NUMBERS[file], seconds=60) as caller:
        agent.answer()
        expect(agent.page.locator("#caller-number")).to_contain_text(f"138****{_NUMBERS[file][-4:]}")
        expect(agent.said().filter(has_text=word).first).to_be_visible(timeout=15_000)

        def right_card() -> str | None:
            shown = [str(card.get_attribute("data-article")) for card in agent.cards.all()[:3]]
            return next((article for article in shown if matter_of(article) in matters), None)

        article_id = eventually(right_card, agent.page, timeout=10)
        card = agent.page.locator(f'#cards article.ans[data-article="{article_id}"]')
        card.get_by_role("button", name="采用").click()
        expect(card).to_contain_text("已采用")
        _answered[file] = {
            "call_id": agent.call_id(),
            "article_id": article_id,
            "title": card.locator("h3").inner_text(),
            "said": agent.said().all_inner_texts(),
        }
        agent.hang_up()
        assert "热线挂机" in caller.wait(10)
    agent.finish()


def test_what_was_kept(program: Program, api: Ask, rows: Ask) -> None:
    assert set(_answered) == {file for file, _, _ in QUESTIONS}, "a question was not answered"
    for file, seen in _answered.items():
        call_id = seen["call_id"]
        eventually(lambda call_id=call_id: {row["state"] for row in api(f"/calls/{call_id}")["recordings"]} == {"kept"})
        call = api(f"/calls/{call_id}")
        assert (call["state"], call["outcome"], call["agent_number"], call["queue_name"]) == (
            "ended",
            "answered",
            "8001",
            "consult",
        )
        assert call["talking_seconds"] > 3
        assert call["caller_number"] == f"138****{_NUMBERS[file][-4:]}"
        assert [(row["article_id"], row["title"]) for row in call["adoptions"]] == [(seen["article_id"], seen["title"])]
        assert call["note"]["disposition"] == "即时答复"
        assert [row["kind"] for row in call["events"]][:4] == ["arrived", "queued", "ringing", "answered"]

        (row,) = rows("SELECT caller_number, state, outcome FROM call WHERE id = %s", call_id)
        assert (row["caller_number"], row["state"], row["outcome"]) == (_NUMBERS[file], "ended", "answered")
        adopted = rows(
            "SELECT suggestion.article_id FROM suggestion_feedback JOIN suggestion ON suggestion.id = suggestion_id"
            " WHERE call_id = %s AND kind = 'adopted' AND undone_at IS NULL",
            call_id,
        )
        assert [str(one["article_id"]) for one in adopted] == [seen["article_id"]]
        kept = rows("SELECT party, path, seconds FROM recording WHERE call_id = %s ORDER BY party", call_id)
        assert [one["party"] for one in kept] == ["agent", "citizen"]
        for one in kept:
            assert _loudness(program.folder / "recordings" / one["path"], call) > 100, f"{one['party']} is silent"


def test_the_recording_replaces_the_live_text(api: Ask, rows: Ask) -> None:
    for file, _, word in QUESTIONS:
        call_id = _answered[file]["call_id"]
        call = eventually(
            lambda call_id=call_id: (found := api(f"/calls/{call_id}"))["transcript_kind"] == "final" and found, timeout=20
        )
        assert call["transcript_state"] == "ready"
        assert {segment["kind"] for segment in call["segments"]} == {"final"}
        assert word in "".join(segment["text"] for segment in call["segments"] if segment["party"] == "citizen")
        (row,) = rows("SELECT kind, state FROM transcript WHERE call_id = %s", call_id)
        assert (row["kind"], row["state"]) == ("final", "ready")


def test_history_and_detail_show_it(desks: Callable[[str], Desk], rows: Ask) -> None:
    supervisor = desks("monitor").page
    for file, _, word in QUESTIONS:
        seen = _answered[file]
        supervisor.goto("/calls/")
        line = supervisor.locator("tbody tr", has=supervisor.locator(f'a[href$="/calls/{seen["call_id"]}"]'))
        expect(line).to_contain_text(f"138****{_NUMBERS[file][-4:]}")
        expect(line).to_contain_text("1 条")
        expect(line).to_contain_text("即时答复")
        line.locator("a").first.click()
        expect(supervisor.locator("h2", has_text="采用的答案")).to_be_visible()
        expect(supervisor.get_by_role("link", name=seen["title"]).first).to_be_visible()
        expect(supervisor.locator("#talk .say.cit").filter(has_text=word).first).to_be_visible()
        expect(supervisor.locator("ol.flow")).to_contain_text("接听")
    # One of them is listened to, which leaves a row in the audit.
    played = "SELECT count(*) AS n FROM audit_entry WHERE action = 'recording.played'"
    before = rows(played)[0]["n"]
    supervisor.locator("#play").click()
    supervisor.wait_for_function("() => document.getElementById('at').textContent >= '00:01'")
    assert rows(played)[0]["n"] == before + 1


def _loudness(path: Path, call: dict[str, Any]) -> float:
    """Return the mean loudness of the conversation's part of a recording."""
    with wave.open(str(path)) as file:
        assert file.getframerate() == 8000
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(float)
    talk = samples[-int(call["talking_seconds"] * 8000) :]
    assert len(talk) > 3 * 8000
    return float(np.sqrt((talk**2).mean()))
