"""The process that does the jobs, and enqueues what is due by the clock."""

import threading
from datetime import timedelta

from bootstrap.handlers import callback_handlers, statistics_handlers, survey_handlers
from bootstrap.house import House, build
from bootstrap.speech import speech_to_text
from core.heartbeat import beating
from core.jobs import ClaimedJob, Task, Worker
from core.jobs import prune as prune_jobs
from core.outbox import prune as prune_events
from core.periodic import Periodic, enqueue_when_due
from core.settings import Settings
from kb.handlers import KnowledgeHandlers
from kb.service import INDEX_PENDING, INDEX_QUEUE
from survey.adapters.kokoro_voice import KokoroVoice, voice_folder
from survey.handlers import CLOSE_EXPIRED
from survey.prompt_rendering import PROMPTS_QUEUE, RENDER_PROMPTS, PromptRendering
from telephony.handlers import EXPIRE_RECORDINGS, HOUSEKEEPING, TelephonyHandlers
from telephony.transcriber import QUEUE as TRANSCRIPTION
from telephony.transcriber import Transcriber
from webui.statistics.handlers import CLOSE_PERIODS, COUNT_DAYS, STATISTICS_QUEUE
from webui.wallboard.adapters.https_hall_system import HttpsHallSystem
from webui.wallboard.compose import WallReader
from webui.wallboard.pusher import WallPusher
from webui.wallboard.snapshot import Snapshots
from webui.wallboard.webhooks import WebhookService
from workorder.adapters.http_sms_gateway import HttpSmsGateway
from workorder.adapters.smpp_session import SmppLogin
from workorder.adapters.smpp_sms_gateway import SmppSmsGateway
from workorder.handlers import WorkorderHandlers
from workorder.ports import SmsGateway
from workorder.service import SMS_QUEUE, TIDY_SMS

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


def run_worker(settings: Settings, stopping: threading.Event) -> None:
    """Do the jobs, and enqueue what is due by the clock."""
    house = build(settings)
    gateway = _sms_gateway(house)
    with house.exits, beating(house.database, "worker", settings.node, lambda: _worker_detail(gateway)):
        transcriber = Transcriber(
            house.database, speech_to_text(settings), settings.recordings, house.clock, hotwords=house.kb.hotwords
        )
        calls = TelephonyHandlers(house.telephony, house.database, settings.recordings)
        tasks: dict[str, Task] = {
            **calls.tasks(transcriber),
            **KnowledgeHandlers(house.kb, house.database).tasks(),
            PRUNE: lambda job: _prune(house, job),
            **statistics_handlers(house).tasks(),
            **WorkorderHandlers(house.workorder, house.database).tasks(gateway),
            **callback_handlers(house).tasks(),
            **survey_handlers(house).tasks(),
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


def _prune(house: House, job: ClaimedJob) -> None:
    with house.database.transaction() as session:
        prune_jobs(session, timedelta(days=7))
        prune_events(session, timedelta(days=30))
        job.finish(session)
