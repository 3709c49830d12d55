"""ARPA files: the text format in which n-gram toolkits exchange back-off models.

One section an order; a line is log10 p(w | h), the n-gram, and log10 backoff(n-gram) where the
n-gram is the context of a longer one. `<s>` and `</s>` bracket a sentence, as SRILM and KenLM
expect; `<unk>` is every word that has no other n-gram. A word that some reader would take for a
mark, or for two words, stands there as `pipeline.storage.words.escaped` gives it.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from pipeline.ngram.model import NgramModel
from pipeline.storage.files import atomic_writer
from pipeline.storage.words import escaped

START, END, UNKNOWN = "<s>", "</s>", "<unk>"
RESERVED = frozenset({START, END, "<UNK>"})  # KenLM takes the last one for <unk>


def write(path: Path, model: NgramModel, words: Sequence[str]) -> None:
    """Write `model` with the vocabulary `words`, shape [types]; `words[model.end]` becomes </s>.

    Raises ValueError when the words do not fit the model.
    """
    if len(words) != model.types:
        raise ValueError(f"expected {model.types} words, got {len(words)}")
    with atomic_writer(path) as file:
        for block in _blocks(model, [escaped(word, RESERVED) for word in words]):
            file.write(block.encode("utf-8"))


def _blocks(model: NgramModel, words: Sequence[str]) -> Iterator[str]:
    sizes = [len(table.keys) for table in model.tables]
    yield "\\data\\\n" + "".join(f"ngram {n}={size}\n" for n, size in enumerate(sizes, start=1))
    names = np.array([*words, START], dtype=object)
    names[model.end] = END
    texts = names
    for n, table in enumerate(model.tables, start=1):
        if n > 1:
            texts = texts[table.keys // model.base] + " " + names[table.keys % model.base]
        logs = (table.log_probability.astype(np.float64) / np.log(10)).tolist()
        backoffs = (table.log_backoff.astype(np.float64) / np.log(10)).tolist()
        yield f"\n\\{n}-grams:\n"
        if n < model.order:
            yield "".join(f"{log:.7g}\t{text}\t{backoff:.7g}\n" for log, text, backoff
                          in zip(logs, texts, backoffs, strict=True))
        else:
            yield "".join(f"{log:.7g}\t{text}\n"
                          for log, text in zip(logs, texts, strict=True))
    yield "\n\\end\\\n"
