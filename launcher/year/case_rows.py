"""The year's approval cases as rows, their imports, and the words that callbacks and surveys copy from them."""

import json

import numpy as np

from launcher.year import cases as k
from launcher.year import people
from launcher.year.arrays import DAY, MINUTE, Ints, Random, local_days, moment, new_ids
from launcher.year.calls import Calls
from launcher.year.copying import Cells, Keys, Numbers, Same, Texts, Times, Words
from launcher.year.matters import HALLS, Matters
from launcher.year.telephony_rows import QUEUES
from launcher.year.year import Year


def case_rows(random: Random, matters: Matters, cases: k.Cases) -> dict[str, Cells]:
    """Return the rows of `approval_case`."""
    count = len(cases)
    windows = [name for hall in range(len(HALLS)) for name in k.window_names(hall)]
    firsts = np.cumsum([0, *(windows_ for _, _, _, windows_ in HALLS)])[:-1]
    years = np.datetime_as_string(local_days(cases.closed_at).astype("datetime64[D]"), unit="Y").tolist()
    is_enterprise = matters.is_enterprise[cases.matter].tolist()
    citizens = cases.citizen.tolist()
    told = cases.closed_at + random.integers(2, 50, count) * MINUTE
    return {
        "id": Keys(cases.id),
        "number": Texts(count, lambda part: [f"YC{years[place]}{place + 1:07d}" for place in part]),
        **_matter_words(matters, cases.matter),
        "hall": Words([name for name, *_ in HALLS], cases.hall),
        "window": Words(windows, firsts[cases.hall] + cases.window),
        "region": Words([region for _, region, _, _ in HALLS], cases.hall),
        "applicant": Texts(count, lambda part: [people.applicant(citizens[place], bool(is_enterprise[place])) for place in part]),
        "phone": Texts(count, people.phones(cases.citizen)),
        "is_confidential": Words(("f", "t"), cases.is_confidential.astype(np.int64)),
        "result": Words(k.RESULTS, cases.result),
        "accepted_at": Times(cases.accepted_at),
        "closed_at": Times(cases.closed_at),
        "source": Same("api", count),
        "created_at": Times(cases.accepted_at),
        "updated_at": Times(told),
    }


def _matter_words(matters: Matters, matter: Ints) -> dict[str, Cells]:
    return {
        "matter": Words([one.name for one in matters.all], matter),
        "matter_code": Words([one.code for one in matters.all], matter),
        "unit": Words([one.unit for one in matters.all], matter),
        "category": Words([one.category for one in matters.all], matter),
    }


def context_words(matters: Matters, cases: k.Cases, calls: Calls, matter: Ints, case: Ints, call: Ints) -> dict[str, Cells]:
    """Return the words that a callback and its survey copy from what lies behind them."""
    windows = [name for hall in range(len(HALLS)) for name in k.window_names(hall)]
    firsts = np.cumsum([0, *(count for _, _, _, count in HALLS)])[:-1]
    hall = np.where(case >= 0, cases.hall[case], len(HALLS)) if len(cases) else np.full(len(case), len(HALLS))
    window = np.where(case >= 0, firsts[np.minimum(hall, len(HALLS) - 1)] + cases.window[case], len(windows))
    queue = np.where((call >= 0) & (case < 0), calls.is_enterprise[call].astype(np.int64), -1)
    return {
        **_matter_words(matters, matter),
        "hall": Words([*(name for name, *_ in HALLS), ""], hall),
        "region": Words([*(region for _, region, _, _ in HALLS), ""], hall),
        "window": Words([*windows, ""], window),
        "queue_name": Words(QUEUES, queue),
    }


def import_rows(random: Random, year: Year) -> dict[str, Cells]:
    """Return the rows of `case_import`: one file a week, some rows of some files refused."""
    weeks, many = np.unique(local_days(year.cases.closed_at) // 7, return_counts=True)
    at = np.minimum((weeks * 7 + 7) * DAY + 30 * MINUTE, year.plan.end_micros)
    bad = random.poisson(1.2, len(weeks))
    refused = [
        json.dumps(
            [{"row": 2 + 37 * place, "number": "", "reason": "联系电话不是号码"} for place in range(count)], ensure_ascii=False
        )
        for count in bad.tolist()
    ]
    names = [f"办结件-{moment(one):%Y%m%d}.xlsx" for one in at.tolist()]
    changed = many // 50
    return {
        "id": Keys(new_ids(random, at)),
        "file_name": Texts(len(weeks), lambda part: names[part.start : part.stop]),
        "actor": Same("admin", len(weeks)),
        "created_count": Numbers(many - changed),
        "changed_count": Numbers(changed),
        "unchanged_count": Numbers(many // 100),
        "refused": Texts(len(weeks), lambda part: refused[part.start : part.stop]),
        "created_at": Times(at),
    }
