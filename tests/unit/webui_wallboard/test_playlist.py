"""What a playlist may be."""

import pytest

from webui.wallboard.playlist import DEFAULT_PLAYLIST, BadPlaylistError, PageKind, PlaylistPage, read_playlist


def test_pages_in_order_with_their_seconds() -> None:
    sent = [("topics", "30"), ("", "20"), ("operation", ""), ("topics", "5")]
    assert read_playlist(sent) == (
        PlaylistPage(PageKind.TOPICS, 30), PlaylistPage(PageKind.OPERATION, 20), PlaylistPage(PageKind.TOPICS, 5)
    )  # fmt: skip


def test_the_usual_one_has_every_page_for_twenty_seconds() -> None:
    assert [(page.kind, page.seconds) for page in DEFAULT_PLAYLIST] == [(kind, 20) for kind in PageKind]


@pytest.mark.parametrize(
    "sent",
    [
        [], [("", "20")], [("operation", "4")], [("operation", "601")], [("operation", "-9")], [("operation", "1e1")],
        [("operation", "２０")], [("<script>", "20")], [("operation", "20")] * 7, [("operation", "9999999999999")],
    ],
)  # fmt: skip
def test_refused(sent: list[tuple[str, str]]) -> None:
    with pytest.raises(BadPlaylistError):
        read_playlist(sent)
