"""`telephony.adapters.sip_listener` as a program of its own, until its input ends: one JSON object a line for what happens.

Takes JSON: {"port": 5066, "pause": 0.35, "people": {"13800138000": {"answer_after": 0.3, "moves": ["1", "say:a.wav"]}}}, and
"hotline" for those who call by themselves.
"""

import argparse
import asyncio
import json
import os
import sys
from typing import Any

from telephony.adapters.sip_listener import Script, listen


def tell(**happened: object) -> None:
    sys.stdout.write(json.dumps(happened) + "\n")
    sys.stdout.flush()


async def until_end(wanted: dict[str, Any]) -> None:
    scripts = {number: Script(**script) for number, script in wanted["people"].items()}
    pause, hotline = wanted.get("pause", 0.35), wanted.get("hotline", "")
    listening = asyncio.create_task(listen(wanted["port"], scripts, tell, pause_seconds=pause, hotline=hotline))
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    reading = asyncio.create_task(reader.read())
    await asyncio.wait((listening, reading), return_when=asyncio.FIRST_COMPLETED)
    if listening.done():
        listening.result()
    os._exit(0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("wanted", type=json.loads)
    asyncio.run(until_end(parser.parse_args().wanted))
