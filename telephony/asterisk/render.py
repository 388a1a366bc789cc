"""Renders Asterisk's configuration from the settings. Everything that enters a file is checked for what would end its line."""

import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2

from core.errors import InvalidInputError
from core.settings import Settings
from telephony.ami_facts import WANTED_EVENTS

FOLDER = Path(__file__).parent
PROMPTS = FOLDER / "sounds" / "zh"
_EXTENSION = re.compile(r"^_?[0-9XZN.!*#\[\]-]+$")
_TRUNK = re.compile(r"^sips?:\{phone\}@[A-Za-z0-9.\-]+(:[0-9]{1,5})?(;transport=(udp|tcp|tls))?$")
IVR_AWAY_SECONDS = 30
"""How long the ivr process may be silent before nobody is passed on to it any more."""
_UNSAFE_ARGUMENT = re.compile(r"[,()\[\]{}$\"\\;|&^\x00-\x1f\x7f]")


class BadConfigurationValueError(InvalidInputError):
    """A setting cannot stand in Asterisk's files."""

    def __init__(self, value: str) -> None:
        super().__init__(f"{value!r} cannot be written to Asterisk's configuration")
        self.value = value


@dataclass(frozen=True)
class Layout:
    """Where one Asterisk has its things. `runtime` is what install_asterisk.sh printed, or a folder with modules and data."""

    conf_dir: Path
    state_dir: Path
    module_dir: Path
    data_dir: Path
    recordings_dir: Path
    queues: tuple[str, ...]
    trunk_match: tuple[str, ...]
    provision_password: str = field(repr=False)
    ivr_password: str = field(repr=False)
    prompt_dir: Path = PROMPTS
    music_dir: Path = FOLDER / "moh"
    wanted_events: tuple[str, ...] = WANTED_EVENTS

    def prompt(self, name: str) -> str:
        """Return a prompt as Playback wants it, without its ending."""
        return str(self.prompt_dir / name)


def layout_for(settings: Settings, conf_dir: Path, state_dir: Path, runtime: Path) -> Layout:
    """Return the layout that the settings and a runtime folder give."""
    return Layout(
        conf_dir=conf_dir,
        state_dir=state_dir,
        module_dir=runtime / "modules",
        data_dir=runtime / "data",
        recordings_dir=settings.recordings,
        queues=tuple(settings.queues),
        trunk_match=tuple(part.strip() for part in settings.sip_trunk_match.split(",") if part.strip()),
        provision_password=settings.ami_provision_secret,
        ivr_password=settings.ami_ivr_secret,
    )


def render(settings: Settings, layout: Layout) -> list[Path]:
    """Write every file of Asterisk's configuration, readable by its owner alone, and make the folders that it needs.

    Returns:
        The files written.

    Raises:
        BadConfigurationValueError: a setting holds a line end or what Asterisk would read as syntax.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - configuration, not HTML; the filters below guard it
    )
    environment.filters |= {"conf": _conf, "argument": _argument, "extension": _extension}
    values = {"settings": settings, "layout": layout, "trunk": _trunk(settings.outbound_trunk), "ivr_away": IVR_AWAY_SECONDS}
    texts = {
        template.removesuffix(".j2"): environment.get_template(template).render(**values)
        for template in environment.list_templates(extensions=["j2"])
    }
    state_folders = (layout.state_dir / name for name in ("lib/keys", "spool", "run", "log"))
    for folder in (layout.conf_dir, layout.recordings_dir, *state_folders):
        folder.mkdir(parents=True, exist_ok=True)
    written = [_write(layout.conf_dir / name, text) for name, text in texts.items()]
    shutil.copyfile(FOLDER / "modules.conf", layout.conf_dir / "modules.conf")
    return [*written, layout.conf_dir / "modules.conf"]


def _write(path: Path, text: str) -> Path:
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(text, encoding="utf-8")
    return path


def _trunk(address: str) -> str:
    """The carrier's address with Asterisk's own variable in place of {phone}; nothing when the site dials nobody."""
    if address and not _TRUNK.match(address):
        raise BadConfigurationValueError(address)
    # An argument's end, and in a file a comment's beginning.
    return address.replace("{phone}", "${TJ_PHONE}").replace(";", "\\;")


def _conf(value: Any) -> str:
    """A value up to the end of its line: `;` would begin a comment, brackets at the start a section."""
    text = str(value)
    if not text.isprintable() or "[" in text or "]" in text or text.startswith(("#", ";")) or text != text.strip():
        raise BadConfigurationValueError(text)
    return text.replace(";", "\\;")


def _argument(value: Any) -> str:
    """A value inside an application's arguments."""
    text = str(value)
    if _UNSAFE_ARGUMENT.search(text):
        raise BadConfigurationValueError(text)
    return text


def _extension(value: Any) -> str:
    """A number or a pattern of numbers."""
    text = str(value)
    if not _EXTENSION.match(text):
        raise BadConfigurationValueError(text)
    return text
