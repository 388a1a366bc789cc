"""Trying a version before anybody is asked: the citizen's page in a frame, a rehearsed call, the agent's form. Nothing is kept."""

import uuid
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, make_response, render_template, request, url_for
from flask_babel import force_locale
from flask_babel import gettext as _
from flask_wtf.csrf import generate_csrf

from survey.form_page import take_page
from survey.interview import Accepted, Interview, take_form
from survey.logic import check
from survey.opening import opening_words
from survey.schema import QuestionnaireDefinition
from survey.scoring import in_words, score
from survey.simulator import MOST_MOVES, Act, Move, rehearse_call, rehearse_form
from webui.house import current_house
from webui.languages import is_english
from webui.permissions import Permission, requires
from webui.questionnaires import state_words
from webui.survey_page import protect
from webui.survey_sheet import field_of, next_sheet, passed_keys, sheet_of, texts_of

blueprint = Blueprint("questionnaire_trial", __name__, url_prefix="/questionnaires")
_CARRIED = "kept-"
_LONGEST_SAID = 200


@blueprint.route("/<uuid:version_id>/preview", methods=["GET", "POST"])
@requires(Permission.READ_QUESTIONNAIRES)
def preview(version_id: uuid.UUID) -> Any:
    """Show the citizen's page, and go through it; what was answered travels with the form."""
    definition = current_house().survey.get_version(version_id).definition
    language = "en" if request.values.get("lang") == "en" else "zh"
    fields = request.form.to_dict(flat=False)
    interview = Interview(definition, _kept(definition, fields), language, passed_keys(request.form.get("passed", "")))
    with force_locale(language):
        sheet = next_sheet(interview)
        if request.method == "POST":
            asked = passed_keys(request.form.get("asked", ""))
            problems = take_page(interview, asked, fields).problems
            page = [question for question in interview.visible() if question.key in asked]
            sheet = sheet_of(interview, page, fields, problems) if problems else next_sheet(interview)
        if not sheet.fields:
            text = definition.closing.in_language(language) if definition.questions else _("还没有题目。")
            body = render_template(
                "survey/note.html", title=_("提交成功") if definition.questions else "", text=text, **_about(language)
            )
        else:
            carried = [(_CARRIED + key, text) for key, value in interview.answers.items() for text in texts_of(value)]
            body = render_template(
                "survey/page.html",
                sheet=sheet,
                carried=[("csrf_token", generate_csrf()), ("lang", language), *carried],
                opening=opening_words(definition, matter="", unit="", hall="", language=language),
                action=url_for("questionnaire_trial.preview", version_id=version_id, lang=language),
                **_about(language),
            )
    return protect(make_response(body), "'self'")


@blueprint.route("/<uuid:version_id>/trial", methods=["GET", "POST"])
@requires(Permission.READ_QUESTIONNAIRES)
def trial(version_id: uuid.UUID) -> Any:
    """Go through a version by one of the three ways."""
    version = current_house().survey.get_version(version_id)
    way = request.values.get("way", "web")
    values: dict[str, Any] = {}
    if way == "ivr":
        values = _call(version.definition)
    elif way == "agent":
        values = _form(version.definition)
    else:
        way = "web"
    return render_template(
        "questionnaires/trial.html",
        version=version,
        way=way,
        problems=check(version.definition),
        states=state_words(),
        language="en" if request.args.get("lang") == "en" else "zh",
        **values,
    )


def _call(definition: QuestionnaireDefinition) -> dict[str, Any]:
    texts = request.form.getlist("move")[:MOST_MOVES]
    if (made := _move_now()) is not None:
        texts.append(made)
    moves = [move for text in texts if (move := _move(text)) is not None]
    rehearsed = rehearse_call(definition, moves) if definition.questions else None
    answers = rehearsed.answers if rehearsed else {}
    return {"moves": texts, "rehearsal": rehearsed, "answers": _answers(definition, answers), "ends": _end_words()}


def _move_now() -> str | None:
    """Return the move that the pressed button makes; keys and words come from their fields, a lone key from its button."""
    act = request.form.get("act", "")
    if act.startswith("key:"):
        return f"keys:{act[4:5]}"
    if act in ("keys", "speech"):
        text = request.form.get(act, "").strip()[:_LONGEST_SAID]
        return f"{act}:{text}" if text else None
    return f"{act}:" if act in ("silence", "hang_up") else None


def _move(text: str) -> Move | None:
    act, _colon, said = text.partition(":")
    return Move(Act(act), said[:_LONGEST_SAID]) if act in set(Act) else None


def _form(definition: QuestionnaireDefinition) -> dict[str, Any]:
    language = "en" if is_english() else "zh"
    interview, problems = rehearse_form(definition, request.form.to_dict(flat=False), language)
    return {
        "fields": [field_of(interview, question, problem=problems.get(question.key, "")) for question in interview.visible()],
        "left": [interview.definition.number_of(question.key) for question in interview.unanswered_required()],
        "answers": _answers(definition, interview.answers),
    }


def _answers(definition: QuestionnaireDefinition, answers: Mapping[str, object]) -> list[tuple[int, str, str, str]]:
    """Return what would be kept: (place, question, answer, what it counts as)."""
    rows = []
    for place, question in enumerate(definition.questions, 1):
        if question.key in answers:
            value = answers[question.key]
            counted = score(question, value)
            rows.append((place, question.title.zh, in_words(question, value), "–" if counted is None else f"{counted:g}"))
    return rows


def _kept(definition: QuestionnaireDefinition, fields: Mapping[str, list[str]]) -> dict[str, object]:
    kept: dict[str, object] = {}
    for question in definition.questions:
        taken = take_form(question, fields.get(_CARRIED + question.key, []))
        if isinstance(taken, Accepted):
            kept[question.key] = taken.value
    return kept


def _about(language: str) -> dict[str, Any]:
    settings = current_house().settings
    number = next(iter(settings.hotline_numbers), "")
    heading = _("%(city)s %(number)s 热线评价", city=settings.city_name, number=number)
    return {"heading": heading, "language": language, "is_preview": True, "until": None, "may_opt_out": False, "token": ""}


def _end_words() -> dict[str, str]:
    return {
        "completed": _("全部答完"),
        "partial": _("没有答完，已答的保留"),
        "refused": _("拒绝回答"),
        "skipped": _("没有回答"),
        "started": _("等待回答"),
    }
