"""Where the weights are: what the site set, or what deploy/install_weights.sh left in the cache."""

from pathlib import Path

from core.errors import UnavailableError
from core.settings import Settings
from telephony.adapters.whisper_engine import INSTALL_HINT


def model_folder(settings: Settings) -> Path:
    """Return the folder (or, for openai-whisper, the file) of the speech model.

    Raises:
        UnavailableError: none is set and none was installed.
    """
    return settings.speech_model or _installed(settings)


def live_model_folder(settings: Settings) -> Path:
    """Return the folder for live text, which faster-whisper alone decodes, whichever engine hears the recordings.

    Raises:
        UnavailableError: none is set and none was installed.
    """
    if settings.speech_model is not None and settings.speech_engine != "openai-whisper":
        return settings.speech_model
    return _installed(settings)


def _installed(settings: Settings) -> Path:
    found = sorted((settings.tingjian_cache / "weights").glob("whisper-*/model.bin"))
    if not found:
        raise UnavailableError(f"no speech model is set and none lies in {settings.tingjian_cache / 'weights'}: {INSTALL_HINT}")
    return found[0].parent
