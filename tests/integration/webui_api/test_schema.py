"""Whatever a program may send: the answers are those that the document promises, and never a 500."""

import uuid
from collections.abc import Callable

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS

from tests.integration.webui_api.conftest import Client

As = Callable[[str], Client]
# With which role, and whether all that fits the document must be accepted. The rest may rightly be refused: words that say
# too little, a state that does not allow it.
OPERATIONS = {
    ("GET", "/calls"): ("supervisor", True),
    ("GET", "/calls/{call_id}"): ("supervisor", True),
    ("GET", "/agents"): ("supervisor", True),
    ("GET", "/agents/{number}"): ("supervisor", True),
    ("PUT", "/agents/{number}/state"): ("supervisor", False),
    ("GET", "/queues"): ("supervisor", True),
    ("GET", "/articles"): ("kb_editor", True),
    ("GET", "/articles/{article_id}"): ("kb_editor", True),
    ("POST", "/articles"): ("kb_editor", False),
    ("POST", "/articles/{article_id}/revisions"): ("kb_editor", False),
    ("POST", "/articles/{article_id}/publish"): ("kb_editor", False),
    ("POST", "/articles/{article_id}/retire"): ("kb_editor", True),
    ("GET", "/search"): ("kb_editor", True),
    ("POST", "/suggest"): ("kb_editor", True),
    ("POST", "/suggestions/{suggestion_id}/adoption"): ("supervisor", True),
    ("POST", "/suggestions/{suggestion_id}/ignoring"): ("supervisor", True),
    ("POST", "/suggestions/{suggestion_id}/wrong"): ("supervisor", False),
    ("DELETE", "/suggestions/{suggestion_id}/judgement"): ("supervisor", True),
    ("GET", "/cases"): ("supervisor", True),
    ("GET", "/cases/{case_id}"): ("supervisor", True),
    ("POST", "/cases"): ("supervisor", False),
    ("POST", "/cases/batch"): ("supervisor", True),
    ("GET", "/questionnaires"): ("manager", True),
    ("GET", "/surveys"): ("manager", True),
    ("POST", "/surveys/{survey_id}/withdrawal"): ("manager", False),
    ("GET", "/wallboard"): ("manager", True),
}
_EXAMPLES = 15
_FEW = 6  # an article's words take long to make up


def schema_of(app: Flask) -> schemathesis.BaseSchema:
    return schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)


def test_every_operation_is_tried(app: Flask) -> None:
    document = app.test_client().get("/api/v1/openapi.json").get_json()
    told = {(method.upper(), path.removeprefix("/api/v1")) for path, item in document["paths"].items() for method in item}
    assert told == set(OPERATIONS)


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize(("method", "path"), list(OPERATIONS))
def test_the_document_is_kept(app: Flask, client_as: As, call_id: uuid.UUID, method: str, path: str, mode: GenerationMode) -> None:
    role, accepts_all = OPERATIONS[method, path]
    client = client_as(role)
    operation = schema_of(app)[f"/api/v1{path}"][method]
    excused = [] if accepts_all else CHECKS.get_by_names(["positive_data_acceptance"])
    cases = operation.as_strategy(generation_mode=mode)

    # The known call is met sometimes, not only ids that name nothing.
    @settings(
        max_examples=_FEW if method == "POST" and path.startswith("/articles") else _EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases, is_known=st.booleans())
    def keeps_the_document(case: Case, is_known: bool) -> None:
        if is_known and mode is GenerationMode.POSITIVE and "call_id" in case.path_parameters:
            case.path_parameters["call_id"] = str(call_id)
        if is_known and mode is GenerationMode.POSITIVE and "number" in case.path_parameters:
            case.path_parameters["number"] = "8001"
        case.call_and_validate(headers={"Authorization": f"Bearer {client.token}"}, excluded_checks=excused)

    keeps_the_document()
