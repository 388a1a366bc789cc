"""`SpeechToText` by a remote engine over HTTP, in the form that OpenAI-compatible speech servers share.

Request: `POST <url>`, multipart form: `file` (WAV, mono, 16 bit, 16 kHz), `language` = zh, `response_format` = verbose_json,
`prompt` = the hotwords (left out when there are none); with a token, `Authorization: Bearer <token>`.
Answer: 200 and `{"segments": [{"start": 0.0, "end": 1.8, "text": "…", "confidence": 0.93}]}`; seconds from the start of the
audio, in order. `confidence` (0..1) may be left out; then `avg_logprob` is taken where it is given. A bare `{"text": "…"}` is
taken as one segment. FunASR, whisper.cpp and vLLM have servers of this form.
"""

from __future__ import annotations

import math
from typing import Any

import httpx
from pydantic import BaseModel, Field, ValidationError

from core.errors import UnavailableError
from telephony.ports import Recognized
from telephony.speech.audio import write_wav
from telephony.speech.endpointing import SAMPLE_RATE, Samples
from telephony.speech.guards import Decoded, is_invented


class _Segment(BaseModel):
    start: float = Field(ge=0)
    end: float = Field(ge=0)
    text: str
    confidence: float | None = Field(default=None, ge=0, le=1)
    avg_logprob: float | None = None
    no_speech_prob: float = 0.0


class _Answer(BaseModel):
    segments: list[_Segment] | None = None
    text: str | None = None


class HttpSpeech:
    """Sends each recording to one address; keeps nothing."""

    name = "http"

    def __init__(
        self, url: str | None, *, token: str | None = None, connect_seconds: float = 5.0, seconds_per_second: float = 2.0
    ) -> None:
        self._url = url
        self._token = token
        self._connect_seconds = connect_seconds
        self._seconds_per_second = seconds_per_second

    def transcribe(self, audio: Samples, hotwords: str = "") -> list[Recognized]:
        """Return what the engine heard in `audio` (16 kHz, −1..1)."""
        if not self._url:
            raise UnavailableError("no speech engine is set: give its address in SPEECH_URL")
        if not len(audio):
            return []
        seconds = len(audio) / SAMPLE_RATE
        answer = self._ask(write_wav(audio), hotwords, seconds)
        if answer.segments is None:
            answer.segments = [_Segment(start=0, end=seconds, text=answer.text or "")]
        heard = []
        for segment in answer.segments:
            end = min(seconds, segment.end)
            decoded = Decoded(segment.text.strip(), segment.avg_logprob or 0.0, segment.no_speech_prob)
            if segment.start <= end and not is_invented(decoded, max(0.2, end - segment.start), hotwords):
                heard.append(Recognized(segment.start, end, decoded.text, _confidence(segment)))
        return sorted(heard, key=lambda recognized: recognized.start_seconds)

    def _ask(self, wav: bytes, hotwords: str, seconds: float) -> _Answer:
        form = {"language": "zh", "response_format": "verbose_json"} | ({"prompt": hotwords} if hotwords else {})
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        patience = httpx.Timeout(max(30.0, seconds * self._seconds_per_second), connect=self._connect_seconds)
        try:
            response = httpx.post(
                str(self._url), data=form, files={"file": ("audio.wav", wav, "audio/wav")}, headers=headers, timeout=patience
            )
            response.raise_for_status()
            found: Any = response.json()
            return _Answer.model_validate(found)
        except httpx.HTTPStatusError as error:
            raise UnavailableError(f"the speech engine at {self._url} answered {error.response.status_code}") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise UnavailableError(f"the speech engine at {self._url} does not answer ({error}): check SPEECH_URL") from error
        except (ValidationError, ValueError) as error:
            raise UnavailableError(f"the speech engine at {self._url} gave an answer that is not in the documented form") from error


def _confidence(segment: _Segment) -> float:
    if segment.confidence is not None:
        return segment.confidence
    return min(1.0, math.exp(min(0.0, segment.avg_logprob))) if segment.avg_logprob is not None else 0.5
