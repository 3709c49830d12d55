"""Sequences of one's own: a line of JSON each, as the corpus that a system learnt from has them.

Of the adding problem that is `{"values": [0.5, 0.25, 0.1], "marks": [0, 1]}`, of triggered recall
`{"symbols": "cab", "triggers": [0, 2]}`, with positions counted from 0. Further fields are left
alone, so a line of the corpus, which has the answer beside the sequence, can be asked as well.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.corpora.twins.lagged import Layout, parse_lines
from pipeline.storage.files import write_json
from pipeline.storage.lines import read_lines
from pipeline.storage.predictions import Prediction
from pipeline.tasks.contract import OwnFile, Record, Trained
from pipeline.tasks.memory.shared.storage import write_inputs

TAKES = "a file with a sequence a line, as JSON with the steps and the two marked places"
SUFFIXES = (".jsonl", ".json")
SHOWN = ("answer",)


def prepare(files: Sequence[OwnFile], trained: Trained, folder: Path) -> list[Record]:
    """Write the sequences of all files. Raises UserError naming a line that is none."""
    layout = Layout(**trained.spec["layout"])
    records, inputs = [], []
    for file in files:
        lines = read_lines(file.path, file.name)
        for number, (values, _) in parse_lines(lines, file.name, layout.read, _remedy(layout)):
            records.append({"file": file.name, "line": number, "steps": len(values)})
            inputs.append(values)
    write_inputs(folder, "test", inputs)
    write_json(folder / "items.json", [
        {"id": f"{record['file']}, line {record['line']}"} for record in records])
    return records


def present(item: Record, prediction: Prediction, trained: Trained) -> Iterator[Record]:
    """The number or the class that the system answers."""
    yield {**item, "answer": prediction["answer"]}


def _remedy(layout: Layout) -> str:
    steps = "[0.5, 0.25, 0.1]" if layout.alphabet is None else f'"{layout.alphabet[:1] * 3}"'
    return f'write a line like {{"{layout.steps}": {steps}, "{layout.marks}": [0, 2]}}'
