"""A passage with marked places, as pieces that a template escapes one by one."""

from collections.abc import Iterator, Sequence


def marked(text: str, marks: Sequence[Sequence[int]]) -> Iterator[tuple[bool, str]]:
    """Yield (is marked, stretch) in order; ranges that overlap, run backwards or past the end do no harm."""
    at = 0
    for start, end in sorted((int(mark[0]), int(mark[1])) for mark in marks):
        start, end = max(start, at), min(end, len(text))
        if start >= end:
            continue
        if start > at:
            yield False, text[at:start]
        yield True, text[start:end]
        at = end
    if at < len(text):
        yield False, text[at:]
