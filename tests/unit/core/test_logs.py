"""What a log line may hold."""

import json
import subprocess
import sys

import pytest

from core.settings import PROJECT_DIR

_FAILING = """
import sys
import structlog
from core.logs import configure_logging

def answer(spoken):
    raise ValueError("no answer")

configure_logging("test", as_json=sys.argv[1] == "json")
try:
    answer("138" + "00138000")
except ValueError:
    structlog.get_logger().exception("work_failed")
"""


@pytest.mark.parametrize("form", ["json", "plain"])
def test_a_failure_tells_where_and_not_what_was_said(form: str) -> None:
    line = subprocess.run(
        [sys.executable, "-c", _FAILING, form], cwd=PROJECT_DIR, capture_output=True, text=True, check=True
    ).stderr
    assert "no answer" in line
    assert "answer" in (json.loads(line)["exception"][0]["frames"][-1]["name"] if form == "json" else line)
    assert "13800138000" not in line
