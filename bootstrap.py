"""All wiring: which adapter stands behind which role, what each process runs, and which event goes to which handler."""

import dataclasses
import os
import threading
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import structlog
from flask import Flask

from callback.dialer import Dialer
from callback.door import CallbackSettings
from callback.events import CallbackAttempted, CallbackCompleted, MessageDue
from callback.handlers import CallbackHandlers
from callback.service import CallbackService
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
from core.working_days import WorkingDays
from kb.adapters.elastic_search_index import ElasticSearchIndex
from kb.adapters.memory_search_index import MemorySearchIndex
from kb.events import ArticleChanged
from kb.handlers import KnowledgeHandlers
from kb.ports import FieldWeights
from kb.service import INDEX_PENDING, INDEX_QUEUE, KnowledgeService
from survey.adapters.async_agi import AsyncAgiLines
from survey.adapters.kokoro_voice import KokoroVoice, voice_folder
from survey.catalogue import Catalogue
from survey.ears import AnswerEars, AnswerRecognizer
from survey.events import BadRatingGiven, QuestionnaireLaunched, SurveyAnswered, SurveyFinished
from survey.handlers import CLOSE_EXPIRED, SurveyHandlers
from survey.ivr import Ivr
from survey.prompt_rendering import PROMPTS_QUEUE, RENDER_PROMPTS, PromptRendering
from survey.prompting import PromptLibrary
from survey.service import SurveyService
from telephony.adapters.ami_client import AmiAddress, AmiClient
from telephony.adapters.ami_switch import AmiSwitch
from telephony.adapters.faster_whisper_speech import FasterWhisperSpeech
from telephony.adapters.http_speech import HttpSpeech
from telephony.adapters.openai_whisper_speech import OpenAIWhisperSpeech
from telephony.adapters.silero_vad import SileroModel, SileroStream
from telephony.adapters.whisper_engine import load_window
from telephony.adapters.whisper_live import WhisperLiveDecoder
from telephony.adapters.whisper_recordings import WhisperRecordings
from telephony.adapters.whisper_weights import live_model_folder, model_folder
from telephony.bridge import Bridge
from telephony.door import TelephonyRules
from telephony.events import CallAnswered, CallEnded, OutboundAnswered, OutboundEnded, QueueCallbackAsked, SegmentHeard
from telephony.handlers import EXPIRE_RECORDINGS, HOUSEKEEPING, TelephonyHandlers
from telephony.ports import Pcm, Recognized, SpeechToText
from telephony.service import TelephonyService
from telephony.speech.files import Mode, Recognizer, final_recognizer, live_recognizer
from telephony.speech.live import LiveRules, LiveTranscriber
from telephony.speech.tap_server import TapServer
from telephony.transcriber import QUEUE as TRANSCRIPTION
from telephony.transcriber import Transcriber
from webui.accounts import AccountService
from webui.app import create_app, secret_key
from webui.statistics.closing import Closing
from webui.statistics.counting import Counting
from webui.statistics.handlers import CLOSE_PERIODS, COUNT_DAYS, STATISTICS_QUEUE, StatisticsHandlers
from webui.tokens import TokenService
from webui.wallboard.adapters.https_hall_system import HttpsHallSystem
from webui.wallboard.compose import WallReader
from webui.wallboard.pusher import WallPusher
from webui.wallboard.snapshot import Snapshots
from webui.wallboard.webhooks import WebhookService
from workorder.adapters.http_sms_gateway import HttpSmsGateway
from workorder.adapters.smpp_session import SmppLogin
from workorder.adapters.smpp_sms_gateway import SmppSmsGateway
from workorder.events import CaseClosed, SmsFinished
from workorder.handlers import WorkorderHandlers
from workorder.ports import SmsGateway
from workorder.service import SMS_QUEUE, TIDY_SMS, WorkorderService
from workorder.sms_rules import SmsRules

log = structlog.get_logger()
_ANSWER_BEAM = 5  # a word or two: the wider search costs little and finds more


@dataclass(frozen=True)
class House:
    """Every front door of one process, and what must be closed at its end."""

    settings: Settings
    clock: Clock
    database: Database
    telephony: TelephonyService
    kb: KnowledgeService
    working_days: WorkingDays
    workorder: WorkorderService
    callback: CallbackService
    survey: SurveyService
    prompts: PromptLibrary
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
    working_days = WorkingDays(database)
    work_orders = WorkorderService(database, clock, SmsRules.of(settings))
    surveys = SurveyService(database, clock, secret_key(settings), settings.public_url)
    prompts = PromptLibrary(settings.prompts)
    asked, rules = Catalogue(surveys, prompts), CallbackSettings.of(settings)
    callbacks = CallbackService(database, clock, working_days, calls, calls, work_orders, asked, rules)
    return House(
        settings=settings,
        clock=clock,
        database=database,
        telephony=calls,
        kb=knowledge,
        working_days=working_days,
        workorder=work_orders,
        callback=callbacks,
        survey=surveys,
        prompts=prompts,
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
    window = load_window(live_model_folder(settings), device=settings.speech_device, threads=settings.live_workers)
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
        house.telephony.ensure_queues(settings.queues)
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


def handlers(house: House) -> dict[type[Event], list[Handler]]:
    """Return who does what when something has happened."""
    knowledge = KnowledgeHandlers(house.kb, house.database)
    calls = TelephonyHandlers(house.telephony, house.database, house.settings.recordings)
    callbacks = _callback_handlers(house)
    surveys = _survey_handlers(house)
    counts = _statistics_handlers(house)
    return {
        SegmentHeard: [knowledge.on_segment_heard],
        ArticleChanged: [knowledge.on_article_changed],
        CallAnswered: [callbacks.on_call_answered],
        CallEnded: [calls.on_call_ended, callbacks.on_call_ended, counts.on_call_ended],
        QueueCallbackAsked: [callbacks.on_queue_callback_asked],
        OutboundAnswered: [callbacks.on_outbound_answered],
        OutboundEnded: [callbacks.on_outbound_ended],
        CaseClosed: [callbacks.on_case_closed],
        SmsFinished: [callbacks.on_sms_finished],
        SurveyAnswered: [counts.on_survey_answered],
        SurveyFinished: [surveys.on_survey_finished, counts.on_survey_finished],
        BadRatingGiven: [surveys.on_bad_rating_given],
        MessageDue: [surveys.on_message_due],
        QuestionnaireLaunched: [surveys.on_questionnaire_launched],
        CallbackAttempted: [counts.on_callback_attempted],
        CallbackCompleted: [surveys.on_callback_completed, counts.on_callback_completed],
    }


def _callback_handlers(house: House) -> CallbackHandlers:
    return CallbackHandlers(house.callback, house.database, house.clock)


def _survey_handlers(house: House) -> SurveyHandlers:
    return SurveyHandlers(house.survey, house.callback, house.workorder, house.database)


def _statistics_handlers(house: House) -> StatisticsHandlers:
    counting = Counting(house.database, house.clock, house.settings)
    return StatisticsHandlers(house.database, counting, Closing(house, counting).run)


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
    ears = AnswerEars(lambda: _answer_recognizer(settings)) if settings.spoken_answers else None
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


def _answer_recognizer(settings: Settings) -> AnswerRecognizer:
    """Return what hears short answers while the citizen waits: short windows, as for live text, where the engine has them."""
    if settings.speech_engine != "faster-whisper":
        return _speech_to_text(settings).transcribe
    detector = SileroModel()
    window = load_window(live_model_folder(settings), device=settings.speech_device)

    def hear(pcm: Pcm, expected: str) -> list[Recognized]:
        return live_recognizer(lambda: SileroStream(detector), window, beam=_ANSWER_BEAM, hotwords=expected)(pcm)

    return hear


def _load_ears(ears: AnswerEars) -> None:
    try:
        ears.warm_up()
    except UnavailableError as error:
        log.warning("spoken_answers_off", error=str(error)[:300])


def run_worker(settings: Settings, stopping: threading.Event) -> None:
    """Do the jobs, and enqueue what is due by the clock."""
    house = build(settings)
    gateway = _sms_gateway(house)
    with house.exits, beating(house.database, "worker", settings.node, lambda: _worker_detail(gateway)):
        transcriber = Transcriber(
            house.database, _speech_to_text(settings), settings.recordings, house.clock, hotwords=house.kb.hotwords
        )
        calls = TelephonyHandlers(house.telephony, house.database, settings.recordings)
        tasks: dict[str, Task] = {
            **calls.tasks(transcriber),
            **KnowledgeHandlers(house.kb, house.database).tasks(),
            PRUNE: lambda job: _prune(house, job),
            **_statistics_handlers(house).tasks(),
            **WorkorderHandlers(house.workorder, house.database).tasks(gateway),
            **_callback_handlers(house).tasks(),
            **_survey_handlers(house).tasks(),
            **PromptRendering(house.survey, house.prompts, KokoroVoice(voice_folder(settings)), house.database).tasks(),
        }
        clock = threading.Thread(
            target=enqueue_when_due, args=(house.database, house.clock, PERIODIC, stopping), name="periodic", daemon=True
        )
        clock.start()
        # Recordings may take minutes each: what is quick does not wait behind them.
        quick = Worker(house.database, tasks, [INDEX_QUEUE, HOUSEKEEPING])
        thread = threading.Thread(target=quick.run, args=(stopping,), name="quick-jobs", daemon=True)
        thread.start()
        # A year that was never counted takes minutes; nothing else waits for it.
        counting = Worker(house.database, tasks, [STATISTICS_QUEUE])
        threading.Thread(target=counting.run, args=(stopping,), name="statistics", daemon=True).start()
        if gateway is not None:
            # A gateway may take its time with each message.
            messages = Worker(house.database, tasks, [SMS_QUEUE])
            threading.Thread(target=messages.run, args=(stopping,), name="text-messages", daemon=True).start()
        threading.Thread(target=_wall_pusher(house).run, args=(stopping,), name="hall-push", daemon=True).start()
        Worker(house.database, tasks, [TRANSCRIPTION, PROMPTS_QUEUE]).run(stopping)
        thread.join(10)


def _wall_pusher(house: House) -> WallPusher:
    networks = house.settings.webhook_networks
    figures = Snapshots(WallReader(house.database, house.clock, house.settings).read)
    return WallPusher(WebhookService(house.database, networks), figures, HttpsHallSystem(networks), house.clock)


def _sms_gateway(house: House) -> SmsGateway | None:
    """Return what carries text messages, holding its session already where it has one; None: they wait."""
    settings = house.settings
    if settings.sms_gateway == "http":
        url, secret = settings.sms_http_url, settings.sms_http_secret.get_secret_value()
        gateway = HttpSmsGateway(url, settings.sms_http_key, secret, house.clock, settings.sms_timeout_seconds)
        house.exits.callback(gateway.close)
        return gateway
    if settings.sms_gateway == "none":
        return None
    password = settings.smpp_password.get_secret_value()
    login = SmppLogin(settings.smpp_host, settings.smpp_port, settings.smpp_system_id, password, settings.smpp_system_type)
    session = SmppSmsGateway(
        login,
        house.workorder.record_sms_receipt,
        source=settings.smpp_source,
        multipart=settings.smpp_multipart,
        timeout_seconds=settings.sms_timeout_seconds,
        enquire_seconds=settings.smpp_enquire_seconds,
    )
    house.exits.callback(session.close)
    session.start()
    return session


def _worker_detail(gateway: SmsGateway | None) -> dict[str, object]:
    return {"problem": f"SMS: {gateway.problem}" if gateway is not None and gateway.problem else ""}


PRUNE = "prune"
PERIODIC = (
    Periodic("index_pending", "* * * * *", INDEX_QUEUE, INDEX_PENDING),
    Periodic("expire_recordings", "20 3 * * *", HOUSEKEEPING, EXPIRE_RECORDINGS),
    Periodic("close_expired_surveys", "10 * * * *", HOUSEKEEPING, CLOSE_EXPIRED),
    Periodic("render_prompts", "* * * * *", PROMPTS_QUEUE, RENDER_PROMPTS),
    Periodic("prune", "40 3 * * *", HOUSEKEEPING, PRUNE),
    Periodic("count_days", "* * * * *", STATISTICS_QUEUE, COUNT_DAYS),
    Periodic("close_periods", "30 6 * * *", STATISTICS_QUEUE, CLOSE_PERIODS, is_made_up=True),
    Periodic("tidy_sms", "* * * * *", HOUSEKEEPING, TIDY_SMS),
)


def _prune(house: House, job: ClaimedJob) -> None:
    with house.database.transaction() as session:
        prune_jobs(session, timedelta(days=7))
        prune_events(session, timedelta(days=30))
        job.finish(session)
