"""Whatever the bridge tells of a call has its words on the call's page."""

import re

from core.settings import PROJECT_DIR
from webui.calls_words import EVENTS

# These depend on more than their kind.
_WORDED_APART = {"ended", "queued"}


def test_no_event_is_shown_by_its_key() -> None:
    sources = [path.read_text(encoding="utf-8") for path in (PROJECT_DIR / "telephony").glob("*.py")]
    told = {kind for source in sources for kind in re.findall(r'_tell\(call, fact, "(\w+)"', source)}
    assert {"answered", "placed", "after_call"} <= told
    assert told - _WORDED_APART == set(EVENTS)
