"""Citizens and agents by the dozen for the load benchmarks: SIPp with speech as RTP, one process for each side."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from telephony.speech.audio import read_wav

_PACKET = 160

_SDP = """v=0
o=bench 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [local_ip]
t=0 0
m=audio [rtpstream_audio_port] RTP/AVP 8
a=rtpmap:8 PCMA/8000
a=ptime:20
a=sendrecv
"""

_REPLY = """[last_Via:]
[last_From:]
[last_To:];tag=[pid]B[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:agent@[local_ip]:[local_port]>
"""


def _send(text: str, attributes: str = "") -> str:
    return f"<send {attributes}><![CDATA[\n{text}\n]]></send>\n"


def _scenario(name: str, body: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="{name}">\n{body}</scenario>\n'


def _stream(speech: Path) -> str:
    return f'<nop><action><exec rtp_stream="{speech},-1,8,PCMA/8000"/></action></nop>\n'


def _dialog(method: str, sequence: int, more: str = "", to_tag: str = "") -> str:
    return f"""{method} sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]
From: <sip:139[call_number]@[local_ip]:[local_port]>;tag=[pid]A[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>{to_tag}
Call-ID: [call_id]
CSeq: {sequence} {method.split()[0]}
Contact: <sip:139[call_number]@[local_ip]:[local_port]>
Max-Forwards: 70
{more}"""


def citizen_scenario(speech: Path, milliseconds: int) -> str:
    """Ring, speak without end, and hang up after a time."""
    tag = "[peer_tag_param]"
    return _scenario(
        "citizen",
        _send(_dialog("INVITE", 1, f"Content-Type: application/sdp\nContent-Length: [len]\n\n{_SDP}"), 'retrans="500"')
        + '<recv response="100" optional="true"/>\n<recv response="180" optional="true"/>\n'
        + '<recv response="183" optional="true"/>\n<recv response="200"/>\n'
        + _send(_dialog("ACK", 1, "Content-Length: 0\n", tag))
        + _stream(speech)
        + f'<pause milliseconds="{milliseconds}"/>\n'
        + _send(_dialog("BYE", 2, "Content-Length: 0\n", tag), 'retrans="500"')
        + '<recv response="200"/>\n',
    )


def agent_scenario(speech: Path) -> str:
    """Answer Asterisk's asking whether we are there; pick up, speak without end, and let the citizen hang up."""
    ok = "SIP/2.0 200 OK\n" + _REPLY
    return _scenario(
        "agent",
        '<recv request="OPTIONS" optional="true" next="1"/>\n<recv request="INVITE"/>\n'
        + _send("SIP/2.0 180 Ringing\n" + _REPLY + "Content-Length: 0\n")
        + _send(ok + f"Content-Type: application/sdp\nContent-Length: [len]\n\n{_SDP}", 'retrans="500"')
        + '<recv request="ACK"/>\n'
        + _stream(speech)
        + '<recv request="BYE"/>\n'
        + _send(ok + "Content-Length: 0\n", 'next="2"')
        + '<label id="1"/>\n'
        + _send(ok + "Content-Length: 0\n")
        + '<label id="2"/>\n',
    )


def register_scenario() -> str:
    """Make agents' numbers known at the port that this is sent from."""

    def register(sequence: int, more: str) -> str:
        return f"""REGISTER sip:[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]
From: <sip:[field0]@[remote_ip]>;tag=[pid]R[call_number]
To: <sip:[field0]@[remote_ip]>
Call-ID: [call_id]
CSeq: {sequence} REGISTER
Contact: <sip:[field0]@[local_ip]:[local_port]>
Expires: 300
Max-Forwards: 70
{more}Content-Length: 0
"""

    return _scenario(
        "register",
        _send(register(1, ""), 'retrans="500"')
        + '<recv response="401" auth="true"/>\n'
        + _send(register(2, "[field1]\n"), 'retrans="500"')
        + '<recv response="200"/>\n',
    )


def write_alaw(wav: Path, path: Path) -> Path:
    """Write an 8 kHz WAV file's speech as G.711 A-law, a whole number of packets long."""
    audio = read_wav(wav)
    assert audio.rate == 8000, f"{wav} is not at 8 kHz"
    pcm = (np.clip(audio.samples, -1, 1) * 32767).astype(np.int32)
    coded = _alaw(pcm)
    path.write_bytes(coded[: len(coded) // _PACKET * _PACKET])
    return path


def _alaw(pcm: npt.NDArray[np.int32]) -> bytes:
    """ITU-T G.711: sign, three bits of exponent, four of mantissa, every other bit inverted."""
    magnitude = np.minimum(np.where(pcm < 0, -pcm - 1, pcm) >> 3, 4095)
    exponent = np.maximum(np.floor(np.log2(np.maximum(magnitude, 1))).astype(np.int32) - 4, 0)
    mantissa = np.where(exponent > 1, magnitude >> exponent, magnitude >> 1) & 0x0F
    segment = np.where(magnitude < 32, magnitude >> 5, exponent)
    code = (segment << 4) | mantissa
    return bytes((np.where(pcm < 0, code, code | 0x80) ^ 0x55).astype(np.uint8))


@dataclass
class Sipp:
    """One SIPp process in a folder of its own."""

    folder: Path
    name: str
    scenario: str
    arguments: list[str]
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> Sipp:
        """Start it; `sipp` must be installed (Debian: sip-tester)."""
        program = shutil.which("sipp")
        if program is None:
            raise FileNotFoundError("sipp is missing: apt-get install sip-tester")
        path = self.folder / f"{self.name}.xml"
        path.write_text(self.scenario, encoding="utf-8")
        output = (self.folder / f"{self.name}.out").open("wb")
        errors = ["-trace_err", "-error_file", str(self.folder / f"{self.name}.errors")]
        common = ["-sf", str(path), "-i", "127.0.0.1", "-mi", "127.0.0.1", "-nostdin", *errors]
        self.process = subprocess.Popen(
            [program, *self.arguments, *common], stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=self.folder
        )
        output.close()
        return self

    def wait(self, seconds: float) -> None:
        """Wait for its end; anything but success is an error with what it said."""
        assert self.process is not None
        if self.process.wait(seconds) != 0:
            raise RuntimeError(f"sipp ({self.name}) failed: {self.said()}")

    def said(self) -> str:
        """Return the end of its error log."""
        path = self.folder / f"{self.name}.errors"
        return path.read_text(errors="replace")[-1500:] if path.exists() else ""

    def stop(self) -> None:
        """End it where it still runs."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
