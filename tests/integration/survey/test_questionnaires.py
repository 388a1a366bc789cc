"""Questionnaires in versions: drafts change, launched ones never."""

import threading
import uuid

import pytest

from core.audit import AuditEntry, verify
from core.errors import ConflictError
from survey.events import QuestionnaireLaunched
from survey.service import demonstration
from survey.views import (
    BadQuestionnaireKeyError,
    DraftExistsError,
    NotLaunchableError,
    QuestionnaireKeyTakenError,
    QuestionnaireNotFoundError,
    VersionEditedMeanwhileError,
    VersionFrozenError,
)
from tests.integration.survey.conftest import Base
from tests.unit.survey.made import question, questionnaire, when


def test_a_draft_changes_and_a_launched_version_does_not(base: Base) -> None:
    surveys = base.service
    draft = surveys.create_questionnaire("fang", "case", questionnaire(question("a")))
    saved = surveys.save_draft("fang", draft.version_id, questionnaire(question("a"), question("b")), draft.updated_at)
    assert [one.key for one in saved.definition.questions] == ["a", "b"]
    launched = surveys.launch("fang", draft.version_id)
    assert launched.state == "launched"
    assert surveys.launched_version("case") == draft.version_id
    with pytest.raises(VersionFrozenError):
        surveys.save_draft("fang", draft.version_id, questionnaire(question("z")))
    with pytest.raises(VersionFrozenError):
        surveys.launch("fang", draft.version_id)
    with pytest.raises(VersionFrozenError):
        surveys.discard_draft("fang", draft.version_id)
    assert [one.key for one in surveys.definition(draft.version_id).questions] == ["a", "b"]
    assert base.events(QuestionnaireLaunched) == [QuestionnaireLaunched(version_id=draft.version_id)]
    with base.database.transaction() as session:
        assert verify(session) is None
        assert [row.action for row in session.query(AuditEntry).order_by(AuditEntry.id)] == [
            "questionnaire.created",
            "questionnaire.saved",
            "questionnaire.launched",
        ]


def test_a_new_version_takes_the_place_of_the_old(base: Base) -> None:
    surveys = base.service
    old = base.launched(questionnaire(question("a")), "case")
    draft = surveys.new_version("fang", old)
    assert draft.version_no == 2
    assert draft.definition == surveys.get_version(old).definition
    with pytest.raises(DraftExistsError) as refused:
        surveys.new_version("fang", old)
    assert refused.value.version_id == draft.version_id
    assert surveys.launched_version("case") == old, "a draft is not asked"
    surveys.launch("fang", draft.version_id)
    assert surveys.launched_version("case") == draft.version_id
    assert surveys.get_version(old).state == "retired"
    surveys.retire("fang", draft.version_id)
    assert surveys.launched_version("case") is None


def test_logic_that_never_ends_is_refused(base: Base) -> None:
    circle = questionnaire(question("a", show_if=when("b")), question("b", show_if=when("a")))
    draft = base.service.create_questionnaire("fang", "case", circle)
    with pytest.raises(NotLaunchableError) as refused:
        base.service.launch("fang", draft.version_id)
    assert any("会绕圈" in problem.text for problem in refused.value.problems)
    assert base.service.get_version(draft.version_id).state == "draft", "nothing is lost"
    assert base.events(QuestionnaireLaunched) == []


def test_two_writers_do_not_overwrite_each_other(base: Base) -> None:
    draft = base.service.create_questionnaire("fang", "case", questionnaire(question("a")))
    base.clock.advance(1)
    base.service.save_draft("li", draft.version_id, questionnaire(question("b")), draft.updated_at)
    with pytest.raises(VersionEditedMeanwhileError) as refused:
        base.service.save_draft("fang", draft.version_id, questionnaire(question("c")), draft.updated_at)
    assert refused.value.author == "li"
    assert [one.key for one in base.service.get_version(draft.version_id).definition.questions] == ["b"]


def test_keys_are_unique_and_plain(base: Base) -> None:
    base.service.create_questionnaire("fang", "case", questionnaire(question("a")))
    with pytest.raises(QuestionnaireKeyTakenError):
        base.service.create_questionnaire("fang", "case", questionnaire(question("a")))
    for bad in ("", "Case", "办件", "1a", "a b", "a" * 41, "a"):
        with pytest.raises(BadQuestionnaireKeyError):
            base.service.create_questionnaire("fang", bad, questionnaire(question("a")))
    with pytest.raises(QuestionnaireNotFoundError):
        base.service.get_version(uuid.uuid4())


def test_the_only_draft_takes_its_questionnaire_with_it(base: Base) -> None:
    draft = base.service.create_questionnaire("fang", "case", questionnaire(question("a")))
    base.service.discard_draft("fang", draft.version_id)
    assert base.service.list_questionnaires() == ()


def test_a_version_is_launched_once_however_often_the_button_is_pressed(base: Base) -> None:
    draft = base.service.create_questionnaire("fang", "case", questionnaire(question("a")))
    outcomes: list[object] = []

    def press() -> None:
        try:
            outcomes.append(base.service.launch("fang", draft.version_id))
        except ConflictError as error:
            outcomes.append(error)

    threads = [threading.Thread(target=press) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(outcome, VersionFrozenError) for outcome in outcomes) == 3
    assert len(base.events(QuestionnaireLaunched)) == 1


def test_the_demonstration_is_made_once(base: Base) -> None:
    assert base.service.ensure_demonstration("setup") == 3
    assert base.service.ensure_demonstration("setup") == 0
    version = base.service.after_call_version()
    assert version is not None
    assert base.service.definition(version) == demonstration("after_call")
    assert [one.key for one in base.service.list_questionnaires()] == ["case_service", "call_service", "after_call"]
