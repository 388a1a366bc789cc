"""Describes the machine that a figure was measured on, and keeps the figures."""

import json
import os
import platform
import time
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def describe(*packages: str) -> dict[str, Any]:
    """Return processor, cores, memory, system, Python and the versions of some packages."""
    info: dict[str, str] = {}
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        info.setdefault(name.strip(), value.strip())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "processor": info.get("model name", platform.machine()),
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**30, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load_at_the_end": [round(x, 2) for x in os.getloadavg()],
        "packages": {package: _version(package) for package in packages},
    }


def yardstick() -> float:
    """Return the processor seconds of a fixed piece of work: on a shared machine they change by half from minute to minute."""
    begun = time.process_time()
    sum(number * number % 7 for number in range(2_000_000))
    return round(time.process_time() - begun, 3)


def write_result(name: str, result: dict[str, Any], *packages: str) -> Path:
    """Write `result` beside the machine's description and return the file."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    document = {"bench": name, "machine": describe(*packages)} | result
    path.write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return path


def shared_folder() -> Path | None:
    """Return the folder of shared data sets (TINGJIAN_SHARED, or `shared` beside the clone), None where there is none."""
    folder = Path(os.environ.get("TINGJIAN_SHARED") or Path(__file__).resolve().parents[2] / "shared")
    return folder if folder.is_dir() else None


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
