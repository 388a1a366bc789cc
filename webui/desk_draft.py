"""Condenses what a citizen said into a draft of the call's record. Takes their own sentences, adds nothing, decides nothing."""

import re
from collections.abc import Sequence

LONGEST = 240
_FEWEST_LETTERS = 4
_SENTENCE = re.compile(r"[^。！？!?；;，,]+[。！？!?；;，,]*")
_FILLER = re.compile(
    r"^(?:嗯+|啊+|哦+|噢+|呃+|哎+|喂+|诶+|那个|这个|就是说?|然后|我想(?:咨询|问|了解)一下|你好|您好|请问一下|请问|麻烦(?:您|你)?|是这样的?|好的?|行|对+|谢谢(?:您|你)?|再见)+[，,。！!？?、\s]*"
)
_EMPTY = re.compile(r"^(?:好|好的|行|对|是|是的|嗯|哦|谢谢|再见|可以|知道了|明白了|没有了?|没了|不用了?|辛苦了?|拜拜)*$")
_ENDS = "，,。！!？?；;、 "


def draft(citizen_lines: Sequence[str], adopted_titles: Sequence[str]) -> str:
    """Return the draft, empty when the citizen said nothing of substance.

    Args:
        citizen_lines: the citizen's segments in order, masked as they are stored.
        adopted_titles: titles of the answers that the agent adopted, in order.
    """
    told = _told(citizen_lines)
    if not told:
        return ""
    lines = [f"市民：{told}"]
    if adopted_titles:
        lines.append("已答复：" + "；".join(dict.fromkeys(adopted_titles)))
    return "\n".join(lines)


def _told(lines: Sequence[str]) -> str:
    kept: list[str] = []
    for line in lines:
        sentence = "，".join(clause for clause in map(_stripped, _SENTENCE.findall(line)) if clause)
        if len(sentence) >= _FEWEST_LETTERS and sentence not in kept:
            kept.append(sentence)
    text = "；".join(kept)
    if len(text) > LONGEST:
        # The question stands at the beginning, what it came to at the end.
        head = LONGEST * 2 // 3
        text = f"{text[:head]}……{text[-(LONGEST - head) :]}"
    return f"{text}。" if text else ""


def _stripped(clause: str) -> str:
    clause = _FILLER.sub("", clause.strip()).strip(_ENDS)
    return "" if _EMPTY.match(clause) else clause
