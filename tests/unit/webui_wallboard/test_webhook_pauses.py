"""When a push that failed is tried again."""

from webui.wallboard.webhooks import pause_seconds


def test_failures_make_it_slower_up_to_five_minutes() -> None:
    assert [pause_seconds(10, failures) for failures in (0, 1, 2, 3, 4, 5, 6, 1000)] == [10, 20, 40, 80, 160, 300, 300, 300]
    assert pause_seconds(3600, 5) == 3600
