"""Recordings for the player: levels, a ticket a playing (which is an audit row), and the sound itself, by ranges."""

import uuid
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, request, url_for
from flask_babel import gettext as _
from itsdangerous import BadSignature, URLSafeTimedSerializer
from werkzeug.datastructures import Range

from core import audit
from core.errors import NotFoundError, PermissionDeniedError
from telephony.reads import RecordingView
from webui.calls_audio import CallAudio, open_lane, peaks_of
from webui.errors import says
from webui.house import current_house
from webui.permissions import Permission, requires
from webui.person import actor, current_person
from webui.stream import calls_of

blueprint = Blueprint("recordings", __name__, url_prefix="/calls")
_TICKET_SECONDS = 4 * 3600


class NoRecordingError(NotFoundError):
    """Neither party's recording can be read."""


class NoTicketError(PermissionDeniedError):
    """The sound was asked for without saying so first: that would be a playing nobody knows of."""


says(NoRecordingError, lambda error: _("这通来电没有可播放的录音，转写和记录仍可查看。"))
says(NoTicketError, lambda error: _("请从播放器打开录音。"))


def audio_of(call_id: uuid.UUID) -> CallAudio:
    """Return a call's sound, or raise NoRecordingError."""
    house = current_house()
    paths = {recording.party: _path(house.settings.recordings, recording) for recording in calls_of(house).recordings(call_id)}
    lanes = {party: open_lane(path) for party, path in paths.items() if path}
    audio = CallAudio(lanes.get("citizen"), lanes.get("agent"))
    if not audio.frames:
        raise NoRecordingError(str(call_id))
    return audio


def _path(folder: Path, recording: RecordingView) -> Path | None:
    if recording.state == "deleted":
        return None
    path = (folder / recording.path).resolve()
    # Paths are made by us; a row that was tampered with must still not lead out of the folder.
    return path if path.is_relative_to(folder.resolve()) else None


@blueprint.get("/<uuid:call_id>/peaks")
@requires(Permission.PLAY_RECORDINGS)
def peaks(call_id: uuid.UUID) -> Any:
    """Return both parties' levels and the length."""
    calls_of(current_house()).get_call(call_id)
    audio = audio_of(call_id)
    citizen, agent = peaks_of(audio, current_house().settings.state_dir / "peaks" / f"{call_id}.json")
    return jsonify(seconds=audio.seconds, citizen=citizen, agent=agent)


@blueprint.post("/<uuid:call_id>/plays")
@requires(Permission.PLAY_RECORDINGS)
def begin(call_id: uuid.UUID) -> Any:
    """Write down that the recording is listened to, or downloaded, and return where it is."""
    call = calls_of(current_house()).get_call(call_id)
    audio_of(call_id)
    body = request.get_json(silent=True)
    is_download = isinstance(body, dict) and body.get("download") is True
    detail = {"call": call.number, "download": is_download}
    with current_house().database.transaction() as session:
        audit.record(session, actor(), "recording.played", f"call:{call_id}", detail)
    ticket = _tickets().dumps([str(call_id), str(current_person().user_id), is_download])
    return jsonify(url=url_for("recordings.sound", call_id=call_id, ticket=ticket))


@blueprint.get("/<uuid:call_id>/recording.wav")
@requires(Permission.PLAY_RECORDINGS)
def sound(call_id: uuid.UUID) -> Response:
    """Send the sound, or the ranges of it that the player asks for."""
    try:
        wanted, user, is_download = _tickets().loads(request.args.get("ticket", ""), max_age=_TICKET_SECONDS)
    except (BadSignature, ValueError) as error:
        raise NoTicketError(str(call_id)) from error
    if wanted != str(call_id) or user != str(current_person().user_id):
        raise NoTicketError(str(call_id))
    audio = audio_of(call_id)
    start, stop = _asked(request.range, audio.size)
    if start is None:
        response = Response(status=416)
        response.headers["Content-Range"] = f"bytes */{audio.size}"
        return response
    is_part = request.range is not None and len(request.range.ranges) == 1
    response = Response(audio.read(start, stop), status=206 if is_part else 200, mimetype="audio/wav", direct_passthrough=True)
    response.content_length = stop - start
    response.headers["Accept-Ranges"] = "bytes"
    if is_part:
        response.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{audio.size}"
    if is_download:
        number = calls_of(current_house()).get_call(call_id).number
        response.headers["Content-Disposition"] = f'attachment; filename="{number}.wav"'
    return response


def _asked(wanted: Range | None, size: int) -> tuple[int | None, int]:
    # Several ranges in one request may be answered by the whole (RFC 9110, 14.2).
    if wanted is None or len(wanted.ranges) != 1:
        return 0, size
    if wanted.units != "bytes":
        return 0, size
    found = wanted.range_for_length(size)
    return (found[0], found[1]) if found else (None, 0)


def _tickets() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.secret_key), salt="recording")
