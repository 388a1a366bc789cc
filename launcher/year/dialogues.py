"""What was said in the latest calls: dialogues about the demonstration's matters, put together from turns that people do take."""

import re
from dataclasses import dataclass

from launcher.year.arrays import Random
from launcher.year.matters import Matter
from telephony.speech.redaction import redact_segments

CITIZEN, AGENT = "citizen", "agent"
_GREETINGS = (
    "您好，云川热线，请问有什么可以帮您？", "您好，政务服务便民热线，请讲。", "您好，这里是便民热线，请问您要咨询什么事？",
)  # fmt: skip
_OPENINGS = (
    "你好，我想问一下，{q}",
    "喂，你好，{q}",
    "麻烦问一下啊，{q}",
    "哎你好，是热线吧？{q}",
    "{q}",
    "同志你好，请教个事，{q}",
)
_CHECKS = (
    ("好的，您是问{m}，对吗？", ("对对对。", "嗯，就是这个。", "对，没错。", "是的。")),
    ("请问您是自己办，还是替家里人办？", ("我自己的事。", "替我爸问的，他年纪大了。", "给我爱人问的。", "自己办。")),
    ("请问您现在在市区还是在县里？", ("在市区。", "我住城东。", "在高新区这边上班。", "在市里。")),
    ("您稍等，我查一下{m}的规定。", ("好，你查。", "行，不急。", "嗯，麻烦了。")),
)
_MATERIALS = ("那要带什么材料呢？", "要准备哪些东西？", "材料都要啥，你慢点说，我记一下。", "除了身份证还要带别的吗？")
_MATERIAL_ANSWERS = ("要带{a}。", "您准备好{a}就可以了。", "主要是{a}，原件都带上。")
_TIMES = (
    ("大概要多久能办好？", "承诺时限是{t}。"), ("几天能拿到啊？", "正常情况是{t}，办好会有短信通知。"), ("当天能办完吗？",
    "规定的时限是{t}，您可以先预约，到了就办。"),
)  # fmt: skip
_PLACES = (
    ("到哪儿办？", "{w}。"), ("我该去哪个窗口？", "您去{w}。"), ("能在网上办吗，还是必须跑一趟？",
    "可以先在云川通上看一下，现场办的话是{w}。"),
)  # fmt: skip
_DOUBTS = (
    (
        "我上次去，窗口说的跟你说的不太一样。",
        "那可能是旧的规定，我给您说的是现在执行的。您到了窗口要是还有问题，让他们打我们内线核对。",
    ),
    ("要是材料差一样，能不能先收？", "差一样不要紧的材料可以容缺受理，十个工作日内补上就行，主要的几样得带齐。"),
    ("我平时上班没空，周六能去吗？", "市政务服务中心周六上午有延时窗口，建议您先在小程序上预约。"),
    ("可以让别人替我去吗？", "可以的，带上您的身份证原件和委托书，代办人也要带身份证。"),
    ("收不收钱啊？", "{f}，您放心。"),
)
_CONTACTS = (
    ("方便留个电话吗？有变化我们通知您。", "可以，{n}。", "好的，已经记下了。"),
    ("我用短信把材料清单发给您，还是发这个号码吗？", "换一个吧，{n}，这个是我办公室的。", "好，马上给您发。"),
)
_THANKS = (
    "好，那我明白了，谢谢你啊。",
    "行，讲得挺清楚，谢谢。",
    "哦，原来是这样，那我明天就去。谢谢！",
    "好嘞，太谢谢了。",
    "知道了，麻烦你了，再见。",
)
_GOODBYES = ("不客气，请对我们的服务评价，再见。", "不客气，祝您办事顺利。", "好的，感谢来电，请稍后评价，再见。", "不用谢，再见。")
_SYLLABLES_A_SECOND = 4.3
_SENTENCES = re.compile(r"[^。；！？]+[。；！？]?")


@dataclass(frozen=True)
class Turn:
    """One utterance; seconds count from the answer."""

    party: str
    start: float
    end: float
    text: str


def dialogue(random: Random, matter: Matter, number: str, seconds: float) -> list[Turn]:
    """Return what may have been said in a call of so many seconds about a matter; numbers are masked as they are in real calls."""
    said = _lines(random, matter, number)
    wanted = [max(1.2, len(text) / _SYLLABLES_A_SECOND) for _, text in said]
    gaps = random.uniform(0.3, 1.1, len(said))
    # The call's own length is what it took: people speak faster or slower, within what is human.
    pace = min(1.35, max(0.55, seconds * 0.97 / (sum(wanted) + float(gaps.sum()))))
    masked = _masked([text for _, text in said], [party for party, _ in said])
    at, turns = 0.4, []
    for (party, _), text, length, gap in zip(said, masked, wanted, gaps, strict=True):
        end = at + length * pace
        if end > seconds:
            break
        turns.append(Turn(party, round(at, 2), round(end, 2), text))
        at = end + float(gap) * pace
    return turns


def _lines(random: Random, matter: Matter, number: str) -> list[tuple[str, str]]:
    def one(choices: tuple[str, ...]) -> str:
        return choices[int(random.integers(len(choices)))]

    said = [(AGENT, one(_GREETINGS)), (CITIZEN, one(_OPENINGS).format(q=_question(one(matter.questions))))]
    ask, replies = _CHECKS[int(random.integers(len(_CHECKS)))]
    said += [(AGENT, ask.format(m=matter.name)), (CITIZEN, one(replies))]
    sentences = [text.strip() for text in _SENTENCES.findall(matter.answer) if text.strip()]
    half = max(1, len(sentences) // 2)
    said.append((AGENT, "".join(sentences[:half])))
    if sentences[half:]:
        said += [(CITIZEN, one(("嗯，嗯。", "哦，这样啊。", "然后呢？", "好，我记着。"))), (AGENT, "".join(sentences[half:]))]
    if matter.materials and random.random() < 0.75:
        said += [(CITIZEN, one(_MATERIALS)), (AGENT, one(_MATERIAL_ANSWERS).format(a="、".join(matter.materials[:4])))]
    if matter.promised_time and random.random() < 0.7:
        ask, reply = _TIMES[int(random.integers(len(_TIMES)))]
        said += [(CITIZEN, ask), (AGENT, reply.format(t=matter.promised_time))]
    if matter.window and random.random() < 0.6:
        ask, reply = _PLACES[int(random.integers(len(_PLACES)))]
        said += [(CITIZEN, ask), (AGENT, reply.format(w=matter.window.partition("；")[0]))]
    if random.random() < 0.55:
        ask, reply = _DOUBTS[int(random.integers(len(_DOUBTS)))]
        said += [(CITIZEN, ask), (AGENT, reply.format(f="这项业务按规定收费，窗口有公示"))]
    if random.random() < 0.35:
        ask, reply, end = _CONTACTS[int(random.integers(len(_CONTACTS)))]
        said += [(AGENT, ask), (CITIZEN, reply.format(n=number)), (AGENT, end)]
    return [*said, (CITIZEN, one(_THANKS)), (AGENT, one(_GOODBYES))]


def _question(text: str) -> str:
    return text if text[-1] in "？?。！" else f"{text}？"


def _masked(texts: list[str], parties: list[str]) -> list[str]:
    masked = list(texts)
    for party in (CITIZEN, AGENT):
        places = [place for place, one in enumerate(parties) if one == party]
        for place, text in zip(places, redact_segments([texts[place] for place in places]), strict=True):
            masked[place] = text
    return masked
