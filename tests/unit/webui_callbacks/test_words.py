"""Every reason, way, disposition and hindrance has its word, and no more words than there are things."""

from callback.disposition import REPORTED, Disposition
from callback.hindrance import Hindrance
from callback.rule import Reason, Way
from webui import callbacks_words as words


def test_no_word_is_missing() -> None:
    assert set(words.REASONS) == set(Reason)
    assert set(words.WAYS) == set(words.WAY_ICONS) == set(Way)
    assert set(words.DISPOSITIONS) == set(Disposition)
    assert set(words.HINDRANCES) == set(Hindrance)


def test_agents_choose_only_what_agents_may_report() -> None:
    assert set(words.AGENT_DISPOSITIONS) == set(REPORTED) - {Disposition.OPTED_OUT}
