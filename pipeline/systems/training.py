"""The one trainer: Lightning around any `Network`, with exact resume.

An epoch is cut into segments of a fixed number of batches and each segment is an epoch in
Lightning's eyes. Lightning resumes exactly at the end of its epochs, so a killed process loses one
segment at most, and a resumed run ends with the very weights of an uninterrupted one: the order of
batches depends on seed and epoch, random masks on seed and step, and whatever a system carries
from batch to batch is in the checkpoint. Validation, early stopping and the choice of the best
weights happen at the end of true epochs.

What a training was, also one that is over and whose stage was killed before it saved its model,
stands in its last checkpoint (`pipeline.systems.resume`).
"""

import logging
import math
import signal
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Checkpoint as CheckpointCallback
from lightning.pytorch.callbacks import EarlyStopping
from lightning.pytorch.plugins.io import TorchCheckpointIO
from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig
from torch import Tensor

from pipeline.entries import TrainingSettings
from pipeline.errors import UserError
from pipeline.stops import stops_unwind
from pipeline.storage.files import atomic_writer
from pipeline.systems.network import Batch, Batches, Network, Run, device_of, mean_loss
from pipeline.systems.precision import LIGHTNING, doubt
from pipeline.systems.resume import Checkpoint, Progress, latest, new_checkpoint

SEGMENT_BATCHES = 200
_SEED_STRIDE = 1_000_003
_GOES_ON = "the same command goes on from the last checkpoint"
_LIBRARIES = {"lightning": lightning.__version__, "torch": str(torch.__version__)}


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

    def __init__(self, system: Network, train: Batches, valid: Batches, run: Run,
                 check_stop: Callable[[], None]) -> None:
        super().__init__()
        self.check_stop = check_stop
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
        self.check_stop()
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
        self.check_stop()
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

    @property
    def seconds(self) -> float:
        """What this training has taken, killed attempts included."""
        return round(self._earlier_seconds + time.perf_counter() - self._started, 2)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["unrolled"] = {"sums": self._sums["training"],
                                  "carried": self.system.carried()}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        state = checkpoint["unrolled"]
        self._sums["training"] = state["sums"]
        self.system.take_carried(state["carried"])


class _WholeFiles(TorchCheckpointIO):
    """Writes beside the place and through to the disk, where Lightning moves a file from TMPDIR.

    A move to another file system is a copy, and a kill in its midst leaves an empty checkpoint.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any,
                        storage_options: Any = None) -> None:
        _save(checkpoint, Path(path))


class _Checkpoints(CheckpointCallback):
    """Leaves a checkpoint after each segment, with the weights of the epoch that was best so far.

    The best weights are kept in memory too, so that no file is read again to be written again.
    """

    def __init__(self, work: Path, taken: Checkpoint | None) -> None:
        self.work = work
        self.lowest = math.inf
        self.weights: dict[str, Tensor] = torch.load(taken.best, weights_only=True) if taken else {}

    def on_validation_end(self, trainer: lightning.Trainer,
                          module: lightning.LightningModule) -> None:
        assert isinstance(module, _Module)
        loss = module.curve[-1]["validation_loss"]
        if loss < self.lowest:
            self.lowest = loss
            self.weights = {name: tensor.detach().to("cpu", copy=True)
                            for name, tensor in module.system.state_dict().items()}

    def on_train_epoch_end(self, trainer: lightning.Trainer,
                           module: lightning.LightningModule) -> None:
        assert isinstance(module, _Module)
        last = trainer.current_epoch + 1 == trainer.max_epochs
        progress: Progress = {"seconds": module.seconds,
                              "finished": last or trainer.should_stop, "curve": module.curve,
                              "libraries": _LIBRARIES}
        with new_checkpoint(self.work, trainer.global_step, progress) as folder:
            trainer.save_checkpoint(folder / "last.ckpt")
            _save(self.weights, folder / "best.pt")

    def state_dict(self) -> dict[str, Any]:
        return {"lowest": self.lowest}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.lowest = state["lowest"]


def fit(system: Network, data: Path, run: Run) -> list[dict[str, float]]:
    """Train `system` on the features in `data`; leave it with its best weights.

    Returns the learning curve, one point an epoch. The newest whole checkpoint in `run.work` is
    taken up again; raises UserError when there are some and all are damaged.
    """
    torch.set_num_threads(run.threads)
    taken = latest(run.work)
    for damage in taken.damages if taken else ():
        print(f"warning: {damage}; going on from the checkpoint before", flush=True)
    if taken is None or not taken.progress["finished"]:
        _check_libraries(taken)
        _train(system, data, run, taken)
        taken = latest(run.work)
    if taken is None or not taken.progress["finished"]:
        raise UserError(f"the last checkpoint in {run.work} was removed or damaged as soon as it "
                        "was written; see whether the disk is sound and run again")
    system.load_state_dict(torch.load(taken.best, weights_only=True))
    system.to("cpu").eval()
    return taken.progress["curve"]


def _check_libraries(taken: Checkpoint | None) -> None:
    """Another version of a library computes other numbers, or cannot read the checkpoint at all."""
    before = taken.progress["libraries"] if taken else _LIBRARIES
    if taken and before != _LIBRARIES:
        raise UserError(f"{taken.folder} was written with {_named(before)}, and installed are "
                        f"{_named(_LIBRARIES)}; install those, or remove the folder "
                        f"{taken.folder.parent} to train from the start")


def _named(libraries: dict[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in libraries.items())


def _train(system: Network, data: Path, run: Run, taken: Checkpoint | None) -> None:
    """Train to the end, from the start or from a checkpoint; what is found is in the last one.

    Lightning takes SIGTERM as a wish to end: it would return as if the training were over, and the
    stage would save what there is. Nothing has to be saved: checkpoints are whole at every instant.
    """
    with stops_unwind(signal.SIGINT, remark=_GOES_ON) as check_stop:
        module = _Module(system, system.batches(data, "train", run.seed),
                         system.batches(data, "valid", run.seed), run, check_stop)
        gpu = device_of(run.device).type == "cuda"
        if warning := doubt(run.precision, gpu):
            print(f"warning: {warning}", flush=True)
        module.curve = list(taken.progress["curve"]) if taken else []
        trainer = _trainer(module, run, gpu, _Checkpoints(run.work, taken))
        trainer.fit(module, ckpt_path=taken.state if taken else None, weights_only=True)
        check_stop()


def _trainer(module: _Module, run: Run, gpu: bool,
             checkpoints: _Checkpoints) -> lightning.Trainer:
    settings = module.training_settings
    stopping = [EarlyStopping("validation_loss", patience=settings.patience, min_delta=0,
                              check_on_train_epoch_end=False)] if settings.patience else []
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", module="lightning")
    return lightning.Trainer(
        accelerator="gpu" if gpu else "cpu",
        devices=1,
        precision=LIGHTNING[run.precision],
        max_epochs=settings.epochs * module.segments,
        check_val_every_n_epoch=module.segments,
        reload_dataloaders_every_n_epochs=1,
        num_sanity_val_steps=0,
        gradient_clip_val=settings.gradient_clip,
        callbacks=[*stopping, checkpoints],
        plugins=[_WholeFiles()],
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=run.work,
    )


def _save(value: Any, path: Path) -> None:
    with atomic_writer(path) as file:
        torch.save(value, file)


def _seed(seed: int, device: torch.device) -> None:
    """Seed what a step draws from.

    torch.manual_seed would, at each call, also note the seed and the caller's stack for every kind
    of device that has not been started: a tenth of a small system's time, and memory without end.
    """
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        torch.cuda.manual_seed(seed)
