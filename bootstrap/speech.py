"""What hears: live calls, recordings, and short answers on the telephone, by the engine that the settings name."""

from bootstrap.house import House
from core.settings import Settings
from survey.ears import AnswerRecognizer
from telephony.adapters.faster_whisper_speech import FasterWhisperSpeech
from telephony.adapters.http_speech import HttpSpeech
from telephony.adapters.openai_whisper_speech import OpenAIWhisperSpeech
from telephony.adapters.silero_vad import SileroModel, SileroStream
from telephony.adapters.whisper_engine import load_window
from telephony.adapters.whisper_live import WhisperLiveDecoder
from telephony.adapters.whisper_recordings import WhisperRecordings
from telephony.adapters.whisper_weights import live_model_folder, model_folder
from telephony.ports import Pcm, Recognized, SpeechToText
from telephony.speech.files import Mode, Recognizer, final_recognizer, live_recognizer
from telephony.speech.live import LiveRules, LiveTranscriber
from telephony.speech.tap_server import TapServer

_ANSWER_BEAM = 5  # a word or two: the wider search costs little and finds more


def speech_to_text(settings: Settings, *, has_own_process: bool = True) -> SpeechToText:
    """Return what hears recordings."""
    if settings.speech_engine == "http":
        return HttpSpeech(settings.speech_url)
    if not has_own_process:
        engine = FasterWhisperSpeech if settings.speech_engine == "faster-whisper" else OpenAIWhisperSpeech
        return engine(model_folder(settings), device=settings.speech_device)
    return WhisperRecordings(settings.speech_engine, model_folder(settings), device=settings.speech_device)


def recognizer(settings: Settings, mode: Mode) -> Recognizer:
    """Return what hears whole files: as a live call is heard, or as its recording is after the call."""
    if mode == "final":
        # In this process: it ends with the files anyway, and its processor time is part of the answer.
        return final_recognizer(speech_to_text(settings, has_own_process=False))
    model = SileroModel()
    window = load_window(live_model_folder(settings), device=settings.speech_device, threads=settings.live_workers)
    return live_recognizer(lambda: SileroStream(model), window, beam=settings.live_beam)


def live_transcriber(house: House) -> LiveTranscriber:
    """Return what hears calls while they last."""
    settings = house.settings
    decoder = WhisperLiveDecoder(
        live_model_folder(settings),
        device=settings.speech_device,
        workers=settings.live_workers,
        beam=settings.live_beam,
        nice=2,  # after the bridge itself, which must not miss what the line says, and before all that can wait
    )
    house.exits.callback(decoder.close)
    model = SileroModel()
    return LiveTranscriber(
        TapServer(settings.audiosocket_host, settings.audiosocket_port),
        decoder,
        lambda: SileroStream(model),
        house.telephony,
        hotwords=house.kb.hotwords,
        rules=LiveRules(shed_seconds=settings.live_shed_seconds),
        clock=house.clock,
    )


def answer_recognizer(settings: Settings) -> AnswerRecognizer:
    """Return what hears short answers while the citizen waits: short windows, as for live text, where the engine has them."""
    if settings.speech_engine != "faster-whisper":
        return speech_to_text(settings).transcribe
    detector = SileroModel()
    window = load_window(live_model_folder(settings), device=settings.speech_device)

    def hear(pcm: Pcm, expected: str) -> list[Recognized]:
        return live_recognizer(lambda: SileroStream(detector), window, beam=_ANSWER_BEAM, hotwords=expected)(pcm)

    return hear
