"""What is written about the program is true of it: settings, events, terms, commands."""

import ast
import importlib
import re
from enum import StrEnum
from pathlib import Path

import click
import pytest

import manage
import webui.models  # noqa: F401 - every stage's tables are below it
from core.database import Base
from core.outbox import Event
from core.settings import PROJECT_DIR, Settings
from tests.architecture.source_tree import PROGRAM, files, name_of, python_files, syntax

READMES = ("README.md", "README.zh.md")
# Read by compose alone, to make DATABASE_URL and the database server's own password.
COMPOSE_ONLY = {"POSTGRES_PASSWORD"}


def text_of(name: str) -> str:
    return (PROJECT_DIR / name).read_text(encoding="utf-8")


def rows(name: str, header: str) -> list[list[str]]:
    """Return the cells of a page's table that begins with a header."""
    lines = text_of(name).splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"| {header} |"))
    table = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        table.append([cell.strip() for cell in line.strip("|").split("|")])
    return table


def words_in_code(text: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", text))


# --- settings


def example_settings() -> dict[str, str]:
    """Return every setting of .env.example with its value."""
    return dict(re.findall(r"^#?([A-Z][A-Z0-9_]+)=(.*)$", text_of(".env.example"), re.M))


def test_every_setting_is_in_the_example_and_no_other() -> None:
    assert set(example_settings()) == {name.upper() for name in Settings.model_fields}


def test_every_setting_has_a_comment() -> None:
    """One comment may stand for the settings that follow it without a gap; a heading says nothing about any of them."""
    said, silent = False, []
    for line in text_of(".env.example").splitlines():
        if match := re.match(r"#?([A-Z][A-Z0-9_]+)=", line):
            silent += [] if said else [match[1]]
        else:
            said = line.startswith("# ") and not line.startswith("# ---")
    assert not silent


def test_example_shows_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    default = Settings(_env_file=None)
    shown = {name: value for name, value in example_settings().items() if value}
    for name, value in shown.items():
        monkeypatch.setenv(name, value)
    example = Settings(_env_file=None)
    relative = {"endpoints_file"}
    for name in {name.lower() for name in shown} - relative:
        assert getattr(example, name) == getattr(default, name), name
    assert len(shown) > 40


def test_production_example_knows_only_settings() -> None:
    named = set(re.findall(r"^#?([A-Z][A-Z0-9_]+)=", text_of("deploy/tingjian.env.example"), re.M))
    assert named - COMPOSE_ONLY <= {name.upper() for name in Settings.model_fields}
    assert {"SECRET_KEY", "AMI_PASSWORD", "SECURE_COOKIES", "SPEECH_MODEL", *COMPOSE_ONLY} <= named


# --- events


def events() -> dict[str, type[Event]]:
    return {name: event for name, event in Event.registry.items() if event.__module__.partition(".")[0] in PROGRAM}


def test_every_event_is_in_the_plan_and_no_other() -> None:
    assert {row[0].strip("`") for row in rows("ARCHITECTURE.md", "Event")} == set(events())


def test_plan_knows_publisher_payload_and_handlers_of_events() -> None:
    handlers = handlers_by_event()
    for name, publisher, payload, handled_by in rows("ARCHITECTURE.md", "Event"):
        event = events()[name.strip("`")]
        assert publisher.partition(",")[0] == event.__module__.partition(".")[0], name
        assert words_in_code(payload) == set(event.model_fields) - {"call_id"}, name
        assert {part.strip() for part in handled_by.split(",")} - {"–"} == handlers.get(event.__name__, set()), name


def handlers_by_event() -> dict[str, set[str]]:
    """Return which stages have a handler `on_<event>` for an event, by its class name."""
    found: dict[str, set[str]] = {}
    for path in python_files(*PROGRAM):
        if path.name != "handlers.py":
            continue
        for node in ast.walk(syntax(path)):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("on_"):
                event = node.name.removeprefix("on_").title().replace("_", "")
                found.setdefault(event, set()).add(path.parent.name)
    return found


def test_every_event_is_published_by_its_own_stage() -> None:
    """An event that nobody makes, or that a stranger makes, is a lie in the plan."""
    made: dict[str, set[str]] = {}
    for path in python_files(*PROGRAM):
        for node in ast.walk(syntax(path)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in events():
                made.setdefault(node.func.id, set()).add(name_of(path).partition("/")[0])
    assert made == {name: {event.__module__.partition(".")[0]} for name, event in events().items()}


# --- terms


def glossary() -> dict[str, str]:
    return {
        re.sub(r"[`*]|\(later\)", "", term).strip(): f"{chinese} {meaning}"
        for term, chinese, meaning in rows("GLOSSARY.md", "Term")
    }


def test_glossary_is_in_order_and_whole() -> None:
    terms = [row[0].replace("`", "").replace(" *(later)*", "").lower() for row in rows("GLOSSARY.md", "Term")]
    assert terms == sorted(terms)
    assert len(terms) == len(set(terms))
    assert all(re.search(r"[\u4e00-\u9fff]|VAD", row[1]) and row[2] for row in rows("GLOSSARY.md", "Term"))


def test_every_table_is_in_the_glossary() -> None:
    assert {mapper.class_.__name__ for mapper in Base.registry.mappers} - set(glossary()) == set()


def test_every_enumeration_is_in_the_glossary_with_its_values() -> None:
    known = glossary()
    for enumeration in enumerations():
        assert enumeration.__name__ in known, enumeration
        assert {member.value for member in enumeration} <= words_in_code(known[enumeration.__name__]), enumeration


def enumerations() -> list[type[StrEnum]]:
    """Return every StrEnum of the program, wherever it stands."""
    found = []
    for path in python_files(*PROGRAM):
        for node in syntax(path).body:
            if isinstance(node, ast.ClassDef) and any(isinstance(base, ast.Name) and base.id == "StrEnum" for base in node.bases):
                module = importlib.import_module(name_of(path).removesuffix(".py").replace("/", "."))
                found.append(getattr(module, node.name))
    assert found
    return found


def test_every_port_is_in_the_glossary() -> None:
    ports = {
        node.name
        for path in python_files("telephony", "kb", "workorder", "callback", "survey")
        if path.name == "ports.py"
        for node in syntax(path).body
        if isinstance(node, ast.ClassDef) and any(isinstance(base, ast.Name) and base.id == "Protocol" for base in node.bases)
    }
    assert ports >= {"Switch", "SpeechToText", "SearchIndex"}
    assert ports <= set(glossary())


# --- commands and links


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z][a-z0-9-]*):", text_of("Makefile"), re.M))


def commands() -> dict[str, click.Command]:
    """Return every command of manage.py by the words that call it."""

    def below(group: click.Group, words: str) -> dict[str, click.Command]:
        found: dict[str, click.Command] = {}
        for name, command in group.commands.items():
            path = f"{words} {name}".strip()
            found |= below(command, path) if isinstance(command, click.Group) else {path: command}
        return found

    return below(manage.cli, "")


def written_commands(name: str) -> list[list[str]]:
    """Return the words of every `manage.py …` that a page shows, in a line of code or between backticks."""
    shown = re.findall(r"(?:^|`)(?:[\w./]*python )?manage\.py ([^`#\n]+)", text_of(name), re.M)
    return [words.split() for words in shown]


def started_commands() -> dict[str, str]:
    """Return the command that each unit of systemd and each service of compose starts, by where it stands."""
    units = {name_of(path): re.findall(r"manage\.py (.+)", path.read_text(encoding="utf-8")) for path in files(".service")}
    found = {name: commands[0] for name, commands in units.items() if commands}
    services = re.findall(r"^  ([a-z]+):\n    <<: \*program\n    command: \[(.+)\]$", text_of("deploy/compose.yaml"), re.M)
    return found | {f"compose {name}": words.replace(",", "") for name, words in services}


def test_units_and_containers_start_what_exists() -> None:
    started = started_commands()
    assert set(started.values()) == {"web", "bridge", "ivr", "dispatcher", "dialer", "worker", "db upgrade"}
    assert len(started) == 14
    assert set(started.values()) <= set(commands())


@pytest.mark.parametrize("name", READMES)
def test_make_targets_of_the_readme_exist(name: str) -> None:
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", text_of(name), re.M))
    assert named >= {"run", "test", "call", "bench"}
    assert named <= make_targets()


@pytest.mark.parametrize("name", [*READMES, "docs/api.md", "ARCHITECTURE.md"])
def test_written_commands_exist_with_their_options(name: str) -> None:
    known = commands()
    for words in written_commands(name):
        command = known.get(words[0]) or known.get(" ".join(words[:2]))
        is_group_alone = len(words) == 1 and any(path.startswith(words[0] + " ") for path in known)
        assert command or is_group_alone, words
        if command:
            options = {option for parameter in command.params for option in parameter.opts}
            used = {word.strip("[]") for word in words if word.strip("[]").startswith("--")}
            assert used <= options, words


@pytest.mark.parametrize("name", READMES)
def test_readme_names_every_command(name: str) -> None:
    written = [" ".join(words) for words in written_commands(name)]
    assert not [path for path in commands() if not any(text == path or text.startswith(f"{path} ") for text in written)]


def test_readmes_show_the_same_commands() -> None:
    english, chinese = ({" ".join(words[:2]) for words in written_commands(name)} for name in READMES)
    assert english == chinese


@pytest.mark.parametrize("path", list(files(".md")), ids=name_of)
def test_links_within_the_project_lead_somewhere(path: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", path.read_text(encoding="utf-8"))
    assert not [target for target in targets if not (path.parent / target).exists()]
