"""The one trainer: Lightning around any `Network`, with exact resume.

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
from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig
from torch import Tensor

from pipeline.entries import TrainingSettings
from pipeline.errors import UserError
from pipeline.storage.files import atomic_writer
from pipeline.systems.network import Batch, Batches, Network, Run, device_of, mean_loss
from pipeline.systems.precision import precision_of
from pipeline.systems.resume import record_elapsed

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


class _Module(lightning.LightningModule):
    """Lightning's view of a system: steps, optimizer, schedule, learning curve."""

    def __init__(self, system: Network, train: Batches, valid: Batches, run: Run) -> None:
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

    def on_validation_epoch_start(self) -> None:
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
        optimizer = self.optimizers()
        assert not isinstance(optimizer, list)
        rate = optimizer.param_groups[0]["lr"]
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

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        settings = self.training_settings
        groups = self.system.parameter_groups(settings)
        options = {"lr": settings.learning_rate, "weight_decay": settings.weight_decay}
        kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[settings.optimizer]
        optimizer = kind(groups, fused=True, **options)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, self._rate_factor)
        return {"optimizer": optimizer,
                "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def _rate_factor(self, step: int) -> float:
        settings = self.training_settings
        if step < settings.warmup_steps:
            return (step + 1) / settings.warmup_steps
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
        }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        state = checkpoint["unrolled"]
        self.curve = state["curve"]
        self._sums["training"] = state["sums"]
        self.system.take_carried(state["carried"])


class _BestWeights(Callback):
    """Keeps the weights of the epoch with the lowest validation loss, on disk for resume."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lowest = math.inf

    def on_validation_end(self, trainer: lightning.Trainer,
                          module: lightning.LightningModule) -> None:
        assert isinstance(module, _Module)
        loss = module.curve[-1]["validation_loss"]
        if loss < self.lowest:
            self.lowest = loss
            with atomic_writer(self.path) as file:
                torch.save(module.system.state_dict(), file)

    def state_dict(self) -> dict[str, Any]:
        return {"lowest": self.lowest}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.lowest = state["lowest"]


def fit(system: Network, data: Path, run: Run) -> list[dict[str, float]]:
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
    gpu = device_of(run.device).type == "cuda"
    return lightning.Trainer(
        accelerator="gpu" if gpu else "cpu",
        devices=1,
        precision=precision_of(module.system, module.train_batches, run, gpu),
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


def _seed(seed: int, device: torch.device) -> None:
    """Seed what a step draws from.

    torch.manual_seed would, at each call, also note the seed and the caller's stack for every kind
    of device that has not been started: a tenth of a small system's time, and memory without end.
    """
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        torch.cuda.manual_seed(seed)
