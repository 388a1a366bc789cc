"""Who may know whom: the contracts of pyproject.toml, and the rules that import-linter has no words for."""

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

from core.settings import PROJECT_DIR
from tests.architecture.source_tree import PROGRAM, name_of, python_files, reaches, syntax

STAGES = ("core", "telephony", "kb", "workorder", "callback", "survey", "webui")  # left to right
# Decide and compute; whoever calls them does the reading, the waiting and the writing.
PURE = (
    "callback/calling_hours.py",
    "callback/decision.py",
    "callback/disposition.py",
    "callback/due.py",
    "callback/etiquette.py",
    "callback/hindrance.py",
    "callback/line_budget.py",
    "callback/retry.py",
    "callback/rule.py",
    "callback/sampling.py",
    "kb/excerpt.py",
    "kb/pinyin.py",
    "kb/query.py",
    "kb/ranking.py",
    "survey/form_page.py",
    "survey/interview.py",
    "survey/links.py",
    "survey/logic.py",
    "survey/opening.py",
    "survey/schema.py",
    "survey/scoring.py",
    "survey/spoken.py",
    "survey/spoken_answers.py",
    "survey/survey_state.py",
    "telephony/agent_state.py",
    "telephony/ami_facts.py",
    "telephony/ami_protocol.py",
    "telephony/call_state.py",
    "telephony/speech/digit_runs.py",
    "telephony/speech/endpointing.py",
    "telephony/speech/guards.py",
    "telephony/speech/normalization.py",
    "telephony/speech/redaction.py",
    "webui/permissions.py",
    "webui/statistics/charts.py",
    "webui/statistics/intervals.py",
    "webui/statistics/kpi.py",
    "webui/statistics/totals.py",
    "webui/supervisor_rules.py",
    "webui/wallboard/figures.py",
    "webui/wallboard/opinions.py",
    "webui/wallboard/playlist.py",
    "webui/wallboard/webhook_addresses.py",
    "workorder/case_fields.py",
    "workorder/sms_hours.py",
    "workorder/sms_receipt.py",
    "workorder/sms_state.py",
    "workorder/sms_text.py",
)
IMPURE = (
    *("socket", "ssl", "select", "subprocess", "threading", "asyncio", "time", "os", "urllib.request"),
    *("sqlalchemy", "psycopg", "flask", "gunicorn", "httpx", "asterisk", "elasticsearch", "baresip"),
    *("core.database", "core.outbox", "core.jobs", "core.listen", "core.settings"),
)
DRIVERS = (
    "asterisk",
    "baresip",
    "elasticsearch",
    "elastic_transport",
    "faster_whisper",
    "ctranslate2",
    "whisper",
    "onnxruntime",
    "httpx",
    "smpplib",
)
# Reads rows of every stage, to count them, and writes none.
COUNTS_ROWS = {"webui/vitals.py", "webui/wallboard/reads.py"}
# Writes rows of every stage, into an empty database alone: a made-up year is copied faster than services could live it.
FILLS_EMPTY_DATABASES = {"launcher/year/fill.py"}
# Where the machine's own clock may be read; everyone else is given a Clock.
READS_CLOCK = {
    "core/clock.py",  # the Clock itself
    "core/database.py",  # the milliseconds of a UUIDv7
    "telephony/adapters/sip_citizen.py",  # telephones of tests and demonstrations
    "telephony/adapters/sip_listener.py",
    "kb/adapters/elastic_search_index.py",  # the stamp in an index's name
}


def test_import_linter_contracts_are_kept() -> None:
    """In a process of its own: import-linter imports every package and keeps what it finds."""
    program = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    done = subprocess.run([sys.executable, "-c", program], cwd=PROJECT_DIR, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_contracts_name_the_stages_in_order() -> None:
    contracts = tomllib.loads((PROJECT_DIR / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers" and "containers" not in contract)
    assert [layer for layer in layers if layer in STAGES] == list(reversed(STAGES))


def test_pure_modules_only_decide() -> None:
    assert not offences([PROJECT_DIR / name for name in PURE], *IMPURE)


def test_drivers_stay_in_adapters() -> None:
    outside = [path for path in python_files(*STAGES) if "adapters" not in path.parts]
    assert not offences(outside, *DRIVERS)


def test_tables_are_touched_by_their_own_package() -> None:
    found = {}
    for package in PROGRAM:
        foreign = [f"{stage}.models" for stage in STAGES if stage != package]
        found |= offences(
            [path for path in python_files(package) if name_of(path) not in COUNTS_ROWS | FILLS_EMPTY_DATABASES], *foreign
        )
    assert not found


def test_who_counts_rows_writes_none() -> None:
    for path in (PROJECT_DIR / name for name in COUNTS_ROWS):
        called = {node.func.attr for node in calls_of_methods(path)}
        assert not called & {"add", "add_all", "merge"}
        assert not reaches(path, "sqlalchemy.insert", "sqlalchemy.update", "sqlalchemy.delete", "sqlalchemy.dialects")


def test_time_comes_from_the_clock() -> None:
    read = {
        (name_of(path), f"{node.func.value.id}.{node.func.attr}")
        for path in python_files(*STAGES)
        for node in calls_of_methods(path)
        if isinstance(node.func.value, ast.Name)
    }
    clocks = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns"}
    assert {name for name, call in read if call in clocks} == READS_CLOCK


def test_nothing_that_serves_knows_who_starts_it() -> None:
    assert not offences(python_files(*STAGES), "launcher", "commands", "manage", "bootstrap", "tests", "bench", "deploy")


def test_every_exception_to_a_rule_still_exists() -> None:
    for name in (*PURE, *COUNTS_ROWS):
        assert (PROJECT_DIR / name).is_file(), f"{name} is gone: take it off the list"


def offences(paths: Iterable[Path], *modules: str) -> dict[str, set[str]]:
    """Return which of some modules each file imports, for the files that import any."""
    return {name_of(path): found for path in paths if (found := reaches(path, *modules))}


def calls_of_methods(path: Path) -> Iterator[ast.Call]:
    """Yield the calls of the form `a.b(…)`."""
    yield from (node for node in ast.walk(syntax(path)) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute))
