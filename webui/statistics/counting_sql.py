"""How a stretch of days is counted, in PostgreSQL's own words: one statement for each part.

Every statement takes :start and :end (the first moment of the first day, and of the day after the last), :now, and the
rules :target, :short, :repeat. They read the stages' tables and fill ours, which `counting` emptied for these days before.
"""

_DAY = "AT TIME ZONE 'Asia/Shanghai')::date"

# The hotline's calls, each with what it counts as. Index lookups a call: its note, the wrap-up of everybody who spoke, the next
# call of the same number, its suggestions.
CALL_ROWS = f"""
  SELECT c.id, c.started_at, (c.started_at {_DAY} AS day, date_trunc('hour', c.started_at) AS hour_at,
    coalesce(c.queue_name, '') AS queue_name, coalesce(n.category, '') AS category, coalesce(c.waiting_seconds, 0) AS waiting,
    c.answered_at IS NOT NULL AS is_answered,
    c.answered_at IS NULL AND c.outcome = 'abandoned' AND coalesce(c.waiting_seconds, 0) >= :short AS is_abandoned,
    c.answered_at IS NULL AND c.outcome = 'abandoned' AND coalesce(c.waiting_seconds, 0) < :short AS is_short,
    c.answered_at IS NULL AND c.outcome = 'failed' AS is_unserved,
    c.answered_at IS NOT NULL AND c.ended_at IS NOT NULL AS is_handled,
    coalesce(c.talking_seconds, 0) AS talking, coalesce(w.seconds, 0) AS wrapup,
    c.answered_at IS NOT NULL AND n.disposition = '即时答复' AS is_direct,
    c.answered_at IS NOT NULL AND c.caller_number <> ''
      AND c.started_at <= CAST(:now AS timestamptz) - make_interval(days => :repeat) AS is_followed,
    EXISTS (SELECT FROM call again WHERE again.caller_number = c.caller_number AND again.started_at > c.started_at
      AND again.started_at <= c.started_at + make_interval(days => :repeat) AND again.direction = 'in') AS is_repeated,
    s.is_suggested, s.is_adopted
  FROM call c
  LEFT JOIN call_note n ON n.call_id = c.id
  LEFT JOIN LATERAL (
    SELECT sum(extract(epoch FROM coalesce(x.ended_at, CAST(:now AS timestamptz)) - x.started_at)) AS seconds
    FROM call_leg l
    JOIN agent_state_change x ON x.agent_id = l.agent_id AND x.state = 'wrapup'
      AND x.started_at BETWEEN l.ended_at - interval '5 seconds' AND l.ended_at + interval '5 seconds'
    WHERE l.call_id = c.id AND l.answered_at IS NOT NULL
  ) w ON true
  LEFT JOIN LATERAL (
    SELECT count(*) > 0 AS is_suggested,
      coalesce(bool_or(EXISTS (SELECT FROM suggestion_feedback f
        WHERE f.suggestion_id = g.id AND f.kind = 'adopted' AND f.undone_at IS NULL)), false) AS is_adopted
    FROM suggestion g WHERE g.call_id = c.id
  ) s ON true
  WHERE c.started_at >= :start AND c.started_at < :end AND c.direction = 'in' AND c.queued_at IS NOT NULL
"""

# What is counted of these rows, by the column that keeps it; the calls behind a number are found by the same words.
CALL_CONDITIONS = {
    "offered": "(is_answered OR is_abandoned OR is_unserved)",
    "answered": "is_answered",
    "in_time": "is_answered AND waiting <= :target",
    "abandoned": "is_abandoned",
    "short_abandoned": "is_short",
    "unserved": "is_unserved",
    "handled": "is_handled",
    "direct": "is_direct",
    "followed": "is_followed",
    "resolved": "is_followed AND is_direct AND NOT is_repeated",
    "suggested": "is_answered AND is_suggested",
    "adopted": "is_answered AND is_adopted",
}


def _calls(*names: str) -> str:
    return ", ".join(f"count(*) FILTER (WHERE {CALL_CONDITIONS[name]})" for name in names)


CALLS = f"""
WITH one AS MATERIALIZED ({CALL_ROWS}), by_day AS (
  INSERT INTO statistics_calls
    (day, queue_name, category, offered, answered, in_time, abandoned, short_abandoned, unserved, handled, waiting_seconds,
     talking_seconds, wrapup_seconds, direct, followed, resolved, suggested, adopted)
  SELECT day, queue_name, category,
    {_calls("offered", "answered", "in_time", "abandoned", "short_abandoned", "unserved", "handled")},
    coalesce(sum(waiting) FILTER (WHERE is_answered), 0), coalesce(sum(talking) FILTER (WHERE is_handled), 0),
    coalesce(sum(wrapup) FILTER (WHERE is_handled), 0), {_calls("direct", "followed", "resolved", "suggested", "adopted")}
  FROM one GROUP BY 1, 2, 3
), by_hour AS (
  INSERT INTO statistics_hour (hour_at, queue_name, offered, answered, in_time, abandoned)
  SELECT hour_at, queue_name, {_calls("offered", "answered", "in_time", "abandoned")}
  FROM one GROUP BY 1, 2
)
INSERT INTO statistics_spread (day, measure, queue_name, bucket, count)
SELECT day, 'wait', queue_name, floor(waiting), count(*) FROM one WHERE is_answered GROUP BY 1, 3, 4
"""

LAG = f"""
INSERT INTO statistics_spread (day, measure, queue_name, bucket, count)
SELECT (c.started_at {_DAY}, 'lag', coalesce(c.queue_name, ''), round(CAST(g.lag_seconds AS numeric), 1), count(*)
FROM call c JOIN segment g ON g.call_id = c.id AND g.kind = 'live' AND g.lag_seconds IS NOT NULL
WHERE c.started_at >= :start AND c.started_at < :end AND c.direction = 'in' AND c.queued_at IS NOT NULL
GROUP BY 1, 3, 4
"""

# A state may begin the day before; one that lasts longer than two days is a seat that somebody forgot.
AGENTS = f"""
WITH spent AS (
  SELECT CAST(d AS date) AS day, x.agent_id, x.state,
    extract(epoch FROM least(coalesce(x.ended_at, CAST(:now AS timestamptz)), (d + interval '1 day') AT TIME ZONE 'Asia/Shanghai')
      - greatest(x.started_at, d AT TIME ZONE 'Asia/Shanghai')) AS seconds
  FROM agent a
  JOIN agent_state_change x ON x.agent_id = a.id AND x.started_at >= CAST(:start AS timestamptz) - interval '2 days'
    AND x.started_at < :end AND coalesce(x.ended_at, CAST(:now AS timestamptz)) > :start AND x.state <> 'offline'
  CROSS JOIN LATERAL generate_series(
    date_trunc('day', greatest(x.started_at, CAST(:start AS timestamptz)) AT TIME ZONE 'Asia/Shanghai'),
    (least(coalesce(x.ended_at, CAST(:now AS timestamptz)), CAST(:end AS timestamptz) - interval '1 microsecond')
      AT TIME ZONE 'Asia/Shanghai'), interval '1 day') d
), states AS (
  SELECT day, agent_id, sum(seconds) FILTER (WHERE state = 'ready') AS ready,
    sum(seconds) FILTER (WHERE state = 'ringing') AS ringing,
    sum(seconds) FILTER (WHERE state IN ('talking', 'held')) AS talking, sum(seconds) FILTER (WHERE state = 'wrapup') AS wrapup,
    sum(seconds) FILTER (WHERE state = 'paused') AS paused
  FROM spent GROUP BY 1, 2
), legs AS (
  SELECT (l.rang_at {_DAY} AS day, l.agent_id, count(l.answered_at) AS answered,
    count(*) FILTER (WHERE l.outcome = 'answered') AS concluded, count(*) FILTER (WHERE l.outcome = 'missed') AS missed
  FROM agent a
  JOIN call_leg l ON l.agent_id = a.id AND l.rang_at >= :start AND l.rang_at < :end
  JOIN call c ON c.id = l.call_id AND c.direction = 'in'
  GROUP BY 1, 2
), ratings AS (
  SELECT (s.offered_at {_DAY} AS day, s.agent_id, count(*) AS offered, count(r.score) AS rated,
    count(*) FILTER (WHERE s.state = 'skipped') AS skipped, count(*) FILTER (WHERE s.state = 'hung_up') AS hung_up,
    count(*) FILTER (WHERE r.score >= 4) AS satisfied, count(*) FILTER (WHERE r.score = 3) AS barely
  FROM survey s
  LEFT JOIN LATERAL (
    SELECT min(w.score) AS score FROM answer w WHERE w.survey_id = s.id AND w.kind = 'rating' AND NOT w.is_late) r ON true
  WHERE s.kind = 'after_call' AND s.offered_at >= :start AND s.offered_at < :end AND s.agent_id IS NOT NULL
    AND s.withdrawn_at IS NULL
  GROUP BY 1, 2
)
INSERT INTO statistics_agent (day, agent_id, answered, concluded, missed, ready_seconds, ringing_seconds, talking_seconds,
  wrapup_seconds, paused_seconds, rating_offered, rated, rating_skipped, rating_hung_up, rated_satisfied, rated_barely)
SELECT day, agent_id, coalesce(legs.answered, 0), coalesce(legs.concluded, 0), coalesce(legs.missed, 0),
  coalesce(states.ready, 0), coalesce(states.ringing, 0), coalesce(states.talking, 0), coalesce(states.wrapup, 0),
  coalesce(states.paused, 0), coalesce(ratings.offered, 0), coalesce(ratings.rated, 0), coalesce(ratings.skipped, 0),
  coalesce(ratings.hung_up, 0), coalesce(ratings.satisfied, 0), coalesce(ratings.barely, 0)
FROM states FULL JOIN legs USING (day, agent_id) FULL JOIN ratings USING (day, agent_id)
"""

_CALLBACK_SLICE = """b.reason AS kind, '' AS way, coalesce(CAST(b.questionnaire_version_id AS text), '') AS version_id,
  coalesce(b.queue_name, '') AS queue_name, b.hall, b.unit, b.region, b.category"""
_SURVEY_SLICE = """s.kind, s.way, CAST(s.questionnaire_version_id AS text) AS version_id, coalesce(s.queue_name, '') AS queue_name,
  s.hall, s.unit, s.region, s.category"""
_NAMES = "kind, way, version_id, queue_name, hall, unit, region, category"


def _sliced(counted: str, target: str, columns: str) -> tuple[str, str]:
    """Return two statements over the rows of `counted`: make the slices that are missing, then insert the counts."""
    slices = (
        f"WITH counted AS ({counted}) INSERT INTO statistics_slice ({_NAMES}) SELECT DISTINCT {_NAMES} FROM counted "
        "ON CONFLICT DO NOTHING"
    )
    counts = (
        f"WITH counted AS MATERIALIZED ({counted}) INSERT INTO {target} (grain, day, slice_id, {columns}) "
        f"SELECT 'day', c.day, l.id, {columns} FROM counted c JOIN statistics_slice l USING ({_NAMES})"
    )
    return slices, counts


_OWED = "b.state NOT IN ('cancelled', 'not_sampled')"
_CONTACTED = f"{_OWED} AND b.contacted_at IS NOT NULL"
_DUE = f"{_OWED} AND b.promised_by <= :now"
# By the moment that decides the day, and by the column that keeps it; the callbacks behind a number are found by the same words.
CALLBACK_CONDITIONS = {
    "owed": ("created_at", _OWED),
    "contacted": ("created_at", _CONTACTED),
    "refused": ("created_at", f"{_CONTACTED} AND coalesce(b.disposition, '') IN ('refused', 'opted_out')"),
    "unreachable": ("created_at", f"{_OWED} AND coalesce(b.disposition, '') IN ('wrong_number', 'invalid_number')"),
    "done": ("created_at", "b.state = 'done'"),
    "due": ("promised_by", _DUE),
    "in_time": ("promised_by", f"{_DUE} AND coalesce(b.contacted_at <= b.promised_by, false)"),
    "cancelled": ("created_at", "b.state = 'cancelled'"),
    "not_sampled": ("created_at", "b.state = 'not_sampled'"),
}
CALLBACK_COLUMNS = ", ".join(CALLBACK_CONDITIONS)


def _callbacks(clock: str) -> str:
    return ", ".join(
        f"({condition})::int AS {name}" if decides == clock else f"0 AS {name}"
        for name, (decides, condition) in CALLBACK_CONDITIONS.items()
    )


_CALLBACKS = f"""
SELECT day, {_NAMES}, {", ".join(f"sum({name}) AS {name}" for name in CALLBACK_CONDITIONS)}
FROM (
  SELECT (b.created_at {_DAY} AS day, {_CALLBACK_SLICE}, {_callbacks("created_at")}
  FROM callback b WHERE b.created_at >= :start AND b.created_at < :end
  UNION ALL
  SELECT (b.promised_by {_DAY} AS day, {_CALLBACK_SLICE}, {_callbacks("promised_by")}
  FROM callback b WHERE b.promised_by >= :start AND b.promised_by < :end AND {_OWED}
) x GROUP BY day, {_NAMES}
"""
CALLBACKS = _sliced(_CALLBACKS, "statistics_callbacks", CALLBACK_COLUMNS)

_ASKED = "s.withdrawn_at IS NULL"
# By the column that keeps it; the surveys behind a number are found by the same words.
SURVEY_CONDITIONS = {
    "offered": _ASKED,
    "answered": f"{_ASKED} AND EXISTS (SELECT FROM answer w WHERE w.survey_id = s.id)",
    **{state: f"{_ASKED} AND s.state = '{state}'" for state in ("completed", "partial", "refused", "skipped", "expired")},
    "withdrawn": "s.withdrawn_at IS NOT NULL",
}
SURVEY_COLUMNS = ", ".join(SURVEY_CONDITIONS)
_SURVEYS = f"""
SELECT (s.offered_at {_DAY} AS day, {_SURVEY_SLICE},
  {", ".join(f"count(*) FILTER (WHERE {condition}) AS {name}" for name, condition in SURVEY_CONDITIONS.items())}
FROM survey s WHERE s.offered_at >= :start AND s.offered_at < :end
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
"""
SURVEYS = _sliced(_SURVEYS, "statistics_surveys", SURVEY_COLUMNS)

ANSWER_COLUMNS = "question_key, question_kind, option, excluded, count, weight, squared"
_ANSWERS = f"""
SELECT (w.answered_at {_DAY} AS day, {_SURVEY_SLICE}, w.question_key, w.kind AS question_kind, o.option,
  CASE WHEN s.withdrawn_at IS NOT NULL THEN 'withdrawn' WHEN w.is_late THEN 'late' ELSE '' END AS excluded,
  count(*) AS count, sum(s.weight) AS weight, sum(s.weight * s.weight) AS squared
FROM answer w JOIN survey s ON s.id = w.survey_id
CROSS JOIN LATERAL (
  SELECT CAST(w.score AS text) AS option WHERE w.kind IN ('rating', 'scale', 'number', 'yes_no') AND w.score IS NOT NULL
  UNION ALL SELECT w.value #>> '{{}}' WHERE w.kind = 'single'
  UNION ALL SELECT '' WHERE w.kind = 'text'
  UNION ALL SELECT '*' WHERE w.kind = 'multiple'
  UNION ALL SELECT DISTINCT chosen FROM jsonb_array_elements_text(
    CASE WHEN w.kind = 'multiple' AND jsonb_typeof(w.value) = 'array' THEN w.value ELSE '[]' END) chosen
) o
WHERE w.answered_at >= :start AND w.answered_at < :end AND o.option IS NOT NULL
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13
"""
ANSWERS = _sliced(_ANSWERS, "statistics_answers", ANSWER_COLUMNS)
