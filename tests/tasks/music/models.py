"""Small untrained networks over rolls."""

from typing import Any

import torch

from pipeline.entries import TrainingSettings
from pipeline.tasks.music.shared.roll_model import RollModel
from pipeline.tasks.music.systems import recurrent, time_note

SPEC = {"lowest_key": 39, "highest_key": 51, "predicted_steps": 98,
        "openings": [[60, 67], [62, 69]]}
OWN = {"recurrent": {"hidden": 12, "layers": 1, "dropout_input": 0.0, "dropout_output": 0.0,
                     "dropout_weights": 0.0},
       "time_note": {"time_hidden": 10, "time_layers": 1, "note_hidden": 8, "note_layers": 1,
                     "vicinity": 12, "below": 3, "beats": 4, "dropout_time": 0.0,
                     "dropout_note": 0.0}}
MODELS = {"recurrent": recurrent, "time_note": time_note}
CLASSES = {"recurrent": recurrent.RecurrentRolls, "time_note": time_note.TimeNote}


def new(model: str, spec: dict[str, Any] = SPEC, **changes: Any) -> RollModel:
    """A network that plays many notes, other ones from key to key and step to step."""
    training = TrainingSettings(
        epochs=60, optimizer="adam", learning_rate=0.02, schedule="cosine", warmup_steps=0,
        weight_decay=0.0, gradient_clip=1.0, patience=0)
    settings = MODELS[model].Settings.model_validate({
        "track": "t", "model": model, "cell": "lstm", "dropout_hidden": 0.0,
        "transpose": 0, "batch_pieces": 8, "training": training, **OWN[model], **changes})
    torch.manual_seed(5)
    system = CLASSES[model](settings, spec)
    with torch.no_grad():
        for parameter in system.parameters():
            parameter.mul_(2.0)
        system.output.bias.fill_(-0.5)
    return system.eval()
