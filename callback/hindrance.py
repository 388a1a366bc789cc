"""The words for why somebody is not rung, or not yet; pages translate them."""

from enum import StrEnum


class Hindrance(StrEnum):
    """Why not, or why not yet."""

    SAMPLED_OUT = "sampled_out"
    OPTED_OUT = "opted_out"
    RESTING = "resting"
    ASKED_LATELY = "asked_lately"
    DAY_FULL = "day_full"
    TOO_SOON = "too_soon"
    OUTSIDE_WINDOW = "outside_window"
    NOT_YET_DUE = "not_yet_due"
    BEING_RUNG = "being_rung"
    HELD = "held"
    NO_LINE = "no_line"
    NO_AGENT = "no_agent"
    NO_QUESTIONNAIRE = "no_questionnaire"
    NO_PROMPTS = "no_prompts"
    QUOTA_FULL = "quota_full"
    NOT_MOBILE = "not_mobile"
    EXPIRED = "expired"
    ANSWERED_AGAIN = "answered_again"
    MERGED = "merged"
    WAYS_USED_UP = "ways_used_up"
    STOPPED = "stopped"
