"""Asterisk's configuration: whole, and closed to values that would end a line."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from core.errors import InvalidInputError
from core.settings import Settings
from telephony.asterisk.render import layout_for, render


def rendered(tmp_path: Path, **changes: Any) -> dict[str, str]:
    settings = Settings(_env_file=None, **{"ami_password": SecretStr("a;b c"), "recordings_dir": tmp_path / "rec", **changes})
    files = render(settings, layout_for(settings, tmp_path / "etc", tmp_path / "state", tmp_path / "runtime"))
    return {path.name: path.read_text() for path in files}


def test_what_a_caller_sends_is_no_argument(tmp_path: Path) -> None:
    """The caller's name and number appear in the dialplan only where they are stored as data."""
    lines = rendered(tmp_path)["extensions.conf"].splitlines()
    uses = [line for line in lines if "CALLERID(" in line]
    assert len(uses) == 3
    assert any("Set(CALLERID(pres)=prohib)" in line for line in uses)
    assert any("Set(DB(tj-call/${UNIQUEID}/arrived)=" in line for line in uses)
    assert not any(word in "\n".join(lines) for word in ("System(", "SHELL(", "TrySystem", "Macro("))


def test_every_queue_and_number_is_there(tmp_path: Path) -> None:
    files = rendered(tmp_path, hotline_numbers={"12345": "consult", "12340": "enterprise", "114": "consult"})
    assert files["queues.conf"].count("strategy = ") == 2
    for number in ("12345", "12340", "114"):
        assert files["extensions.conf"].count(f"exten => {number},1,") == 2


def test_secrets_are_for_the_owner_alone_and_escaped(tmp_path: Path) -> None:
    files = rendered(tmp_path)
    assert "secret = a\\;b c" in files["manager.conf"]
    assert all((tmp_path / "etc" / name).stat().st_mode & 0o077 == 0 for name in files if name != "modules.conf")


@pytest.mark.parametrize(
    "changes",
    [
        {"ami_password": SecretStr("a\nwrite = all")},
        {"ami_username": "x]\n[root"},
        {"node": "node\r1"},
        {"recordings_dir": Path("/tmp/a,b)System(x")},
        {"recordings_dir": Path("/tmp/${SHELL(id)}")},
        {"hotline_numbers": {"12345,1,System(x)": "consult"}},
        {"hotline_numbers": {"12345": "a\nb"}},
        {"agent_numbers": "_8XXX,1,System(x)"},
        {"sip_trunk_match": "127.0.0.1\ntype=endpoint"},
        {"outbound_trunk": "sip:{phone}@host,30,G(evil^s^1)"},
        {"outbound_trunk": "sip:{phone}@${SHELL(id)}"},
        {"outbound_trunk": "sip:{phone}@host\n same => n,System(x)"},
        {"outbound_trunk": "sip:12345@host"},
        {"ami_ivr_password": SecretStr("a\nwrite = all")},
    ],
)
def test_a_value_that_would_be_syntax_is_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError):
        rendered(tmp_path, **changes)


def test_calls_are_placed_only_where_the_site_has_a_trunk(tmp_path: Path) -> None:
    files = rendered(tmp_path, outbound_trunk="sip:{phone}@10.0.0.5:5070;transport=tcp")
    assert files["extensions_outbound.conf"].count("Dial(PJSIP/carrier/sip:${TJ_PHONE}@10.0.0.5:5070\\;transport=tcp,") == 2
    assert "Dial(" not in rendered(tmp_path, outbound_trunk="")["extensions_outbound.conf"]


def test_a_number_reaches_no_argument_unfiltered(tmp_path: Path) -> None:
    """The number to ring passes a filter of digits before anything uses it; nothing here starts a program."""
    text = rendered(tmp_path)["extensions_outbound.conf"]
    for context in ("[outbound]", "[outbound-agent]"):
        first = text.partition(f"{context}\n")[2].splitlines()[0]
        assert first == "exten => _[0-9a-f].,1,Set(__TJ_PHONE=${FILTER(0-9,${TJ_PHONE})})"
    assert not any(word in text for word in ("System(", "SHELL(", "TrySystem", "Macro(", "EVAL("))
    assert text.count("AGI(agi:async)") == text.count("AGI(")


def test_the_question_at_the_end_and_the_key_to_be_rung_back_are_the_sites_choice(tmp_path: Path) -> None:
    off = rendered(tmp_path, after_call_survey=False, queue_callback=False)
    assert "after-call,s,1)" not in off["extensions.conf"]
    assert "context = queue-callback" not in off["queues.conf"]
    on = rendered(tmp_path, after_call_survey=True, queue_callback=True)
    assert "?after-call,s,1)" in on["extensions.conf"]
    assert on["queues.conf"].count("context = queue-callback") == 2


def test_anonymous_callers_only_where_the_site_says_so(tmp_path: Path) -> None:
    assert "[anonymous]" not in rendered(tmp_path)["pjsip.conf"]
    assert "[anonymous]" in rendered(tmp_path, sip_anonymous=True)["pjsip.conf"]
