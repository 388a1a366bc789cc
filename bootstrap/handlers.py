"""Which event goes to which handler."""

from bootstrap.house import House
from callback.events import CallbackAttempted, CallbackCompleted, MessageDue
from callback.handlers import CallbackHandlers
from core.outbox import Event, Handler
from kb.events import ArticleChanged
from kb.handlers import KnowledgeHandlers
from survey.events import BadRatingGiven, QuestionnaireLaunched, SurveyAnswered, SurveyFinished
from survey.handlers import SurveyHandlers
from telephony.events import CallAnswered, CallEnded, OutboundAnswered, OutboundEnded, QueueCallbackAsked, SegmentHeard
from telephony.handlers import TelephonyHandlers
from webui.statistics.closing import Closing
from webui.statistics.counting import Counting
from webui.statistics.handlers import StatisticsHandlers
from workorder.events import CaseClosed, SmsFinished


def handlers(house: House) -> dict[type[Event], list[Handler]]:
    """Return who does what when something has happened."""
    knowledge = KnowledgeHandlers(house.kb, house.database)
    calls = TelephonyHandlers(house.telephony, house.database, house.settings.recordings)
    callbacks = callback_handlers(house)
    surveys = survey_handlers(house)
    counts = statistics_handlers(house)
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


def callback_handlers(house: House) -> CallbackHandlers:
    """Return what callbacks do when something happens."""
    return CallbackHandlers(house.callback, house.database, house.clock)


def survey_handlers(house: House) -> SurveyHandlers:
    """Return what surveys do when something happens."""
    return SurveyHandlers(house.survey, house.callback, house.workorder, house.database)


def statistics_handlers(house: House) -> StatisticsHandlers:
    """Return what statistics do when something happens."""
    counting = Counting(house.database, house.clock, house.settings)
    return StatisticsHandlers(house.database, counting, Closing(house, counting).run)
