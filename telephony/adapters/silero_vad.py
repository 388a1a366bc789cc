"""The Silero voice detector that comes inside faster-whisper, streamed: windows in, speech probabilities out."""

from __future__ import annotations

from importlib.resources import files
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from core.errors import UnavailableError
from telephony.speech.endpointing import WINDOW_SAMPLES, Samples

CONTEXT_SAMPLES: Final = 64  # the model wants the last 4 ms of the window before


class SileroModel:
    """One loaded network, shared by every stream: its session may be run from several threads."""

    def __init__(self) -> None:
        try:
            import onnxruntime

            found = sorted(str(f) for f in files("faster_whisper").joinpath("assets").iterdir() if f.name.startswith("silero"))
        except (ImportError, OSError) as error:
            raise UnavailableError(f"the voice detector cannot be loaded: {error}; install requirements.txt again") from error
        if not found:
            raise UnavailableError("faster-whisper is installed without its voice detector; install requirements.txt again")
        options = onnxruntime.SessionOptions()
        options.inter_op_num_threads = options.intra_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        options.log_severity_level = 4
        self.session: Any = onnxruntime.InferenceSession(found[-1], options, providers=["CPUExecutionProvider"])


class SileroStream:
    """The detector's memory of one party's stream."""

    def __init__(self, model: SileroModel) -> None:
        self._session = model.session
        self.reset()

    def reset(self) -> None:
        """Forget what was heard (after a hold)."""
        self._hidden: NDArray[np.float32] = np.zeros((1, 1, 128), np.float32)
        self._cell: NDArray[np.float32] = np.zeros((1, 1, 128), np.float32)
        self._context: Samples = np.zeros(CONTEXT_SAMPLES, np.float32)

    def probabilities(self, pcm: Samples) -> list[float]:
        """Return one probability per window; `pcm` holds whole windows (n × 512 samples, −1..1, 16 kHz)."""
        windows = pcm.reshape(-1, WINDOW_SAMPLES)
        before = np.vstack([self._context, windows[:-1, -CONTEXT_SAMPLES:]])
        self._context = windows[-1, -CONTEXT_SAMPLES:].copy()
        batch = np.ascontiguousarray(np.hstack([before, windows]), dtype=np.float32)
        output, self._hidden, self._cell = self._session.run(None, {"input": batch, "h": self._hidden, "c": self._cell})
        return [float(p) for p in np.asarray(output).reshape(-1)]
