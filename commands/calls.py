"""`manage.py call …`, `manage.py citizen …` and `manage.py transcribe …`."""

import asyncio
import contextlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import click

from core.clock import LOCAL_ZONE
from core.errors import InvalidInputError
from core.settings import Settings, get_settings
from telephony.speech.files import Mode, transcribe_file


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--from", "caller", default="13800138000", show_default=True, help="The citizen's number.")
@click.option("--name", "display_name", default="", help="The display name that the telephone sends.")
@click.option("--to", "number", help="The number to ring; the first hotline number when not given.")
@click.option("--seconds", type=click.FloatRange(1, 3600), help="Longest time on the line; by default until 2 s after the file.")
@click.option("--save", type=click.Path(dir_okay=False, path_type=Path), help="Write what the citizen heard to this WAV.")
def call(file: Path, caller: str, display_name: str, number: str | None, seconds: float | None, save: Path | None) -> None:
    """Ring the running hotline as a citizen who says what is in FILE (WAV, mono), then hang up."""
    from telephony.adapters.sip_citizen import CitizenCall, place_call

    settings = get_settings()
    number = number or next(iter(settings.hotline_numbers))
    server = f"{settings.sip_host}:{settings.sip_port}"
    click.echo(f"正在拨打 {number}（sip:{server}）……")
    is_answered = _answering(settings, caller)
    wanted = CitizenCall(file, server, number, caller, display_name, is_answered=is_answered, stay_seconds=seconds, save=save)
    report = place_call(wanted)
    ended_by = {"citizen": "市民挂机", "hotline": "热线挂机"}.get(report.ended_by, report.ended_by)
    click.echo(f"通话结束（{ended_by}），听到 {report.heard_seconds:.0f} 秒")


def _answering(settings: Settings, caller: str) -> Callable[[], bool]:
    """Return what says that an agent has this caller on the line: the file is not played into the welcome or the music."""
    from bootstrap.house import build

    telephony, since = build(settings).telephony, datetime.now(UTC)
    return lambda: telephony.is_caller_answered(caller, since)


_HAPPENED = {
    "ringing": "来电",
    "answered": "已接听",
    "did": "动作 {move}",
    "failed": "通话失败：{error}",
    "closed": "通话结束，听到 {heard_seconds} 秒",
}


@click.command()
@click.argument("number")
@click.argument("moves", nargs=-1)
@click.option("--after", default=1.0, show_default=True, type=click.FloatRange(0, 60), help="Seconds of ringing before picking up.")
@click.option("--busy", is_flag=True, help="Refuse every call.")
@click.option("--absent", is_flag=True, help="Never pick up.")
@click.option("--save", type=click.Path(dir_okay=False), help="Write what was heard in the last call to this WAV.")
def citizen(number: str, moves: tuple[str, ...], after: float, busy: bool, absent: bool, save: str | None) -> None:
    """Be a citizen with this NUMBER whom the running hotline can ring (where OUTBOUND_TRUNK points here), until Ctrl-C.

    MOVES are made one by one as prompts are heard. When one begins: barge:KEYS, or cut (hangs up). When one ends: KEYS,
    say:FILE.wav, wait, or "hang up". The demonstration's questionnaire in whole: barge:2 barge:1 barge:1 barge:9# barge:#
    """
    from telephony.adapters.sip_listener import Script, listen

    settings = get_settings()
    host, _, port = settings.outbound_trunk.partition("@")[2].partition(";")[0].partition(":")
    if host != "127.0.0.1" or not port.isdigit():
        raise InvalidInputError(f"OUTBOUND_TRUNK 指向 {settings.outbound_trunk or '空'}，不在本机，这里接不到外呼。")

    def tell(kind: str, **fields: object) -> None:
        if kind == "listening":
            click.echo(f"{number} 正在等热线打来（{settings.outbound_trunk.format(phone=number)}），Ctrl-C 结束")
        elif kind in _HAPPENED:
            click.echo(f"{datetime.now(LOCAL_ZONE):%H:%M:%S}　{_HAPPENED[kind].format(**fields)}")

    script = Script(moves, None if absent else after, is_busy=busy, save=save or "")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(listen(int(port), {number: script}, tell, pause_seconds=0.9))


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--mode", type=click.Choice(["live", "final"]), default="final", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a file, for programs.")
def transcribe(files: tuple[Path, ...], mode: Mode, as_json: bool) -> None:
    """Transcribe WAV files as a live call is, or as a recording is after the call."""
    from bootstrap.speech import recognizer

    hear = recognizer(get_settings(), mode)
    for file in files:
        heard = transcribe_file(file, mode, hear)
        click.echo(json.dumps(heard.as_json(), ensure_ascii=False) if as_json else f"{heard.file}　{heard.text}")
