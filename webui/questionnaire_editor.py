"""The editor of a questionnaire's version: its questions one at a time, its own words, and the preview beside them."""

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from pydantic import ValidationError
from werkzeug.datastructures import MultiDict

from core.errors import NotFoundError, TingjianError
from survey.interview import Interview
from survey.logic import LONGEST_TITLE, MOST_KEYS, check
from survey.schema import MOST_QUESTIONS, Question, QuestionKind, QuestionnaireDefinition, choices
from survey.spoken import spoken_closing, spoken_opening, spoken_question
from survey.views import VersionEditedMeanwhileError, VersionView
from webui import question_fields
from webui.errors import message
from webui.house import current_house
from webui.permissions import Permission, requires
from webui.person import actor, current_person
from webui.question_fields import condition_choices, condition_value, condition_words, field_errors, kind_names, role_names, role_of
from webui.questionnaires import state_words
from webui.statistics.desk import surveys_by_version
from webui.survey_sheet import field_of

blueprint = Blueprint("questionnaire_editor", __name__, url_prefix="/questionnaires")
_VIEWS = ("web", "ivr", "agent")
_SECONDS = {"text": 25, "multiple": 16}
_SECONDS_OTHERWISE = 11


@blueprint.get("/<uuid:version_id>")
@requires(Permission.READ_QUESTIONNAIRES)
def edit(version_id: uuid.UUID) -> Any:
    """Show a version: a draft to who may write it as forms, all else to read."""
    return _page(current_house().survey.get_version(version_id))


@blueprint.post("/<uuid:version_id>/settings")
@requires(Permission.EDIT_QUESTIONNAIRES)
def save_settings(version_id: uuid.UUID) -> Any:
    """Keep the questionnaire's own words and limits."""
    version = current_house().survey.get_version(version_id)
    typed = question_fields.read_settings(request.form, version.definition)
    try:
        definition = QuestionnaireDefinition.model_validate(typed)
    except ValidationError as error:
        return _page(version, typed=request.form, errors=field_errors(error)), 400
    return _save(version, definition, "settings")


@blueprint.post("/<uuid:version_id>/questions")
@requires(Permission.EDIT_QUESTIONNAIRES)
def add(version_id: uuid.UUID) -> Any:
    """Put an empty question at the end."""
    version = current_house().survey.get_version(version_id)
    kind = request.form.get("kind", "")
    if kind not in set(QuestionKind):
        raise NotFoundError(kind)
    questions = [*version.definition.questions, question_fields.new_question(version.definition, kind)]
    if len(questions) > MOST_QUESTIONS:
        flash(_("最多 %(count)s 题。问得越多，答完的人越少。", count=MOST_QUESTIONS), "bad")
        return redirect(_address(version_id, str(MOST_QUESTIONS)))
    return _save(version, _with(version, questions), str(len(questions)))


@blueprint.post("/<uuid:version_id>/questions/<int:place>")
@requires(Permission.EDIT_QUESTIONNAIRES)
def save_question(version_id: uuid.UUID, place: int) -> Any:
    """Keep one question."""
    version = current_house().survey.get_version(version_id)
    old = _question(version, place)
    try:
        made = Question.model_validate(question_fields.read_question(request.form, old, version.definition))
    except ValidationError as error:
        return _page(version, str(place), typed=request.form, errors=field_errors(error)), 400
    other = version.definition.number_of(made.key)
    if made.key != old.key and other:
        words = _("第 %(place)s 题已经计入%(measure)s，一份问卷只能有一题。", place=other, measure=role_names()[made.key])
        return _page(version, str(place), typed=request.form, errors={"role": words}), 400
    return _save(version, _with(version, question_fields.replaced(version.definition, place, made)), str(place))


@blueprint.post("/<uuid:version_id>/questions/<int:place>/<any(up, down, copy, delete):act>")
@requires(Permission.EDIT_QUESTIONNAIRES)
def rearrange(version_id: uuid.UUID, place: int, act: str) -> Any:
    """Move a question, copy it, or take it away."""
    version = current_house().survey.get_version(version_id)
    question = _question(version, place)
    questions, at = list(version.definition.questions), place - 1
    match act:
        case "up" | "down":
            other = at - 1 if act == "up" else at + 1
            if 0 <= other < len(questions):
                questions[at], questions[other] = questions[other], questions[at]
                at = other
        case "copy" if len(questions) < MOST_QUESTIONS:
            key = question_fields.free_key(version.definition, question.key)
            questions.insert(at + 1, question.model_copy(update={"key": key}))
            at += 1
        case "delete":
            questions.pop(at)
            at = min(at, len(questions) - 1)
    return _save(version, _with(version, questions), str(at + 1) if questions else "settings")


def _save(version: VersionView, definition: QuestionnaireDefinition, shown: str) -> Any:
    try:
        current_house().survey.save_draft(actor(), version.version_id, definition, _seen())
    except TingjianError as error:
        if isinstance(error, VersionEditedMeanwhileError) and "kind" in request.form:
            return _page(version, shown, typed=request.form, errors={"": message(error)}), error.status
        flash(message(error), "bad")
        return redirect(_address(version.version_id, shown))
    flash(_("已保存"), "ok")
    return redirect(_address(version.version_id, shown))


def _seen() -> datetime | None:
    try:
        return datetime.fromisoformat(request.form["seen"])
    except (KeyError, ValueError):
        return None


def _question(version: VersionView, place: int) -> Question:
    if not 1 <= place <= len(version.definition.questions):
        raise NotFoundError(str(place))
    return version.definition.questions[place - 1]


def _with(version: VersionView, questions: list[Question]) -> QuestionnaireDefinition:
    return version.definition.model_copy(update={"questions": tuple(questions)})


def _address(version_id: uuid.UUID, shown: str) -> str:
    return url_for("questionnaire_editor.edit", version_id=version_id, q=shown)


def _page(
    version: VersionView,
    shown: str | None = None,
    typed: MultiDict[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
) -> str:
    definition, survey = version.definition, current_house().survey
    shown = (
        shown or (request.args.get("q") if request.method == "GET" else "settings") or ("1" if definition.questions else "settings")
    )
    place = int(shown) if shown.isdecimal() and 1 <= int(shown) <= len(definition.questions) else 0
    question = definition.questions[place - 1] if place else None
    versions = next((one.versions for one in survey.list_questionnaires() if one.questionnaire_id == version.questionnaire_id), ())
    view = request.args.get("view", "web")
    words: Callable[..., str] = lambda condition: condition_words(definition, condition)  # noqa: E731
    return render_template(
        "questionnaires/edit.html",
        version=version,
        versions=versions,
        surveys=surveys_by_version(),
        launched=next((other for other in versions if other.state == "launched"), None),
        definition=definition,
        may_edit=version.is_draft and current_person().may(Permission.EDIT_QUESTIONNAIRES),
        may_manage=current_person().may(Permission.EDIT_QUESTIONNAIRES),
        problems=check(definition),
        seconds=sum(_SECONDS.get(one.kind, _SECONDS_OTHERWISE) for one in definition.questions),
        place=place,
        question=_shown_question(definition, question, typed) if question else None,
        saved=question,
        conditions=condition_choices(definition, place) if place else [],
        chosen=[condition_value(one) for one in question.show_if] if question else [],
        words=words,
        settings=question_fields.quota_rows(definition),
        typed=typed,
        errors=errors or {},
        kinds=kind_names(),
        roles=role_names(),
        states=state_words(),
        view=view if view in _VIEWS else "web",
        spoken=_spoken(definition),
        agent_field=field_of(Interview(definition), question) if question else None,
        longest_title=LONGEST_TITLE,
        most_keys=MOST_KEYS,
        spare=question_fields.SPARE_ROWS,
    )


def _shown_question(definition: QuestionnaireDefinition, question: Question, typed: MultiDict[str, str] | None) -> dict[str, Any]:
    """Return the question as the form shows it: as typed when that was refused."""
    made: dict[str, Any] = {**question.model_dump(mode="json"), "role": role_of(question)}
    if typed is not None and "kind" in typed:
        made |= {**question_fields.read_question(typed, question, definition), "role": typed.get("role", made["role"])}
    labels = choices(question) if question.kind is QuestionKind.YES_NO else []
    made["yes_no"] = dict(labels)
    return made


def _spoken(definition: QuestionnaireDefinition) -> list[tuple[int, str]]:
    lines = [(0, spoken_opening(definition))] if definition.opening_speech else []
    lines += [(place, spoken_question(question)) for place, question in enumerate(definition.questions, 1)]
    return [*lines, (0, spoken_closing(definition))]
