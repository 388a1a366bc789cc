"""A rule's form: what is read of it, what is wrong with it by field, and that a kept rule comes back as it was."""

from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import date, time

import pytest
from flask import Flask
from flask_babel import Babel

from callback.demonstration import RULES
from callback.rule import OnDate, Reason, RuleDefinition, StrataSampled, Way, Who
from webui.callback_rule_form import RuleForm, form_of, read, sent


@pytest.fixture(autouse=True)
def _language() -> Iterator[None]:
    app = Flask(__name__)
    Babel(app, default_locale="zh")
    with app.test_request_context():
        yield


STRATA = RuleDefinition(
    title="分层抽样",
    reason=Reason.CASE_CLOSED,
    who=Who(units=["市人社局", "市公安局"], with_confidential=True),
    when=OnDate(date=date(2026, 3, 20), at=time(10, 30)),
    ways=[Way.SMS, Way.AGENT],
    questionnaire="case_service",
    sampling=StrataSampled(by="unit", shares={"市人社局": 0.2, "a=b": 0.125}, other=0.05, seed="s"),
    priority=33,
    promised_working_days=0,
)
BLANK = RuleForm(key="k", title="试验", questionnaire="case_service")


@pytest.mark.parametrize("definition", [*RULES.values(), STRATA], ids=lambda one: str(one.title))
def test_a_kept_rule_comes_back_as_it_was(definition: RuleDefinition) -> None:
    form = form_of("k", definition)
    again = sent(
        {**{k: str(v) for k, v in asdict(form).items() if k != "ways"}, "with_confidential": "1" if form.with_confidential else ""},
        form.ways,
    )
    assert read(again) == (definition, {})


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": "x" * 101}, "title"),
        ({"reason": "nonsense"}, "reason"),
        ({"when": "sometimes"}, "when"),
        ({"at": "25:00"}, "at"),
        ({"when": "on_day", "working_days": "many"}, "working_days"),
        ({"when": "on_date", "date": ""}, "date"),
        ({"ways": ["agent", "agent", ""]}, "ways"),
        ({"ways": ["fax", "", ""]}, "ways"),
        ({"ways": ["", "", ""]}, "ways"),
        ({"ways": ["sms", "", ""], "questionnaire": ""}, "questionnaire"),
        ({"ask_every_days": "-1"}, "ask_every_days"),
        ({"ask_every_days": "abc"}, "ask_every_days"),
        ({"reason": "missed_call", "ask_every_days": "7"}, "ask_every_days"),
        ({"sampling": "share", "share": "0"}, "share"),
        ({"sampling": "share", "share": "101"}, "share"),
        ({"sampling": "share", "share": "ten"}, "share"),
        ({"sampling": "strata", "shares": ""}, "shares"),
        ({"sampling": "strata", "shares": "市人社局=两成"}, "shares"),
        ({"sampling": "dice"}, "sampling"),
        ({"reason": "missed_call", "sampling": "share", "share": "10"}, "sampling"),
        ({"priority": "100"}, "priority"),
        ({"expires_after_days": ""}, "expires_after_days"),
        ({"sms_wait_days": "0"}, "sms_wait_days"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(changes: dict[str, object], field: str) -> None:
    definition, errors = read(replace(BLANK, **changes))  # type: ignore[arg-type]
    assert definition is None
    assert list(errors) == [field]
    assert all(words and words.isascii() is False for words in errors.values())


def test_lists_take_lines_and_commas() -> None:
    definition, _ = read(replace(BLANK, units="市人社局、市公安局，\n 市人社局 \n城管局,", share="20％"))
    assert definition is not None
    assert definition.who.units == ["市人社局", "市公安局", "城管局"]
