"""The page on which a citizen answers, behind the link of a text message: no log-in, no script, no cookie.

The signed token in the address is the credential, so a forged request gains nothing that the link itself would not give.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, g, make_response, redirect, render_template, request, url_for
from flask_babel import force_locale
from flask_babel import gettext as _

from core.clock import local_date
from core.errors import ConflictError
from survey.form_page import take_page
from survey.interview import Interview
from survey.opening import opening_words
from survey.survey_state import SurveyState
from survey.views import (
    LinkExpiredError,
    LinkForgedError,
    LinkUsedError,
    LinkWithdrawnError,
    QuotaFullError,
    SurveyEndedError,
    SurveyNotFoundError,
    SurveyView,
)
from webui.auth import limiter
from webui.house import current_house
from webui.permissions import public
from webui.survey_sheet import next_sheet, passed_keys, sheet_of

blueprint = Blueprint("survey_page", __name__, url_prefix="/s")
_READS, _WRITES = "120 per minute", "60 per minute"
_OPT_OUT_SOURCE = "survey_page"
_LINK_ERRORS = (
    LinkForgedError,
    LinkUsedError,
    LinkExpiredError,
    LinkWithdrawnError,
    QuotaFullError,
    SurveyNotFoundError,
    SurveyEndedError,
)


@blueprint.get("/<token>")
@public
@limiter.limit(_READS)
def page(token: str) -> Any:
    """Show the next questions. Looking changes nothing: telephones fetch links by themselves to show what lies behind them."""
    with _in_language():
        try:
            survey = current_house().survey.open_link(token)
        except _LINK_ERRORS as error:
            return _closed(error, token)
        interview = _interview(survey, request.args.get("p", ""))
        sheet = next_sheet(interview)
        if not sheet.fields:
            # Every question was answered before the page was handed in: the last step is made good.
            return _done(survey, token)
        return _page("survey/page.html", survey=survey, interview=interview, sheet=sheet, token=token)


@blueprint.post("/<token>")
@public
@limiter.limit(_WRITES)
def take(token: str) -> Any:
    """Keep what was sent, and go on or say why not."""
    surveys = current_house().survey
    with _in_language():
        try:
            survey = surveys.start(surveys.open_link(token, is_sent=True).survey_id, _language())
            interview = _interview(survey, request.form.get("passed", ""))
            asked = passed_keys(request.form.get("asked", ""))
            taken = take_page(interview, asked, request.form.to_dict(flat=False))
            for key, accepted in taken.accepted.items():
                surveys.answer(survey.survey_id, key, accepted.value)
            if taken.problems:
                questions = [question for question in interview.visible() if question.key in asked]
                sheet = sheet_of(interview, questions, request.form.to_dict(flat=False), taken.problems)
                return _page("survey/page.html", 400, survey=survey, interview=interview, sheet=sheet, token=token)
            if next_sheet(interview).fields:
                return redirect(_address(token, p=",".join(interview.left_out)), 303)
            return _done(survey, token)
        except _LINK_ERRORS as error:
            return _closed(error, token)


@blueprint.get("/<token>/opt-out")
@public
@limiter.limit(_READS)
def ask_opt_out(token: str) -> Any:
    """Ask whether the person really wants no more invitations."""
    with _in_language():
        try:
            current_house().survey.behind_link(token)
        except (LinkForgedError, SurveyNotFoundError) as error:
            return _closed(error, token)
        return _page("survey/opt_out.html", token=token)


@blueprint.post("/<token>/opt-out")
@public
@limiter.limit(_WRITES)
def opt_out(token: str) -> Any:
    """Invite this number no more; replies that are owed to it still come."""
    house = current_house()
    with _in_language():
        try:
            survey = house.survey.behind_link(token)
        except (LinkForgedError, SurveyNotFoundError) as error:
            return _closed(error, token)
        if survey.context.callback_id is not None:
            house.callback.opt_out(house.callback.get(survey.context.callback_id).phone, _OPT_OUT_SOURCE)
        if survey.is_open:
            _finish(survey, SurveyState.REFUSED)
        return _note(_("记下了"), _("今后不再邀请您评价。您要我们办的事、该给您的答复不受影响。"))


def _interview(survey: SurveyView, passed: str) -> Interview:
    definition = current_house().survey.definition(survey.version_id)
    # Only optional questions can be passed over, whatever the form says.
    left_out = [key for key in passed_keys(passed) if (question := definition.question(key)) and not question.required]
    return Interview(definition, survey.values, _language(), left_out)


def _done(survey: SurveyView, token: str) -> Any:
    _finish(survey, SurveyState.COMPLETED)
    definition = current_house().survey.definition(survey.version_id)
    return _note(_("提交成功"), definition.closing.in_language(_language()) or _("谢谢您的评价。"), token=token)


def _finish(survey: SurveyView, state: SurveyState) -> None:
    try:
        current_house().survey.finish(survey.survey_id, state)
    except ConflictError:
        # Handed in twice at once, or ended by the clock in this moment: what stands, stands.
        return


def _closed(error: Exception, token: str) -> Any:
    """Each end of a link has its own words."""
    match error:
        case LinkUsedError() | SurveyEndedError():
            return _note(_("已经提交过了"), _("每个链接只能提交一次，您先前的评价都已记下，不会再改动。谢谢您。"), token=token)
        case LinkExpiredError(survey=survey):
            day = f"{local_date(survey.expires_at):%Y-%m-%d}" if survey.expires_at else ""
            return _note(_("链接已过期"), _("评价到 %(day)s 为止，已经结束。有事请直接拨打热线，谢谢您。", day=day), 410)
        case LinkWithdrawnError():
            return _note(_("评价已撤回"), _("这份评价已经撤回，不再需要填写。谢谢您。"), 410)
        case QuotaFullError():
            return _note(_("评价已经收满"), _("这次评价需要的份数已经收满，不用再填写。谢谢您。"), 410)
        case _:
            return _note(_("链接不对"), _("请照短信里的链接完整打开，不要漏掉字符。若仍打不开，请直接拨打热线。"), 404)


def _note(title: str, text: str, status: int = 200, token: str = "") -> Any:
    return _page("survey/note.html", status, title=title, text=text, token=token)


def _page(template: str, status: int = 200, **values: Any) -> Response:
    settings = current_house().settings
    survey, interview = values.get("survey"), values.get("interview")
    if survey is not None and interview is not None:
        about = survey.context
        values["opening"] = opening_words(
            interview.definition, matter=about.matter, unit=about.unit, hall=about.hall, language=interview.language
        )
        values["until"] = local_date(survey.expires_at) if survey.expires_at else None
        values["may_opt_out"] = about.callback_id is not None
    numbers = next(iter(settings.hotline_numbers), "")
    heading = _("%(city)s %(number)s 热线评价", city=settings.city_name, number=numbers)
    response = make_response(
        render_template(template, heading=heading, language=_language(), action="", address=_address, is_preview=False, **values)
    )
    response.status_code = status
    return protect(response)


def protect(response: Response, ancestors: str = "'none'") -> Response:
    """Allow nothing but the page's own style block and form, and tell nobody where it was."""
    policy = ["default-src 'none'", f"style-src 'nonce-{g.csp_nonce}'", "form-action 'self'", "base-uri 'none'"]
    response.headers["Content-Security-Policy"] = "; ".join([*policy, f"frame-ancestors {ancestors}"])
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["Cache-Control"] = "no-store"
    return response


def _address(token: str, **changes: str) -> str:
    arguments = {"lang": request.args.get("lang"), **changes}
    query = urlencode({name: value for name, value in arguments.items() if value})
    address = url_for("survey_page.page", token=token)
    return f"{address}?{query}" if query else address


def _language() -> str:
    """Return the language asked for by the switch, else by the telephone's settings."""
    asked = request.args.get("lang")
    if asked in ("zh", "en"):
        return asked
    return request.accept_languages.best_match(["zh", "en"], "zh")


@contextmanager
def _in_language() -> Iterator[None]:
    with force_locale(_language()):
        yield
