"""The one trainer: Lightning around any `NeuralSystem`, with exact resume.

An epoch is cut into segments of a fixed number of batches and each segment is an epoch in
Lightning's eyes. Lightning resumes exactly at the end of its epochs, so a killed process loses one
segment at most, and a resumed run ends with the very weights of an uninterrupted one: the order of
batches depends on seed and epoch, random masks on seed and step, and whatever a system carries
from batch to batch is in the checkpoint. Validation, early stopping and the choice of the best
weights happen at the end of true epochs.
"""

import logging
import math
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback, EarlyStopping, ModelCheckpoint
from torch import Tensor

from pipeline.entries import TrainingSettings
from pipeline.errors import UserError
from pipeline.systems.base import Batch, Batches, NeuralSystem, Run, mean_loss
from pipeline.systems.resume import (
    FULL_PRECISION,
    chosen_precision,
    record_elapsed,
    record_precision,
)

SEGMENT_BATCHES = 200
_SEED_STRIDE = 1_000_003


class _Segment:
    """The batches of one segment, loaded one at a time."""

    def __init__(self, batches: Batches, plan: list[Any]) -> None:
        self.batches = batches
        self.plan = plan

    def __len__(self) -> int:
        return len(self.plan)

    def __iter__(self) -> Iterator[Batch]:
        return (self.batches.load(description) for description in self.plan)


class _WeightAverage:
    """Exponential moving average of the weights (Polyak and Juditsky 1992), bias-corrected."""

    def __init__(self, system: NeuralSystem, decay: float) -> None:
        self.system = system
        self.decay = decay
        self.steps = 0
        self.average = {name: torch.zeros_like(p) for name, p in system.named_parameters()}
        self.trained: dict[str, Tensor] | None = None

    @torch.no_grad()
    def update(self) -> None:
        self.steps += 1
        for name, parameter in self.system.named_parameters():
            self.average[name].lerp_(parameter, 1 - self.decay)

    @torch.no_grad()
    def swap_in(self) -> None:
        correction = 1 - self.decay**self.steps
        self.trained = {n: p.detach().clone() for n, p in self.system.named_parameters()}
        for name, parameter in self.system.named_parameters():
            parameter.copy_(self.average[name] / correction)

    @torch.no_grad()
    def swap_out(self) -> None:
        for name, parameter in self.system.named_parameters():
            parameter.copy_(self.trained[name])
        self.trained = None


class _Module(lightning.LightningModule):
    """Lightning's view of a system: steps, optimizer, schedule, learning curve."""

    def __init__(self, system: NeuralSystem, train: Batches, valid: Batches, run: Run) -> None:
        super().__init__()
        self.system = system
        self.train_batches = train
        self.valid_batches = valid
        self.run_settings = run
        self.training_settings: TrainingSettings = system.settings.training
        self.batches_an_epoch = len(train.plan(0))
        if self.batches_an_epoch == 0:
            raise UserError("the training data hold no batch; enlarge the corpus or lower the "
                            "batch size")
        self.segments = math.ceil(self.batches_an_epoch / SEGMENT_BATCHES)
        decay = self.training_settings.weight_average
        self.average = _WeightAverage(system, decay) if decay else None
        self.curve: list[dict[str, float]] = []
        self._earlier_seconds = run.earlier_seconds
        self._started = time.perf_counter()
        self._sums = {"training": [0.0, 0.0], "validation": [0.0, 0.0]}

    @property
    def position(self) -> tuple[int, int]:
        """(true epoch, segment within it) of the Lightning epoch that runs."""
        return divmod(self.current_epoch, self.segments)

    def train_dataloader(self) -> _Segment:
        epoch, segment = self.position
        plan = self.train_batches.plan(epoch)
        if len(plan) != self.batches_an_epoch:
            raise ValueError("every epoch of a system must have the same number of batches")
        start = segment * SEGMENT_BATCHES
        return _Segment(self.train_batches, plan[start : start + SEGMENT_BATCHES])

    def val_dataloader(self) -> _Segment:
        return _Segment(self.valid_batches, self.valid_batches.plan(0))

    def training_step(self, batch: Batch, index: int) -> Tensor:
        if index == 0 and self.position[1] == 0:
            self.system.begin_epoch(training=True)
            self._sums["training"] = [0.0, 0.0]
        _seed(self.run_settings.seed * _SEED_STRIDE + self.global_step, self.device)
        total, terms = self.system.loss(batch)
        loss = total / terms
        if not torch.isfinite(loss):
            raise UserError(f"training diverged: the loss is {loss.item()} at step "
                            f"{self.global_step}; lower the learning rate or clip harder")
        self._sums["training"][0] += float(total.detach())
        self._sums["training"][1] += terms
        return loss

    def configure_gradient_clipping(self, optimizer: torch.optim.Optimizer,
                                    gradient_clip_val: float | None = None,
                                    gradient_clip_algorithm: str | None = None) -> None:
        # Lightning itself refuses fused optimizers here, because some of them scale gradients;
        # with bf16 nothing is scaled.
        if gradient_clip_val:
            torch.nn.utils.clip_grad_norm_(self.system.parameters(), gradient_clip_val)

    def on_train_batch_end(self, outputs: Any, batch: Batch, index: int) -> None:
        if self.average:
            self.average.update()

    def on_validation_epoch_start(self) -> None:
        if self.average:
            self.average.swap_in()
        self._sums["validation"] = [0.0, 0.0]
        self.system.begin_epoch(training=False)

    def validation_step(self, batch: Batch, index: int) -> None:
        total, terms = self.system.loss(batch)
        self._sums["validation"][0] += float(total)
        self._sums["validation"][1] += terms

    def on_validation_epoch_end(self) -> None:
        losses = {"loss": mean_loss(*self._sums["training"]),
                  "validation_loss": mean_loss(*self._sums["validation"])}
        if not math.isfinite(losses["validation_loss"]):
            raise UserError(f"the validation loss is {losses['validation_loss']} after epoch "
                            f"{self.position[0] + 1}; check the validation data and the rate")
        self.log("validation_loss", losses["validation_loss"], batch_size=1, logger=False)
        rate = self.optimizers().param_groups[0]["lr"]
        point = {"step": self.global_step, "epoch": self.position[0] + 1,
                 "learning_rate": rate, **losses}
        self.curve.append(point)
        if self.run_settings.logger is not None:
            self.run_settings.logger.log_metrics(
                {name: value for name, value in point.items() if name != "step"},
                step=self.global_step)
        print(f"epoch {point['epoch']}/{self.training_settings.epochs}  "
              f"loss {losses['loss']:.4f}  validation loss {losses['validation_loss']:.4f}",
              flush=True)

    def configure_optimizers(self) -> dict[str, Any]:
        settings = self.training_settings
        groups = self.system.parameter_groups(settings)
        options = {"lr": settings.learning_rate, "weight_decay": settings.weight_decay}
        optimizer: torch.optim.Optimizer
        if settings.optimizer == "sgd":
            optimizer = torch.optim.SGD(groups, **options)
        elif settings.optimizer == "adam":
            optimizer = torch.optim.Adam(groups, fused=True, **options)
        else:
            optimizer = torch.optim.AdamW(groups, fused=True, **options)
        if settings.schedule == "plateau":
            plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=0)
            return {"optimizer": optimizer,
                    "lr_scheduler": {"scheduler": plateau, "monitor": "validation_loss",
                                     "interval": "epoch", "frequency": self.segments}}
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, self._rate_factor)
        return {"optimizer": optimizer,
                "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def _rate_factor(self, step: int) -> float:
        settings = self.training_settings
        if step < settings.warmup_steps:
            return (step + 1) / settings.warmup_steps
        if settings.schedule != "cosine":
            return 1.0
        total = settings.epochs * self.batches_an_epoch - settings.warmup_steps
        progress = min(1.0, (step - settings.warmup_steps) / max(1, total))
        return 0.5 * (1 + math.cos(math.pi * progress))

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        seconds = self._earlier_seconds + time.perf_counter() - self._started
        record_elapsed(self.run_settings.work, seconds)
        checkpoint["unrolled"] = {
            "curve": self.curve,
            "sums": self._sums["training"],
            "carried": self.system.carried(),
            "average": self.average.average if self.average else {},
            "average_steps": self.average.steps if self.average else 0,
        }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        state = checkpoint["unrolled"]
        self.curve = state["curve"]
        self._sums["training"] = state["sums"]
        self.system.take_carried(state["carried"])
        if self.average:
            self.average.average = state["average"]
            self.average.steps = state["average_steps"]


class _BestWeights(Callback):
    """Keeps the weights of the epoch with the lowest validation loss, on disk for resume."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lowest = math.inf

    def on_validation_end(self, trainer: lightning.Trainer, module: _Module) -> None:
        loss = module.curve[-1]["validation_loss"]
        if loss < self.lowest:
            self.lowest = loss
            temporary = self.path.with_suffix(".part")
            torch.save(module.system.state_dict(), temporary)
            temporary.replace(self.path)
        if module.average:
            module.average.swap_out()

    def state_dict(self) -> dict[str, Any]:
        return {"lowest": self.lowest}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.lowest = state["lowest"]


def fit(system: NeuralSystem, data: Path, run: Run) -> list[dict[str, float]]:
    """Train `system` on the features in `data`; leave it with its best weights.

    Returns the learning curve, one point an epoch. A checkpoint in `run.work` is taken up again;
    raises UserError when it is damaged.
    """
    torch.set_num_threads(run.threads)
    run.work.mkdir(parents=True, exist_ok=True)
    module = _Module(system, system.batches(data, "train", run.seed),
                     system.batches(data, "valid", run.seed), run)
    best = _BestWeights(run.work / "best.pt")
    resume = run.work / "last.ckpt"
    trainer = _trainer(module, run, best)
    try:
        trainer.fit(module, ckpt_path=resume if resume.exists() else None, weights_only=True)
        system.load_state_dict(torch.load(best.path, weights_only=True))
    except UserError:
        raise
    except Exception as error:
        if resume.exists() and _damaged(resume):
            raise UserError(f"{resume} is damaged and cannot be taken up; remove the folder "
                            f"{run.work} to train from the start") from error
        raise
    system.to("cpu").eval()
    return module.curve


def _damaged(checkpoint: Path) -> bool:
    try:
        torch.load(checkpoint, map_location="cpu", weights_only=True)
    except Exception:
        return True
    return False


def _trainer(module: _Module, run: Run, best: _BestWeights) -> lightning.Trainer:
    settings = module.training_settings
    callbacks: list[Callback] = [best]
    if settings.patience:
        callbacks.append(EarlyStopping("validation_loss", patience=settings.patience, min_delta=0,
                                       check_on_train_epoch_end=False))
    callbacks.append(ModelCheckpoint(run.work, filename="last", save_top_k=1, every_n_epochs=1,
                                     monitor=None, save_on_train_epoch_end=True,
                                     enable_version_counter=False))
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", module="lightning")
    gpu = run.device == "auto" and torch.cuda.is_available()
    return lightning.Trainer(
        accelerator="gpu" if gpu else "cpu",
        devices=1,
        precision=_precision(module, run, gpu),
        max_epochs=settings.epochs * module.segments,
        check_val_every_n_epoch=module.segments,
        reload_dataloaders_every_n_epochs=1,
        num_sanity_val_steps=0,
        gradient_clip_val=settings.gradient_clip,
        callbacks=callbacks,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=run.work,
    )


def _precision(module: _Module, run: Run, gpu: bool) -> str:
    """bf16 autocast where it is allowed and faster, else fp32; one choice for all resumes."""
    if run.precision == "fp32":
        return FULL_PRECISION
    precision = chosen_precision(run.work)
    if precision is None:
        faster = gpu or (has_bf16_instructions() and _bf16_is_faster(module))
        precision = "bf16-mixed" if faster else FULL_PRECISION
        record_precision(run.work, precision)
    return precision


def _seed(seed: int, device: torch.device) -> None:
    """Seed what a step draws from.

    torch.manual_seed would, at each call, also note the seed and the caller's stack for every kind
    of device that has not been started: a tenth of a small system's time, and memory without end.
    """
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        torch.cuda.manual_seed(seed)


def has_bf16_instructions() -> bool:
    """Whether this processor computes with bf16; without, bf16 is slower than fp32."""
    flags = Path("/proc/cpuinfo")
    return flags.exists() and "avx512_bf16" in flags.read_text()


def _bf16_is_faster(module: _Module) -> bool:
    system = module.system.train()
    description = module.train_batches.plan(0)[0]

    def seconds(enabled: bool) -> float:
        taken = math.inf
        for _ in range(3):
            system.begin_epoch(training=True)
            started = time.perf_counter()
            with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
                total, _ = system.loss(module.train_batches.load(description))
            total.backward()
            taken = min(taken, time.perf_counter() - started)
            system.zero_grad(set_to_none=True)
        return taken

    faster = seconds(enabled=True) < seconds(enabled=False)
    system.begin_epoch(training=True)
    return faster
