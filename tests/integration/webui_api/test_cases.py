"""Approval cases over the API: idempotent, each row with its own fate, masked when read."""

import uuid
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from tests.integration.webui_api.conftest import Client

As = Callable[[str], Client]
BODY: dict[str, Any] = {"matter": "居住证申领", "unit": "市公安局", "phone": "138 0013 8000", "applicant": "张三"}


@pytest.fixture
def system(client_as: As) -> Client:
    return client_as("supervisor")


def number() -> str:
    return f"YC-{uuid.uuid4().hex[:12]}"


def post(client: Client, path: str, body: Any) -> Any:
    return client.ask("POST", path, json=body)


def test_the_same_case_again_is_the_same_case(system: Client) -> None:
    body = BODY | {"number": number()}
    made = post(system, "/cases", body)
    assert made.status_code == 201
    case_id = made.get_json()["case_id"]
    assert made.headers["Location"] == f"/api/v1/cases/{case_id}"
    again = post(system, "/cases", body)
    assert (again.status_code, again.get_json()) == (200, {"case_id": case_id, "number": body["number"], "change": "unchanged"})
    closed = post(system, "/cases", body | {"closed_at": "2026-03-17T10:00:00+08:00"})
    assert closed.get_json()["change"] == "changed"
    told = system.get(f"/cases/{case_id}").get_json()
    assert told["closed_at"] == "2026-03-17T02:00:00Z"
    assert told["phone"] == "138****8000"
    assert told["source"].startswith("api:")


def test_a_wrong_case_is_told_field_by_field_and_not_kept(system: Client) -> None:
    one = number()
    answer = post(system, "/cases", BODY | {"number": one, "phone": "1380013800", "closed_at": "明天"})
    assert answer.status_code == 400
    assert {field["field"] for field in answer.get_json()["error"]["fields"]} == {"phone", "closed_at"}
    assert "1380013800" not in answer.get_data(as_text=True)
    assert system.get("/cases", number=one).get_json()["total"] == 0
    assert post(system, "/cases", BODY | {"number": one, "colour": "red"}).status_code == 400
    assert post(system, "/cases", [BODY]).status_code == 400


def test_a_batch_tells_what_became_of_each(system: Client) -> None:
    first, second = number(), number()
    items = [
        BODY | {"number": first, "closed_at": "2026-03-17"},
        BODY | {"number": "=1+1"},
        BODY | {"number": first, "closed_at": "2026-03-17"},
        {"number": second},
        {},
        BODY | {"number": second, "matter": ["不是文字"], "x" * 300: 1},
        BODY | {"number": second, "region": None},
    ]
    report = post(system, "/cases/batch", {"items": items}).get_json()
    assert [row["change"] for row in report["items"]] == [
        *("created", "refused", "unchanged", "refused", "refused", "refused", "created")
    ]
    assert {name: report[name] for name in ("created", "changed", "unchanged", "refused")} == {
        "created": 2,
        "changed": 0,
        "unchanged": 1,
        "refused": 4,
    }
    assert [row["index"] for row in report["items"]] == list(range(7))
    assert {field["field"] for field in report["items"][3]["fields"]} == {"matter", "unit", "phone"}
    assert report["items"][0]["case_id"] == report["items"][2]["case_id"]


@pytest.mark.parametrize("body", [{"items": []}, {"items": "x"}, {"items": [1]}, {}, {"items": [{}] * 501}, None])
def test_a_batch_that_is_none_is_refused_whole(system: Client, body: Any) -> None:
    assert post(system, "/cases/batch", body).status_code == 400


def test_lists_by_filters(system: Client, house: SimpleNamespace) -> None:
    unit = f"市局{uuid.uuid4().hex[:6]}"
    open_one, closed_one = number(), number()
    house.workorder.save_case(BODY | {"number": open_one, "unit": unit}, "api:test")
    house.workorder.save_case(
        BODY | {"number": closed_one, "unit": unit, "closed_at": "2026-03-17", "phone": "13900139000"}, "api:t"
    )

    def numbers(**query: Any) -> list[str]:
        return [item["number"] for item in system.get("/cases", unit=unit, **query).get_json()["items"]]

    assert numbers() == [open_one, closed_one]
    assert numbers(state="closed") == [closed_one]
    assert numbers(phone_tail="9000") == [closed_one]
    assert numbers(closed_since="2026-03-17", closed_until="2026-03-17") == [closed_one]
    assert numbers(closed_since="2026-03-18") == []
    assert numbers(q=open_one) == [open_one]
    assert numbers(page=2) == []


def test_a_confidential_case_shows_nobody(system: Client, house: SimpleNamespace) -> None:
    case_id, _ = house.workorder.save_case(BODY | {"number": number(), "is_confidential": True}, "api:test")
    told = system.get(f"/cases/{case_id}").get_json()
    assert (told["phone"], told["applicant"]) == ("", "")


def test_who_may(client_as: As) -> None:
    assert post(client_as("manager"), "/cases", BODY | {"number": number()}).status_code == 403
    assert client_as("manager").get("/cases").status_code == 200
    assert client_as("agent").get("/cases").status_code == 403
    assert client_as("supervisor").get(f"/cases/{uuid.uuid4()}").status_code == 404
