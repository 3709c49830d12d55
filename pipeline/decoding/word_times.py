"""When each word was said: as CTM for scorers, SRT for players, TextGrid for phoneticians.

CTM is the time-marked format of NIST's sclite (a recording, a channel, begin, duration, word and
confidence on a line, `;;` before comments); SRT the numbered captions of SubRip, which VLC and
browsers read; TextGrid the text format of Praat (Boersma and Weenink), whose intervals cover a
recording without gaps, and in whose strings a quotation mark is doubled. All of them are written
in whole milliseconds. Words are written so that none can end a line or a field
(`pipeline/storage/words.py`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.decoding.trace import Recognition
from pipeline.storage.words import escaped

_CTM_MARKS = frozenset({"<ALT_BEGIN>", "<ALT>", "<ALT_END>"})


@dataclass(frozen=True)
class TimedWord:
    """A word from `begin` to `end`, in seconds; `confidence` is a probability, or not known."""

    word: str
    begin: float
    end: float
    confidence: float | None = None


def timed_words(recognition: Recognition, words: Sequence[str], frame_seconds: float,
                confidences: Sequence[float] | None = None) -> list[TimedWord]:
    """The best words of an utterance; `words` are those of the network, by their numbers.

    `frame_seconds` lie between the beginnings of two frames.
    """
    known = confidences if confidences is not None else [None] * len(recognition.words)
    return [TimedWord(words[word], start * frame_seconds, end * frame_seconds, confidence)
            for word, start, end, confidence in zip(
                recognition.words, recognition.starts, recognition.ends, known, strict=True)]


def ctm(recording: str, words: Sequence[TimedWord], channel: str = "1") -> str:
    """Lines of a CTM file. Raises ValueError for words out of order."""
    name = escaped(recording)
    if name.startswith(";"):
        name = f"\\u003b{name[1:]}"  # or the line would be a comment
    return "".join(
        f"{name} {escaped(channel)} {_seconds(begin)} {_seconds(end - begin)} "
        f"{escaped(word.word, _CTM_MARKS)}"
        + ("" if word.confidence is None else f" {word.confidence:.3f}") + "\n"
        for word, begin, end in _in_milliseconds(words))


def srt(words: Sequence[TimedWord], pause: float = 0.6, characters: int = 42) -> str:
    """An SRT file: a caption ends before a `pause` (seconds) and within `characters`.

    42 characters are what subtitlers take for a line. Raises ValueError for words out of order.
    """
    return "".join(
        f"{number}\n{_clock(begin)} --> {_clock(end)}\n{text}\n\n"
        for number, (text, begin, end) in enumerate(_captions(words, pause, characters), start=1))


def textgrid(words: Sequence[TimedWord], seconds: float) -> str:
    """A TextGrid file of a recording of `seconds`: a tier of words, one of confidences if known.

    Where no word was said stand empty intervals. Raises ValueError for words out of order or
    behind the recording's end.
    """
    length = _milliseconds(seconds)
    spans = [(word.word, begin, end) for word, begin, end in _in_milliseconds(words)]
    if spans and spans[-1][2] > length:
        raise ValueError(f"the word {spans[-1][0]!r} ends behind the recording, at "
                         f"{_seconds(spans[-1][2])} of {_seconds(length)} seconds")
    tiers = [("words", [escaped(word.word) for word in words])]
    if any(word.confidence is not None for word in words):
        tiers.append(("confidence", ["" if word.confidence is None else f"{word.confidence:.3f}"
                                     for word in words]))
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "",
             "xmin = 0.000", f"xmax = {_seconds(length)}", "tiers? <exists>",
             f"size = {len(tiers)}", "item []:"]
    for number, (name, texts) in enumerate(tiers, start=1):
        times = [(begin, end) for _, begin, end in spans]
        lines += [f"    item [{number}]:", *_tier(name, list(_covering(texts, times, length)),
                                                 length)]
    return "\n".join(lines) + "\n"


def _tier(name: str, intervals: Sequence[tuple[str, int, int]], length: int) -> Iterator[str]:
    indent = " " * 8
    yield f'{indent}class = "IntervalTier"'
    yield f'{indent}name = "{name}"'
    yield f"{indent}xmin = 0.000"
    yield f"{indent}xmax = {_seconds(length)}"
    yield f"{indent}intervals: size = {len(intervals)}"
    for number, (text, begin, end) in enumerate(intervals, start=1):
        quoted = text.replace('"', '""')
        yield f"{indent}intervals [{number}]:"
        yield f"{indent}    xmin = {_seconds(begin)}"
        yield f"{indent}    xmax = {_seconds(end)}"
        yield f'{indent}    text = "{quoted}"'


def _covering(texts: Sequence[str], times: Sequence[tuple[int, int]],
              length: int) -> Iterator[tuple[str, int, int]]:
    """Intervals of words, and empty ones between them."""
    reached = 0
    for text, (begin, end) in zip(texts, times, strict=True):
        if begin > reached:
            yield "", reached, begin
        yield text, begin, end
        reached = end
    if reached < length or not times:
        yield "", reached, length


def _captions(words: Sequence[TimedWord], pause: float,
              characters: int) -> Iterator[tuple[str, int, int]]:
    """Text, begin and end of captions."""
    text, begun, ended = "", 0, 0
    for word, begin, end in _in_milliseconds(words):
        more = escaped(word.word)
        fits = len(text) + 1 + len(more) <= characters
        if text and fits and begin - ended < _milliseconds(pause):
            text, ended = f"{text} {more}", end
            continue
        if text:
            yield text, begun, ended
        text, begun, ended = more, begin, end
    if text:
        yield text, begun, ended


def _in_milliseconds(words: Sequence[TimedWord]) -> Iterator[tuple[TimedWord, int, int]]:
    """Words with begin and end, in order."""
    reached = 0
    for word in words:
        begin, end = _milliseconds(word.begin), _milliseconds(word.end)
        if not reached <= begin < end:
            raise ValueError(f"the word {word.word!r} from {_seconds(begin)} to {_seconds(end)} "
                             f"seconds does not follow {_seconds(reached)}; give words in the "
                             "order of time, each a millisecond long at least")
        reached = end
        yield word, begin, end


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds / 1000:.3f}"


def _clock(milliseconds: int) -> str:
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{rest // 1000:02},{rest % 1000:03}"
