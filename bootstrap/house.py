"""The house: every front door of one process with the adapters behind it."""

from contextlib import ExitStack
from dataclasses import dataclass

from callback.door import CallbackSettings
from callback.service import CallbackService
from core.clock import Clock, SystemClock
from core.database import Database
from core.embedded_postgres import start_embedded_postgres
from core.settings import Settings
from core.working_days import WorkingDays
from kb.adapters.elastic_search_index import ElasticSearchIndex
from kb.adapters.memory_search_index import MemorySearchIndex
from kb.ports import FieldWeights
from kb.service import KnowledgeService
from survey.catalogue import Catalogue
from survey.prompting import PromptLibrary
from survey.service import SurveyService
from telephony.adapters.ami_client import AmiAddress, AmiClient
from telephony.adapters.ami_switch import AmiSwitch
from telephony.door import TelephonyRules
from telephony.service import TelephonyService
from webui.accounts import AccountService
from webui.app import secret_key
from webui.tokens import TokenService
from workorder.service import WorkorderService
from workorder.sms_rules import SmsRules


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
