"""All wiring: which adapter stands behind which role, what each process runs, and which event goes to which handler."""

import threading
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta

import structlog
from flask import Flask

from core.clock import Clock, SystemClock
from core.database import Database
from core.embedded_postgres import start_embedded_postgres
from core.errors import UnavailableError
from core.heartbeat import beating
from core.jobs import ClaimedJob, Task, Worker
from core.jobs import prune as prune_jobs
from core.logs import configure_logging
from core.outbox import Dispatcher, Event, Handler
from core.outbox import prune as prune_events
from core.periodic import Periodic, enqueue_when_due
from core.settings import Settings, get_settings
from kb.adapters.elastic_search_index import ElasticSearchIndex
from kb.adapters.memory_search_index import MemorySearchIndex
from kb.events import ArticleChanged
from kb.handlers import KnowledgeHandlers
from kb.ports import FieldWeights
from kb.service import INDEX_PENDING, INDEX_QUEUE, KnowledgeService
from telephony.adapters.ami_client import AmiAddress, AmiClient
from telephony.adapters.ami_switch import AmiSwitch
from telephony.adapters.faster_whisper_speech import FasterWhisperSpeech
from telephony.adapters.http_speech import HttpSpeech
from telephony.adapters.openai_whisper_speech import OpenAIWhisperSpeech
from telephony.adapters.silero_vad import SileroModel, SileroStream
from telephony.adapters.whisper_engine import WhisperWindow, load_model
from telephony.adapters.whisper_live import WhisperLiveDecoder
from telephony.adapters.whisper_recordings import WhisperRecordings
from telephony.adapters.whisper_weights import live_model_folder, model_folder
from telephony.bridge import Bridge
from telephony.door import TelephonyRules
from telephony.events import CallEnded, SegmentHeard
from telephony.handlers import EXPIRE_RECORDINGS, HOUSEKEEPING, TelephonyHandlers
from telephony.ports import SpeechToText
from telephony.service import TelephonyService
from telephony.speech.files import Mode, Recognizer, final_recognizer, live_recognizer
from telephony.speech.live import LiveRules, LiveTranscriber
from telephony.speech.tap_server import TapServer
from telephony.transcriber import QUEUE as TRANSCRIPTION
from telephony.transcriber import Transcriber
from webui.accounts import AccountService
from webui.app import create_app
from webui.tokens import TokenService

log = structlog.get_logger()


@dataclass(frozen=True)
class House:
    """Every front door of one process, and what must be closed at its end."""

    settings: Settings
    clock: Clock
    database: Database
    telephony: TelephonyService
    kb: KnowledgeService
    accounts: AccountService
    tokens: TokenService
    switch: AmiSwitch
    line: AmiClient
    provisioning: AmiClient
    exits: ExitStack

    def connect(self) -> None:
        """Begin to hold connections to Asterisk; they mend themselves."""
        self.line.start()
        self.provisioning.start()

    def close(self) -> None:
        """Give back connections and threads."""
        self.exits.close()


def database_url(settings: Settings) -> str:
    """Return the site's database, or that of the embedded server, started or joined."""
    return settings.database_url or start_embedded_postgres(settings.state_dir / "postgres")


def build(settings: Settings, clock: Clock | None = None) -> House:
    """Return the house. Nothing outside is asked yet: a part that is away is noticed where it is needed."""
    clock = clock or SystemClock()
    exits = ExitStack()
    database = Database(database_url(settings), pool_size=10, max_overflow=20)
    exits.callback(database.close)
    line, provisioning = _ami_clients(settings, exits)
    switch = AmiSwitch(
        line,
        provisioning,
        phone=settings.agent_phone,
        rtp_timeout_seconds=settings.agent_rtp_timeout_seconds,
    )
    calls = TelephonyService(database, clock, switch, TelephonyRules.of(settings), settings.answer_target_seconds)
    weights = FieldWeights(title=settings.title_weight)
    index = ElasticSearchIndex(
        settings.elasticsearch_url,
        settings.elasticsearch_username,
        settings.elasticsearch_password.get_secret_value(),
        prefix=settings.index_prefix,
        replicas=settings.index_replicas,
        weights=weights,
        timeout_seconds=settings.search_timeout_seconds,
    )
    exits.callback(index.close)
    knowledge = KnowledgeService(database, clock, index, MemorySearchIndex(weights), calls)
    return House(
        settings=settings,
        clock=clock,
        database=database,
        telephony=calls,
        kb=knowledge,
        accounts=AccountService(database, clock),
        tokens=TokenService(database, clock),
        switch=switch,
        line=line,
        provisioning=provisioning,
        exits=exits,
    )


def _ami_clients(settings: Settings, exits: ExitStack) -> tuple[AmiClient, AmiClient]:
    """Return the user for calls and queues, and the one that only makes softphones known."""
    clients = tuple(
        AmiClient(AmiAddress(settings.ami_host, settings.ami_port, name, secret))
        for name, secret in (
            (settings.ami_username, settings.ami_password.get_secret_value()),
            (f"{settings.ami_username}-provision", settings.ami_provision_secret),
        )
    )
    for client in clients:
        exits.callback(client.close)
    return clients[0], clients[1]


def _speech_to_text(settings: Settings, *, has_own_process: bool = True) -> SpeechToText:
    if settings.speech_engine == "http":
        return HttpSpeech(settings.speech_url)
    if not has_own_process:
        engine = FasterWhisperSpeech if settings.speech_engine == "faster-whisper" else OpenAIWhisperSpeech
        return engine(model_folder(settings), device=settings.speech_device)
    return WhisperRecordings(settings.speech_engine, model_folder(settings), device=settings.speech_device)


def recognizer(settings: Settings, mode: Mode) -> Recognizer:
    """Return what hears whole files: as a live call is heard, or as its recording is after the call."""
    if mode == "final":
        # In this process: it ends with the files anyway, and its processor time is part of the answer.
        return final_recognizer(_speech_to_text(settings, has_own_process=False))
    model = SileroModel()
    window = WhisperWindow(load_model(live_model_folder(settings), device=settings.speech_device, threads=settings.live_workers))
    return live_recognizer(lambda: SileroStream(model), window, beam=settings.live_beam)


def _live_transcriber(house: House) -> LiveTranscriber:
    settings = house.settings
    decoder = WhisperLiveDecoder(
        live_model_folder(settings),
        device=settings.speech_device,
        workers=settings.live_workers,
        beam=settings.live_beam,
        nice=2,  # after the bridge itself, which must not miss what the line says, and before all that can wait
    )
    house.exits.callback(decoder.close)
    model = SileroModel()
    return LiveTranscriber(
        TapServer(settings.audiosocket_host, settings.audiosocket_port),
        decoder,
        lambda: SileroStream(model),
        house.telephony,
        hotwords=house.kb.hotwords,
        rules=LiveRules(shed_seconds=settings.live_shed_seconds),
        clock=house.clock,
    )


# --- what each process runs


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
        live, problem = None, ""
        if settings.live_transcription:
            try:
                live = _live_transcriber(house)
                live.start()
                house.exits.callback(live.stop)
            except UnavailableError as error:
                live, problem = None, str(error)
                log.error("live_transcription_off", error=problem)
        house.exits.enter_context(beating(house.database, "bridge", settings.node, lambda: _bridge_detail(house, live, problem)))
        Bridge(house.telephony, house.switch, house.line, house.clock, settings.recordings, live).run(stopping)


def _bridge_detail(house: House, live: LiveTranscriber | None, problem: str) -> dict[str, object]:
    return {"problem": house.line.problem or problem, "live_text": live is not None, **(live.totals() if live else {})}


def run_dispatcher(settings: Settings, stopping: threading.Event) -> None:
    """Bring events to their handlers."""
    house = build(settings)
    with house.exits, beating(house.database, "dispatcher", settings.node):
        house.kb.warm_up()
        Dispatcher(house.database, handlers(house)).run(stopping, poll_seconds=1.0)


def handlers(house: House) -> dict[type[Event], list[Handler]]:
    """Return who does what when something has happened."""
    knowledge = KnowledgeHandlers(house.kb, house.database)
    calls = TelephonyHandlers(house.telephony, house.database, house.settings.recordings)
    return {
        SegmentHeard: [knowledge.on_segment_heard],
        ArticleChanged: [knowledge.on_article_changed],
        CallEnded: [calls.on_call_ended],
    }


def run_worker(settings: Settings, stopping: threading.Event) -> None:
    """Do the jobs, and enqueue what is due by the clock."""
    house = build(settings)
    with house.exits, beating(house.database, "worker", settings.node):
        transcriber = Transcriber(
            house.database, _speech_to_text(settings), settings.recordings, house.clock, hotwords=house.kb.hotwords
        )
        calls = TelephonyHandlers(house.telephony, house.database, settings.recordings)
        tasks: dict[str, Task] = {
            **calls.tasks(transcriber),
            **KnowledgeHandlers(house.kb, house.database).tasks(),
            PRUNE: lambda job: _prune(house, job),
        }
        clock = threading.Thread(
            target=enqueue_when_due, args=(house.database, house.clock, PERIODIC, stopping), name="periodic", daemon=True
        )
        clock.start()
        # Recordings may take minutes each: what is quick does not wait behind them.
        quick = Worker(house.database, tasks, [INDEX_QUEUE, HOUSEKEEPING])
        thread = threading.Thread(target=quick.run, args=(stopping,), name="quick-jobs", daemon=True)
        thread.start()
        Worker(house.database, tasks, [TRANSCRIPTION]).run(stopping)
        thread.join(10)


PRUNE = "prune"
PERIODIC = (
    Periodic("index_pending", "* * * * *", INDEX_QUEUE, INDEX_PENDING),
    Periodic("expire_recordings", "20 3 * * *", HOUSEKEEPING, EXPIRE_RECORDINGS),
    Periodic("prune", "40 3 * * *", HOUSEKEEPING, PRUNE),
)


def _prune(house: House, job: ClaimedJob) -> None:
    with house.database.transaction() as session:
        prune_jobs(session, timedelta(days=7))
        prune_events(session, timedelta(days=30))
        job.finish(session)
