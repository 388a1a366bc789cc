"""What people say in their own words: some thousand sentences put together from parts, by how satisfied they are."""

import numpy as np

from launcher.year.arrays import Bools, Ints, Random

_PLEASED = (
    "工作人员态度很好，一次就办完了", "窗口办得快，没怎么排队", "材料说得清楚，没有多跑一趟", "热线讲得明白，照着做就行",
    "网上提交以后第三天就拿到了，比承诺的快", "预约取号很方便，到了就能办", "帮办员带着我填表，老人也能办下来",
    "邮寄到家，省了来回的路费",
    "小程序上能看到进度，心里有底", "窗口的小姑娘很耐心，问了好几遍都不烦", "周末也能办，上班的人不用请假",
    "复印是免费的，这一点想得周到",
    "材料容缺先收下了，回头补一张就行", "跨区也能办，不用回原来的地方", "电话一打就通，答得也对", "换证比以前简单多了，拍个照就好",
    "大厅指引牌清楚，进门就知道去几楼", "办完还打电话来问，挺负责的", "公积金提取两天到账，没想到这么快", "营业执照当天就领到了",
)  # fmt: skip
_FAIR = (
    "事情办成了，就是排队久了一点", "还可以，希望网上也能交材料", "窗口少，中午只开了一个", "材料清单最好写在一张纸上",
    "停车不方便，转了半个小时",
    "办得成，就是要跑两个地方", "叫号有点乱，听不清", "进度查询更新得慢", "小程序字太小，老人看不清",
    "复印要到楼下，能不能放在窗口边上",
    "热线等了一会儿才接通", "希望把承诺时限写清楚是工作日", "证明要得有点多", "人工太少，自助机又不会用",
)  # fmt: skip
_DISPLEASED = (
    "跑了三趟才办成，每次说的材料都不一样", "排队两个小时，窗口只开了一半", "工作人员爱理不理，问一句答一句",
    "电话打了好几次都没人接",
    "系统老是出错，让我明天再来，明天还是坏的", "网上说不用带的材料，到了窗口又要", "说好五个工作日，半个月了还没有消息",
    "几个部门互相推，最后也没人管",
    "材料退回来不说清楚哪里不对", "预约了还要重新排队，预约有什么用", "只收到一条短信说不予受理，没有说原因",
    "停电脑的时候窗口也不解释，一屋子人干等",
    "医保系统切换那几天完全办不了", "过户的窗口说话很冲，不让多问", "补正了两次还说不行，到底要什么", "中午不办公，下午又说号满了",
    "热线让找窗口，窗口让打热线", "产权证拖了一个多月", "上传的照片总是不合格，也不说标准", "人在外地，非要本人到场",
)  # fmt: skip
_SOLVED_TAILS = ("", "", "，谢谢", "，点赞", "，希望继续保持", "，比前几年好多了")
_FAIR_TAILS = ("", "", "，希望改进", "，总体还行", "，别的都好")
_BAD_TAILS = ("", "", "，很失望", "，请尽快解决", "，希望有人管一管", "，耽误了不少工夫", "，以后不想再来了")
_HEADS = ("", "", "总的来说，", "说实话，", "上周去办的，", "第一次来办，")


def _put_together(bodies: tuple[str, ...], tails: tuple[str, ...]) -> list[str]:
    return [f"{head}{body}{tail}。" for body in bodies for head in _HEADS for tail in tails]


_GROUPS = (_put_together(_DISPLEASED, _BAD_TAILS), _put_together(_FAIR, _FAIR_TAILS), _put_together(_PLEASED, _SOLVED_TAILS))
TEXTS: tuple[str, ...] = tuple(text for group in _GROUPS for text in group)
_FIRST = np.cumsum([0, *(len(group) for group in _GROUPS)])[:-1]
_MANY = np.array([len(group) for group in _GROUPS])


def draw(random: Random, grade: Ints, is_solved: Bools) -> Ints:
    """Return for each person the place in TEXTS of what they say; the satisfied have small wishes too."""
    group = np.where(grade <= 2, 0, np.where(grade == 3, 1, 2))
    group = np.where((group == 2) & (~is_solved | (random.random(len(grade)) < 0.18)), 1, group)
    return np.asarray(_FIRST[group] + random.integers(0, 1 << 30, len(grade)) % _MANY[group], dtype=np.int64)
