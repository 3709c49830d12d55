"""Sums of two binary numbers of equal length, generated; numbers to learn from are short.

A plain text file a split, `train.txt`, `valid.txt` and `test.txt`, one sum a line as people write
it, most significant bit first: `0110 + 1011 = 10001`. Both numbers have N bits, leading zeros
included, and their sum has N + 1.

Numbers of 1 to `trained` bits are in all splits, and no pair is in two of them: of each length
there are `train`, `valid` and `test` pairs, or shares of all pairs in these proportions where there
are fewer. Numbers of the `longer` lengths are in the test split alone. Random bits pass a carry on
over a few places only, so to each longer length come pairs with one that runs at least half of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Literal, Self

from pydantic import Field

from pipeline.entries import CorpusSettings
from pipeline.errors import UserError
from pipeline.storage.files import write_text
from pipeline.storage.lines import read_lines

Split = Literal["train", "valid", "test"]
Pair = tuple[int, int]

SPLITS: tuple[Split, ...] = ("train", "valid", "test")


class Settings(CorpusSettings):
    """How long the numbers are, and pairs of each length in each split."""

    seed: int = Field(ge=0)
    trained: int = Field(ge=1, le=10, description="bits of the longest numbers to learn from")
    longer: list[int] = Field(description="bits of the further numbers of the test split")
    train: int = Field(ge=1)
    valid: int = Field(ge=1)
    test: int = Field(ge=1)
    runs: int = Field(ge=0, description="further pairs of each longer length, with a long carry")

    def smallest(self) -> Self:
        return self.model_copy(update={"train": 40, "valid": 8, "test": 8, "runs": 4})


@dataclass(frozen=True)
class Addition:
    """Two numbers of equally many bits and their sum of one more, most significant bit first."""

    id: str
    first: str
    second: str
    sum: str


def prepare(settings: Settings, directory: Path, mirror: Path | None) -> None:
    """Write the three files. Raises UserError for a longer length that is trained already."""
    short = [bits for bits in settings.longer if bits <= settings.trained]
    if short:
        raise UserError(f"corpus {settings.module}: longer has {short[0]} bits, but numbers of up "
                        f"to {settings.trained} are learnt from; remove it")
    lines: dict[Split, list[str]] = {split: [] for split in SPLITS}
    for bits in range(1, settings.trained + 1):
        for split, pairs in zip(SPLITS, _divided(settings, bits), strict=True):
            lines[split] += [_written(pair, bits) for pair in pairs]
    for bits in settings.longer:
        random = Random(f"addition {settings.seed} {bits}")
        lines["test"] += [_written((random.getrandbits(bits), random.getrandbits(bits)), bits)
                          for _ in range(settings.test)]
        lines["test"] += [_written(with_long_carry(bits, random), bits)
                          for _ in range(settings.runs)]
    # Whoever learns from the first few lines alone gets all lengths.
    Random(f"order {settings.seed}").shuffle(lines["train"])
    for split in SPLITS:
        write_text(directory / f"{split}.txt", "".join(f"{line}\n" for line in lines[split]))


def additions(directory: Path, split: Split) -> list[Addition]:
    """The sums of a split.

    Raises UserError naming file and line for one of another form or that is wrong.
    """
    path = directory / f"{split}.txt"
    return [_parsed(f"{path}, line {number}", f"{split}-{number:06d}", line)
            for number, line in enumerate(read_lines(path), start=1)]


def ceiling(directory: Path, split: Split) -> float:
    """Sums of who adds without a mistake, in percent."""
    return 100.0


def with_long_carry(bits: int, random: Random) -> Pair:
    """Random numbers but for a carry that is made at one place and passed on to bits // 2 more.

    The places after it are random again, so it may run further.
    """
    run = bits // 2
    made = random.randrange(bits - run)
    first, second = random.getrandbits(bits), random.getrandbits(bits)
    passed_on = (1 << run) - 1 << made + 1
    second = (second & ~passed_on) | (~first & passed_on)
    return first | 1 << made, second | 1 << made


def _divided(settings: Settings, bits: int) -> Iterator[list[Pair]]:
    """Different pairs of numbers of `bits` for each split; each has one at least."""
    sizes = [settings.train, settings.valid, settings.test]
    known, wanted = 4**bits, sum(sizes)
    if wanted > known:
        valid, test = (max(1, known * size // wanted) for size in sizes[1:])
        sizes = [known - valid - test, valid, test]
    random = Random(f"addition {settings.seed} {bits}")
    drawn = iter(random.sample(range(known), sum(sizes)))
    for size in sizes:
        yield [divmod(next(drawn), 2**bits) for _ in range(size)]


def _written(pair: Pair, bits: int) -> str:
    first, second = pair
    return f"{first:0{bits}b} + {second:0{bits}b} = {first + second:0{bits + 1}b}"


def _parsed(where: str, identity: str, line: str) -> Addition:
    words = line.split(" ")
    if len(words) != 5 or words[1::2] != ["+", "="]:
        raise UserError(f"{where}: expected 'bits + bits = bits', got {line[:60]!r}; mend the file")
    first, second, total = words[::2]
    if not all(number and set(number) <= {"0", "1"} for number in (first, second, total)):
        raise UserError(f"{where}: a number has digits other than 0 and 1; mend the file")
    if not len(first) == len(second) == len(total) - 1:
        raise UserError(f"{where}: numbers of {len(first)}, {len(second)} and {len(total)} bits; "
                        "both need the same, and their sum one more; mend the file")
    if int(first, 2) + int(second, 2) != int(total, 2):
        raise UserError(f"{where}: the sum is wrong; mend the file")
    return Addition(identity, first, second, total)
