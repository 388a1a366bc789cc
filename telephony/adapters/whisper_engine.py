"""Whisper by faster-whisper in this process: loading it with errors a person can act on, and one pass of the network.

Imports the library only when a model is loaded, so that a process which never hears anything doesn't pay for it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from core.errors import UnavailableError
from telephony.adapters.whisper_words import MandarinWords, cut_model, mandarin_words
from telephony.speech.endpointing import SAMPLE_RATE, Samples
from telephony.speech.guards import Decoded

if TYPE_CHECKING:
    from faster_whisper import WhisperModel

INSTALL_HINT: Final = "run deploy/install_weights.sh, or set SPEECH_MODEL to a folder that holds a CTranslate2 Whisper model"
_NEEDED: Final = ("model.bin", "config.json", "tokenizer.json")
_LONGEST_ANSWER_TOKENS: Final = 224
_TOKENS_A_SECOND: Final = 15  # nobody speaks faster; a loop runs until it is stopped, and costs as much as it is long
_TOKENS_TO_SPARE: Final = 20
_LONGEST_PROMPT_TOKENS: Final = 120  # each token is paid for with every utterance


def load_model(folder: Path | None, *, device: str = "cpu", threads: int = 1, workers: int = 1) -> WhisperModel:
    """Load the weights in `folder`.

    Raises:
        UnavailableError: no folder, a missing file, damaged weights, or no library.
    """
    with _loading(folder) as checked:
        model = _whisper(checked, device, threads, workers, None)
        if not model.model.is_multilingual:  # it is told by the number of words: half a vocabulary looks like this too
            raise ValueError("its vocabulary is that of an English-only model")
        return model


def load_window(folder: Path | None, *, device: str = "cpu", threads: int = 1, workers: int = 1) -> WhisperWindow:
    """Load the weights in `folder` for short windows: with the words of Mandarin only, which is a quarter less work.

    Raises:
        UnavailableError: as `load_model`.
    """
    with _loading(folder) as checked:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(checked / "tokenizer.json"))
        words = mandarin_words(tokenizer)
        return WhisperWindow(_whisper(checked, device, threads, workers, cut_model(checked, tokenizer, words)), words)


def _whisper(folder: Path, device: str, threads: int, workers: int, files: dict[str, bytes] | None) -> WhisperModel:
    from faster_whisper import WhisperModel
    from threadpoolctl import threadpool_limits

    # The features are one small product of matrices, after which numpy's second thread would spin for 0.1 s on another core.
    threadpool_limits(1, "blas")
    return WhisperModel(
        str(folder),
        device=device,
        compute_type="int8" if device == "cpu" else "float16",
        cpu_threads=threads,
        num_workers=workers,
        local_files_only=True,
        files=files,
    )


@contextlib.contextmanager
def _loading(folder: Path | None) -> Iterator[Path]:
    """Check the folder and turn whatever loading raises into UnavailableError."""
    checked = check_folder(folder)
    try:
        yield checked
    except ImportError as error:
        raise UnavailableError(f"faster-whisper is not installed ({error}): install requirements.txt") from error
    except Exception as error:  # CTranslate2 and tokenizers raise bare RuntimeError, ValueError and Exception for damaged files
        raise UnavailableError(
            f"the speech model in {checked} cannot be loaded, it may be damaged ({error}): {INSTALL_HINT}"
        ) from error


def check_folder(folder: Path | None) -> Path:
    """Return `folder`; UnavailableError unless it has a model's files, for without them the library would ask the internet."""
    if folder is None:
        raise UnavailableError(f"no speech model is set: {INSTALL_HINT}")
    if not folder.is_dir():
        raise UnavailableError(f"the folder of the speech model {folder} does not exist: {INSTALL_HINT}")
    missing = [name for name in _NEEDED if not (folder / name).is_file()]
    missing += [] if any(folder.glob("vocabulary.*")) else ["vocabulary.txt"]
    if missing:
        raise UnavailableError(f"the speech model in {folder} lacks {', '.join(missing)}: {INSTALL_HINT}")
    return folder


class WhisperWindow:
    """The `WindowDecoder` of `short_window` on a loaded model; may be called from as many threads as it has workers."""

    def __init__(self, model: WhisperModel, words: MandarinWords) -> None:
        from faster_whisper.tokenizer import Tokenizer

        self._model = model
        self._words = words
        self._tokenizer = Tokenizer(model.hf_tokenizer, multilingual=True, task="transcribe", language="zh")

    def __call__(self, pcm: Samples, window_frames: int, beam: int, prompt: str) -> Decoded:
        import ctranslate2

        features: Any = self._model.feature_extractor(pcm, padding=0)[:, :window_frames]
        # Padding the features with their floor is what silence looks like; padded audio has an edge that the decoder hears.
        floor = float(features.min()) if features.size else 0.0
        features = np.pad(features, ((0, 0), (0, window_frames - features.shape[1])), constant_values=floor)
        before = self._tokenizer.encode(" " + prompt.strip())[:_LONGEST_PROMPT_TOKENS] if prompt.strip() else []
        given = self._words.to_kept(self._model.get_prompt(self._tokenizer, before, without_timestamps=True))
        longest = min(_LONGEST_ANSWER_TOKENS, _TOKENS_TO_SPARE + int(_TOKENS_A_SECOND * len(pcm) / SAMPLE_RATE))
        result = self._model.model.generate(
            ctranslate2.StorageView.from_array(np.ascontiguousarray(features[None], dtype=np.float32)),
            [given],
            beam_size=beam,
            max_length=len(given) + longest,
            suppress_blank=True,
            return_scores=True,
            return_no_speech_prob=True,
        )[0]
        text = self._tokenizer.decode([t for t in self._words.to_whole(result.sequences_ids[0]) if t < self._tokenizer.eot])
        return Decoded(text.strip(), float(result.scores[0]), float(result.no_speech_prob))
