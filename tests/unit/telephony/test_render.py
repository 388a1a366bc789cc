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
    assert len(uses) == 2
    assert any("Set(CALLERID(pres)=prohib)" in line for line in uses)
    assert any("Set(DB(tj-call/${UNIQUEID}/arrived)=" in line for line in uses)
    assert not any(word in "\n".join(lines) for word in ("System(", "SHELL(", "TrySystem", "AGI(", "Macro("))


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
    ],
)
def test_a_value_that_would_be_syntax_is_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError):
        rendered(tmp_path, **changes)


def test_anonymous_callers_only_where_the_site_says_so(tmp_path: Path) -> None:
    assert "[anonymous]" not in rendered(tmp_path)["pjsip.conf"]
    assert "[anonymous]" in rendered(tmp_path, sip_anonymous=True)["pjsip.conf"]
