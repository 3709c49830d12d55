"""What the project shows of itself first: pictures and a recognised sentence, from docs/pictures/.

They are committed, so that a clone in which nothing has been trained has something to look at and
to hear. `pipeline.site.drawing_showpieces` makes them of results; `shown.json` says what each is.
The sentence is a test item of the embedded suite. Its voice reads it again here, sample by sample
as it did for the corpus, so no recording has to be committed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from typing_extensions import TypedDict

from pipeline.corpora.twins.espeak import Voice
from pipeline.errors import UserError
from pipeline.site.figures import checked_picture
from pipeline.site.items import Timed
from pipeline.site.speech import Sound, read_out
from pipeline.storage.shapes import read_shaped

FOLDER = "docs/pictures"
LIST, SENTENCE = "shown.json", "sentence.json"
_AGAIN = "take the committed file back"


class ListedPicture(TypedDict):
    """An entry of `shown.json`; `picture` is a path from the project's folder."""

    picture: str
    alt: str
    caption: str
    suite: str
    track: str
    row: str


class SpokenBy(TypedDict):
    """A voice of espeak-ng, as `pipeline.corpora.twins.espeak.Voice` has it."""

    accent: str
    variant: str
    pitch: int
    pitch_range: int
    words_per_minute: int


class Heard(TypedDict):
    """What a row has recognised of a test item of the embedded suite, and when."""

    suite: str
    track: str
    row: str
    id: str
    text: str
    voice: SpokenBy
    words: list[str]
    begins: list[float]
    ends: list[float]


@dataclass(frozen=True)
class Picture:
    """A picture with the name that it has in the site, its words, and the row that it is of."""

    file: str
    content: bytes
    about: ListedPicture


@dataclass(frozen=True)
class Sentence:
    """A sentence to be heard; `sound` is None where no voice can be had."""

    about: Heard
    sound: Sound | None

    @property
    def heard(self) -> Sequence[Timed]:
        """Each word that was recognised, with its times in seconds."""
        return list(zip(self.about["words"], self.about["begins"], self.about["ends"],
                        strict=True))

    @property
    def seconds(self) -> float:
        return max([self.about["ends"][-1], self.sound.seconds if self.sound else 0.0])


@dataclass(frozen=True)
class Showpieces:
    """Empty of a project that has none."""

    pictures: Sequence[Picture] = ()
    sentence: Sentence | None = None


def showpieces(root: Path) -> Showpieces:
    """What docs/pictures/ of a project lists, as far as it is here.

    A picture of a leaderboard that has not been written is left out. Raises UserError for a damaged
    file.
    """
    folder = root / FOLDER
    if not (folder / LIST).is_file():
        return Showpieces()
    listed = read_shaped(folder / LIST, list[ListedPicture], _AGAIN)
    return Showpieces(
        [Picture("-".join(Path(entry["picture"]).parts[-2:]), checked_picture(path), entry)
         for entry in listed if (path := root / entry["picture"]).is_file()],
        _sentence(folder / SENTENCE))


def _sentence(path: Path) -> Sentence | None:
    if not path.is_file():
        return None
    heard = read_shaped(path, Heard, _AGAIN)
    if not heard["words"] or len({len(heard[name]) for name in ("words", "begins", "ends")}) > 1:
        raise UserError(f"{path}: a word has to have its begin and end, and there is no word or a "
                        f"time too few; {_AGAIN}")
    return Sentence(heard, read_out(
        heard["text"], "A test sentence of the embedded suite, spoken by the synthetic voice that "
        "the systems heard.", Voice(**heard["voice"])))
