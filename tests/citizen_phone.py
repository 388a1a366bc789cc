"""A citizen's call as a program of its own: takes the fields of CitizenCall as JSON, writes the report as one JSON line."""

import dataclasses
import json
import sys
from pathlib import Path

from core.errors import TingjianError
from telephony.adapters.sip_citizen import CitizenCall, place_call

if __name__ == "__main__":
    fields = json.loads(sys.argv[1])
    # A file that appears stands in for the database's word that an agent is on the line.
    if flag := fields.pop("answered_flag", None):
        fields["is_answered"] = Path(flag).exists
    paths = {name: Path(fields[name]) for name in ("file", "save") if fields.get(name)}
    try:
        report = place_call(CitizenCall(**{**fields, **paths}))
    except TingjianError as error:
        sys.stdout.write(json.dumps({"kind": "refused", "error": str(error)}) + "\n")
        sys.exit(1)
    sys.stdout.write(json.dumps({"kind": "ended", **dataclasses.asdict(report)}) + "\n")
