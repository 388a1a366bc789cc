"""What each process runs; the worker has a file of its own."""

import dataclasses
import os
import threading
from pathlib import Path

import structlog
from flask import Flask

from bootstrap.handlers import handlers
from bootstrap.house import House, build
from bootstrap.speech import answer_recognizer, live_transcriber
from callback.dialer import Dialer
from core.errors import UnavailableError
from core.heartbeat import beating
from core.logs import configure_logging
from core.outbox import Dispatcher
from core.settings import Settings, get_settings
from survey.adapters.async_agi import AsyncAgiLines
from survey.ears import AnswerEars
from survey.ivr import Ivr
from telephony.adapters.ami_client import AmiAddress, AmiClient
from telephony.bridge import Bridge
from telephony.speech.live import LiveTranscriber
from webui.app import create_app

log = structlog.get_logger()


def web_application() -> Flask:
    """Return the web application, for gunicorn."""
    settings = get_settings()
    configure_logging("web", settings.log_level, settings.log_json)
    house = build(settings)
    house.connect()
    # A large collection takes seconds to read: not at somebody's first search.
    threading.Thread(target=_warm_up, args=(house,), name="warm-up", daemon=True).start()
    return create_app(house)


def _warm_up(house: House) -> None:
    try:
        house.kb.warm_up()
    except UnavailableError as error:
        log.warning("warm_up_failed", error=str(error))


def run_bridge(settings: Settings, stopping: threading.Event) -> None:
    """Follow Asterisk. Without weights calls are carried and recorded all the same; only live text is missing, and said to be."""
    house = build(settings)
    with house.exits:
        house.telephony.ensure_queues(settings.queues)
        live, problem = None, ""
        if settings.live_transcription:
            try:
                live = live_transcriber(house)
                live.start()
                house.exits.callback(live.stop)
            except UnavailableError as error:
                live, problem = None, str(error)
                log.error("live_transcription_off", error=problem)
        house.exits.enter_context(beating(house.database, "bridge", settings.node, lambda: _bridge_detail(house, live, problem)))
        Bridge(house.telephony, house.switch, house.line, house.clock, settings.recordings, live).run(stopping)


def _bridge_detail(house: House, live: LiveTranscriber | None, problem: str) -> dict[str, object]:
    return {
        "problem": house.line.problem or problem,
        "hears_exchange": house.line.is_up,
        "live_text": live is not None,
        **(live.totals() if live else {}),
    }


def run_dispatcher(settings: Settings, stopping: threading.Event) -> None:
    """Bring events to their handlers."""
    house = build(settings)
    with house.exits, beating(house.database, "dispatcher", settings.node):
        house.kb.warm_up()
        Dispatcher(house.database, handlers(house)).run(stopping, poll_seconds=1.0)


def run_dialer(settings: Settings, stopping: threading.Event) -> None:
    """Ring whom we owe a call."""
    house = build(settings)
    dialer = Dialer(house.callback, house.telephony, house.callback.settings.ring_seconds)
    with house.exits:
        house.exits.enter_context(beating(house.database, "dialer", settings.node, lambda: _dialer_detail(house, dialer)))
        house.line.start()
        dialer.run(house.database.url, stopping)


def _dialer_detail(house: House, dialer: Dialer) -> dict[str, object]:
    return {"problem": house.line.problem or dialer.problem, "dialled": dialer.dialled}


def run_ivr(settings: Settings, stopping: threading.Event) -> None:
    """Speak with citizens by itself: callbacks that were picked up, and the question at the end of a call."""
    house = build(settings)
    name = f"{settings.ami_username}-ivr"
    connection = AmiClient(AmiAddress(settings.ami_host, settings.ami_port, name, settings.ami_ivr_secret))
    ears = AnswerEars(lambda: answer_recognizer(settings)) if settings.spoken_answers else None
    scratch = _shared_folder(settings.recordings / "answers")
    if ears is not None:
        threading.Thread(target=_load_ears, args=(ears,), name="ears", daemon=True).start()

    def beat() -> None:
        if connection.is_up:
            house.switch.announce_ivr(house.clock.now())

    ivr = Ivr(
        AsyncAgiLines(connection),
        house.telephony,
        house.callback,
        house.survey,
        house.prompts,
        ears=ears,
        scratch=scratch,
        beat=beat,
    )
    with house.exits:
        detail = lambda: {"problem": connection.problem, **dataclasses.asdict(ivr.totals)}  # noqa: E731
        house.exits.enter_context(beating(house.database, "ivr", settings.node, detail))
        ivr.run(stopping)


def _shared_folder(folder: Path) -> Path:
    """Make a folder that Asterisk's user, who is in our group, may write to."""
    usual = os.umask(0o007)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    finally:
        os.umask(usual)
    return folder


def _load_ears(ears: AnswerEars) -> None:
    try:
        ears.warm_up()
    except UnavailableError as error:
        log.warning("spoken_answers_off", error=str(error)[:300])
