"""Files stay short, are named for what they hold, and carry nothing that belongs elsewhere."""

import ast
import re
from pathlib import Path

from tests.architecture.source_tree import PROGRAM, files, name_of, python_files, syntax

MOST_LINES = 500
BANNED_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "base", "misc"}
# Outermost loops: one bad event, job, utterance or stream must not end the work for all others.
LOOPS = {
    "callback/dialer.py",
    "core/jobs.py",
    "core/outbox.py",
    "survey/ivr.py",
    "telephony/adapters/ami_client.py",
    "telephony/adapters/whisper_child.py",
    "telephony/bridge.py",
    "telephony/speech/live.py",
    "telephony/speech/live_writer.py",
    "webui/stream_hub.py",
}
# Libraries that raise bare RuntimeError, AssertionError or Exception, turned into one of the five kinds on the spot.
TRANSLATORS = {
    "core/embedded_postgres.py",
    "telephony/adapters/openai_whisper_speech.py",
    "telephony/adapters/whisper_engine.py",
}
TEXT = (
    *(".py", ".sh", ".md", ".toml", ".yaml", ".yml", ".txt", ".conf", ".j2", ".html", ".css", ".js", ".svg", ".po", ".tsv"),
    *(".jsonl", ".service", ".target", ".example", ".mako", "Makefile", "Dockerfile"),
)
# Put together here, so that this file does not hold what it forbids.
MACHINE_PATH = re.compile(r"(?<![\w.$}/-])/(?:" + "|".join(("wo" + "rk", "ro" + "ot", "ho" + "me/[a-z]+")) + r")(?![\w-])")
LEFT_OPEN = re.compile(r"\b(?:" + "|".join(("TO" + "DO", "FIX" + "ME", "HA" + "CK")) + r")\b")


def test_files_are_short() -> None:
    lengths = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in python_files()}
    assert len(lengths) > 100, "the files were not found"
    assert not {name: length for name, length in lengths.items() if length > MOST_LINES}


def test_no_file_is_named_for_nothing() -> None:
    named = [name_of(path) for path in python_files() if path.stem in BANNED_NAMES or path.parent.name in BANNED_NAMES]
    assert not named


def test_texts_carry_no_path_of_a_machine() -> None:
    assert not {name: found for name, text in texts().items() if (found := MACHINE_PATH.findall(text))}


def test_texts_leave_no_work_open() -> None:
    assert not {name: found for name, text in texts().items() if (found := LEFT_OPEN.findall(text))}


def test_the_patterns_find_what_they_forbid() -> None:
    assert MACHINE_PATH.search('folder = "/wo' + 'rk/main"')
    assert MACHINE_PATH.search("cd /ro" + "ot/x")
    assert not MACHINE_PATH.search("ROOT=$TEMP/ro" + "ot/usr and TEMP/wo" + "rk and /wo" + "rkers")
    assert LEFT_OPEN.search("# TO" + "DO: later")


def test_everything_is_caught_only_where_a_loop_must_go_on() -> None:
    """Both ways: a name that no longer needs its place on a list must leave it."""
    assert {name_of(path) for path in python_files(*PROGRAM) if _catches_everything(path)} == LOOPS | TRANSLATORS


def texts() -> dict[str, str]:
    """Return every text of the project by its name."""
    return {name_of(path): path.read_text(encoding="utf-8") for path in files(*TEXT)}


def _catches_everything(path: Path) -> list[int]:
    """Return the lines of handlers that swallow any error; one that ends by raising again swallows nothing."""
    return [
        node.lineno
        for node in ast.walk(syntax(path))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or (isinstance(node.type, ast.Name) and node.type.id in {"Exception", "BaseException"}))
        and not (isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None)
    ]


def test_modules_say_what_they_own() -> None:
    silent = [
        path for path in python_files(*PROGRAM) if path.read_text(encoding="utf-8").strip() and not ast.get_docstring(syntax(path))
    ]
    assert not [name_of(path) for path in silent]
