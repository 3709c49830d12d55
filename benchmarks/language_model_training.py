"""A training step of the Penn Treebank LSTM beside the same model as a plain torch loop.

Both have the settings of `lm-lstm` in real/params.yaml: widths, dropout, window, streams, Adam and
gradient clipping. The plain loop is fp32 with nn.LSTM, nn.Dropout and cross entropy of all logits;
ours is what `pipeline.systems.training` runs, in bf16 where the processor has it. The words are
drawn at random, which changes no time.
"""

import argparse
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.timing import ROOT, compare
from pipeline.ending import run_command
from pipeline.suite.schema import load
from pipeline.systems.precision import has_bf16_instructions
from pipeline.tasks.language_model.systems.recurrent import RecurrentLanguageModel, Settings

TYPES = 10_000


class Plain(nn.Module):
    """The model as one writes it down with torch's modules."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        widths = [settings.embedding, *[settings.hidden] * (settings.layers - 1),
                  settings.embedding]
        self.embedding = nn.Embedding(TYPES, settings.embedding)
        self.layers = nn.ModuleList(nn.LSTM(below, width)
                                    for below, width in zip(widths, widths[1:], strict=False))
        self.input_dropout = nn.Dropout(settings.dropout_input)
        self.hidden_dropout = nn.Dropout(settings.dropout_hidden)
        self.output_dropout = nn.Dropout(settings.dropout_output)
        self.output = nn.Linear(settings.embedding, TYPES)
        self.output.weight = self.embedding.weight

    def forward(self, inputs: Tensor, targets: Tensor) -> Tensor:
        hidden = self.input_dropout(self.embedding(inputs))
        for index, layer in enumerate(self.layers):
            hidden, _ = layer(self.hidden_dropout(hidden) if index else hidden)
        logits = self.output(self.output_dropout(hidden))
        return functional.cross_entropy(logits.flatten(0, 1), targets.flatten())


def step(model: nn.Module, loss: Callable[[], Tensor], clip: float,
         bf16: bool) -> Callable[[], None]:
    """One step of training as a function without arguments."""
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

    def run() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            value = loss()
        optimizer.zero_grad(set_to_none=True)
        value.backward()
        nn.utils.clip_grad_norm_(model.parameters(), clip)
        optimizer.step()

    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--streams", type=int, help="batch size (default: that of the settings)")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    settings: Settings = load(ROOT / "real/params.yaml").system("lm-lstm")
    streams = arguments.streams or settings.batch_streams
    torch.manual_seed(1)
    words = torch.randint(TYPES, (settings.window + 1, streams))
    inputs, targets = words[:-1], words[1:]
    vocabulary = ["<unk>", "<eos>", *map(str, range(TYPES - 2))]
    ours = RecurrentLanguageModel(settings, {"unit": "word", "vocabulary": vocabulary}).train()
    plain = Plain(settings).train()

    def our_loss() -> Tensor:
        total, terms = ours.loss({"inputs": inputs, "targets": targets})
        return total / terms

    bf16 = has_bf16_instructions()
    clip = settings.training.gradient_clip
    print(f"{settings.window} steps of {streams} streams, "
          f"{ours.parameters_count:,} parameters, {arguments.threads} thread(s), "
          f"ours in {'bf16' if bf16 else 'fp32: this processor has no bf16 instructions'}")
    compare(step(ours, our_loss, clip, bf16),
            step(plain, lambda: plain(inputs, targets), clip, bf16=False),
            arguments.rounds, "a step of ours", "a step of the plain loop")


if __name__ == "__main__":
    run_command(main)
