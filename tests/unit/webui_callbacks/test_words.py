"""Every reason, way, disposition and hindrance has its word, and no more words than there are things."""

from dataclasses import fields, replace

from flask import Flask
from flask_babel import Babel

from callback.disposition import REPORTED, Disposition
from callback.hindrance import Hindrance
from callback.rule import Reason, Way
from callback.views import AttemptView
from webui import callbacks_words as words


def test_no_word_is_missing() -> None:
    assert set(words.REASONS) == set(Reason)
    assert set(words.WAYS) == set(words.WAY_ICONS) == set(Way)
    assert set(words.DISPOSITIONS) == set(Disposition)
    assert set(words.HINDRANCES) == set(Hindrance)


def test_agents_choose_only_what_agents_may_report() -> None:
    assert set(words.AGENT_DISPOSITIONS) == set(REPORTED) - {Disposition.OPTED_OUT}


def test_a_link_that_was_sent_is_waited_for_and_rings_nobody() -> None:
    attempt = AttemptView(**{each.name: "" for each in fields(AttemptView)} | {"way": Way.SMS, "state": "dialled"})  # type: ignore[arg-type]
    app = Flask(__name__)
    Babel(app, default_locale="zh")
    with app.test_request_context():
        assert words.attempt_tag(attempt).word == "等待作答"
        assert words.attempt_tag(replace(attempt, way=Way.IVR)).word == "呼叫中"
