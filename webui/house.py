"""What the pages need of the running program. `bootstrap.build` returns such a house; webui never builds one."""

from typing import TYPE_CHECKING, Protocol

from flask import current_app

from core.clock import Clock
from core.database import Database
from core.settings import Settings
from telephony.board import BoardReads
from telephony.reads import CallReads

if TYPE_CHECKING:  # webui reads what the others write: at run time only their objects are needed here
    from callback.service import CallbackService
    from core.working_days import WorkingDays
    from kb.service import KnowledgeService
    from survey.service import SurveyService
    from telephony.service import TelephonyService
    from webui.accounts import AccountService
    from webui.tokens import TokenService
    from workorder.service import WorkorderService


class House(Protocol):
    """The front doors of the stages, and what lies under them."""

    @property
    def settings(self) -> Settings: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def database(self) -> Database: ...
    @property
    def telephony(self) -> "TelephonyService": ...
    @property
    def kb(self) -> "KnowledgeService": ...
    @property
    def working_days(self) -> "WorkingDays": ...
    @property
    def callback(self) -> "CallbackService": ...
    @property
    def workorder(self) -> "WorkorderService": ...
    @property
    def survey(self) -> "SurveyService": ...
    @property
    def accounts(self) -> "AccountService": ...
    @property
    def tokens(self) -> "TokenService": ...


def current_house() -> House:
    """Return the house of the running application."""
    house: House = current_app.extensions["house"]
    return house


def board_reads() -> BoardReads:
    """Return who answers questions about the present."""
    house = current_house()
    return BoardReads(house.database, house.clock, house.settings.answer_target_seconds)


def call_reads() -> CallReads:
    """Return who answers questions about calls."""
    house = current_house()
    return CallReads(house.database, house.clock)
