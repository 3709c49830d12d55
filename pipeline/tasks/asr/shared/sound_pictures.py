"""How sound becomes features: the window of one frame, and a word from samples to mel cepstra.

A frame is a piece cut out of the sound. Cut sharply, each of its frequencies leaks into all others:
the side lobes of the rectangular window's spectrum fall by 13 dB at first, those of Hamming's by 43
dB, for a main lobe twice as wide (Harris 1978, "On the Use of Windows for Harmonic Analysis with
the Discrete Fourier Transform"). What follows is the front end as the features were made by it:
power spectrum, energies of filters that are equally wide on the mel scale, their logarithm, and its
cosine transform (Davis and Mermelstein 1980). Powers are of samples between -1 and 1, in decibels.
"""

from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipeline.audio.front_end import FLOOR, Audio, LogMel, Mfcc, audio_features, transform
from pipeline.drawing.parts import legend_below
from pipeline.drawing.parts import title as entitle
from pipeline.drawing.style import BLUE as _BLUE
from pipeline.drawing.style import GREY as _GREY
from pipeline.drawing.style import LEVELS, SIGNED
from pipeline.drawing.style import ORANGE as _ORANGE
from pipeline.tasks.asr.shared.cepstra import cosines

Floats = NDArray[np.float64]
Shape = Literal["rectangular", "hamming"]

COEFFICIENTS = 13  # shown of a front end that does not say how many it keeps
FINER = 32  # times a frame's own DFT has so many points the spectra in which side lobes are seen
_LOOKS: dict[Shape, dict[str, Any]] = {
    "rectangular": {"color": _ORANGE, "linewidth": 0.9},
    "hamming": {"color": _BLUE, "linewidth": 1.4}}
_NAMES = {"rectangular": "rectangular", "hamming": "Hamming"}
_WIDTH, _COLOURS = 11.0, 24  # inches; few colours make a small file
_LOWEST = -90.0  # dB of side lobes that are shown
_LOBES = 6  # DFT bins to each side in which a window's spectrum is shown


@dataclass(frozen=True)
class Sound:
    """`samples` [n] and what a front end makes of them, a column for each of T frames.

    `power` [bins, T] and `mel` [filters, T] are in dB, `cepstra` [coefficients, T] those of `mel`
    as natural logarithms. `filters` [bins, filters] are the weights of DFT bins in mel filters.
    """

    settings: LogMel
    samples: NDArray[np.float32]
    power: Floats
    filters: Floats
    mel: Floats
    cepstra: Floats

    @classmethod
    def of(cls, front_end: LogMel | Mfcc, samples: NDArray[np.float32]) -> Self:
        """Of [n] samples, as many as one DFT has at least."""
        import torch

        shared = {name: getattr(front_end, name) for name in Audio.model_fields}
        settings = LogMel(kind="log-mel", deltas=0, **shared)
        kept = front_end.coefficients if isinstance(front_end, Mfcc) else COEFFICIENTS
        made = transform(settings)
        with torch.inference_mode():
            power = made.spectrogram(torch.from_numpy(samples)).double().numpy()
        log_mel = audio_features(settings, samples).astype(np.float64).T
        return cls(settings, samples, decibels(power), made.mel_scale.fb.double().numpy(),
                   10 / np.log(10) * log_mel,
                   cosines(settings.mels, min(kept, settings.mels)).T @ log_mel)

    @property
    def loudest(self) -> int:
        """The frame with the most energy, which is shown by itself."""
        return int(np.argmax((10 ** (self.power / 10)).sum(axis=0)))

    @property
    def edges(self) -> Floats:
        """Between the columns of pictures, seconds [T + 1]; each is around its frame's middle."""
        hop, middle = self.settings.hop_samples, self.settings.dft_points / 2
        return ((np.arange(self.mel.shape[1] + 1) - 0.5) * hop + middle) / self.rate

    @property
    def first(self) -> int:
        """The first sample of the loudest frame.

        A frame that is shorter than its DFT stands in the middle of what the DFT spans.
        """
        return (self.loudest * self.settings.hop_samples
                + (self.settings.dft_points - self.settings.frame_samples) // 2)

    @property
    def rate(self) -> int:
        return self.settings.sample_rate

    @property
    def bins(self) -> Floats:
        """The frequency of each DFT bin, Hz."""
        return np.arange(len(self.power)) * self.rate / self.settings.dft_points

    @property
    def fine(self) -> Floats:
        """The frequencies of `spectrum`, Hz."""
        points = FINER * self.settings.frame_samples
        return np.arange(points // 2 + 1) * self.rate / points

    @property
    def centres(self) -> Floats:
        """Where the filters are centred, Hz: evenly spaced on the mel scale."""
        low, high = mel_of(np.array([self.settings.low_hz, self.settings.high_hz]))
        return hz_of(np.linspace(low, high, self.settings.mels + 2))[1:-1]

    @property
    def smoothed(self) -> Floats:
        """What the cepstra keep of the loudest frame's mel energies, dB [filters]."""
        kept = self.cepstra[:, self.loudest]
        return 10 / np.log(10) * cosines(self.settings.mels, len(kept)) @ kept

    def under(self, shape: Shape) -> Floats:
        """The loudest frame under a window, [frame]."""
        window = window_of(self.settings, shape)
        return self.samples[self.first : self.first + len(window)] * window


def mel_of(hz: Floats) -> Floats:
    """Mel of Hz, as the front end has it."""
    return 1127.0 * np.log1p(hz / 700.0)


def hz_of(mel: Floats) -> Floats:
    """The inverse of `mel_of`."""
    return 700.0 * np.expm1(mel / 1127.0)


def decibels(power: Floats) -> Floats:
    """10 log10 of powers, to which the front end's floor is added."""
    return 10 * np.log10(power + FLOOR)


def window_of(settings: LogMel, shape: Shape) -> Floats:
    """The front end's window of a shape, [frame]."""
    made = transform(settings.model_copy(update={"window": shape}))
    found: Floats = made.spectrogram.window.double().numpy()
    return found


def spectrum(signal: Floats) -> Floats:
    """Of a frame [n], in dB below its largest value, [FINER n / 2 + 1] from 0 Hz to half the rate.

    Zeros follow the frame, so that what lies between its own DFT's bins is seen as well.
    """
    magnitude = np.abs(np.fft.rfft(signal, FINER * len(signal)))
    return 20 * np.log10(np.maximum(magnitude / max(magnitude.max(), 1e-30), 1e-10))


def windows(sound: Sound, title: str) -> Figure:
    """The loudest frame under both windows, the windows' spectra, and those of the frame."""
    figure = Figure(figsize=(_WIDTH, 6.6), layout="constrained")
    grid = figure.add_gridspec(2, 2)
    _draw_frame(figure.add_subplot(grid[0, 0]), sound)
    _draw_lobes(figure.add_subplot(grid[0, 1]), sound)
    leakage = figure.add_subplot(grid[1, :])
    _draw_leakage(leakage, sound)
    legend_below(figure, leakage)
    entitle(figure, title)
    return figure


def features(sound: Sound, title: str) -> Figure:
    """On the left samples, power spectra, mel energies and MFCC over time; on the right how."""
    figure = Figure(figsize=(_WIDTH, 10.5), layout="constrained")
    grid = figure.add_gridspec(4, 2, width_ratios=(1.35, 1))
    wave = figure.add_subplot(grid[0, 0])
    over_time = [wave, *(figure.add_subplot(grid[row, 0], sharex=wave) for row in (1, 2, 3))]
    _draw_wave(wave, sound)
    _draw_maps(over_time[1:], sound)
    end = len(sound.samples) / sound.rate
    over_time[-1].set(xlabel="time (s)", xlim=(0, end))
    for draw, row in ((_draw_curve, 0), (_draw_power, 1), (_draw_filters, 2), (_draw_smoothed, 3)):
        draw(figure.add_subplot(grid[row, 1]), sound)
    entitle(figure, title)
    return figure


def _draw_frame(axes: Axes, sound: Sound) -> None:
    size = sound.settings.frame_samples
    time = 1000 * np.arange(size) / sound.rate
    highest = max(float(np.abs(sound.under("rectangular")).max()), 1e-9)
    for shape, look in _LOOKS.items():
        axes.plot(time, sound.under(shape), label=f"frame, {_NAMES[shape]} window", **look)
        axes.plot(time, highest * window_of(sound.settings, shape), linestyle="--",
                  **{**look, "linewidth": 0.9})
    axes.set(xlabel="time in the frame (ms)", ylabel="amplitude", xlim=(0, time[-1]),
             ylim=(-1.1 * highest, 1.1 * highest),
             title="one frame under two windows (dashed: the windows)")


def _draw_lobes(axes: Axes, sound: Sound) -> None:
    hz = sound.fine[: _LOBES * FINER + 1]
    width = hz[-1]
    for shape, look in _LOOKS.items():
        found = spectrum(window_of(sound.settings, shape))[: len(hz)]
        axes.plot([*-hz[:0:-1], *hz], [*found[:0:-1], *found], label=_NAMES[shape], **look)
    axes.set(xlabel="distance from a tone's frequency (Hz)", ylabel="level (dB)",
             xlim=(-width, width), ylim=(_LOWEST, 5), title="the windows' spectra: where a tone "
                                                            "leaks to")
    axes.grid(color="#dddddd", linewidth=0.5)


def _draw_leakage(axes: Axes, sound: Sound) -> None:
    for shape, look in _LOOKS.items():
        axes.plot(sound.fine, spectrum(sound.under(shape)), label=f"{_NAMES[shape]} window", **look)
    axes.set(xlabel="frequency (Hz)", ylabel="level (dB)", xlim=(0, sound.rate / 2),
             ylim=(_LOWEST, 5), title="spectra of the frame: between its partials and above them "
                                      "the rectangular window shows what leaks out of the peaks")
    axes.grid(color="#dddddd", linewidth=0.5)


def _draw_wave(axes: Axes, sound: Sound) -> None:
    axes.plot(np.arange(len(sound.samples)) / sound.rate, sound.samples, color=_BLUE, linewidth=0.5)
    begin, end = sound.first, sound.first + sound.settings.frame_samples
    axes.axvspan(begin / sound.rate, end / sound.rate, color=_ORANGE, alpha=0.5, linewidth=0,
                 label=f"frame of {sound.settings.frame_ms:g} ms that is shown on the right")
    highest = max(float(np.abs(sound.samples).max()), 1e-9)
    axes.set(ylabel="amplitude", title="1. samples", ylim=(-1.7 * highest, 1.1 * highest))
    axes.legend(loc="lower right", fontsize=8)


def _draw_maps(places: list[Axes], sound: Sound) -> None:
    power, mel, cepstra = places
    half = sound.rate / sound.settings.dft_points / 2
    _map(power, sound, sound.power, np.append(sound.bins - half, sound.bins[-1] + half),
         "power (dB)")
    power.set(title="2. power spectrum of each frame", ylabel="frequency (Hz)",
              ylim=(0, sound.rate / 2))
    _map(mel, sound, sound.mel, np.arange(len(sound.mel) + 1) + 0.5, "energy (dB)")
    mel.set(title="3. log energy in each mel filter", ylabel="mel filter")
    # The loudness is so much larger than the rest that nothing else would be seen beside it.
    _map(cepstra, sound, sound.cepstra[1:], np.arange(len(sound.cepstra)) + 0.5, "value",
         signed=True)
    cepstra.set(title="4. mel cepstra, MFCC (without coefficient 0, the loudness)",
                ylabel="coefficient")


def _map(axes: Axes, sound: Sound, values: Floats, heights: NDArray[np.floating], unit: str,
         signed: bool = False) -> None:
    """Values [rows, T] in colours, with the loudest frame framed."""
    furthest = float(np.abs(values).max())
    image = axes.pcolormesh(sound.edges, heights, values, rasterized=True,
                            cmap=colormaps[SIGNED if signed else LEVELS].resampled(_COLOURS),
                            vmin=-furthest if signed else None, vmax=furthest if signed else None)
    begin, end = sound.edges[sound.loudest : sound.loudest + 2]
    axes.axvspan(begin, end, facecolor="none", edgecolor=_ORANGE, linewidth=1.2)
    axes.figure.colorbar(image, ax=axes, label=unit, pad=0.01)


def _draw_curve(axes: Axes, sound: Sound) -> None:
    hz = np.linspace(0, sound.rate / 2, 400)
    axes.plot(hz, mel_of(hz), color=_GREY, linewidth=1.2, label="1127 ln(1 + f / 700 Hz)")
    axes.plot(sound.centres, mel_of(sound.centres), color=_BLUE, marker="o", markersize=3,
              linestyle="none", label="the filters' centres")
    axes.set(xlabel="frequency (Hz)", ylabel="mel", xlim=(0, sound.rate / 2), ylim=(0, None),
             title="the mel scale: equal steps sound equal")
    axes.legend(loc="lower right", fontsize=8)


def _draw_power(axes: Axes, sound: Sound) -> None:
    axes.plot(sound.bins, sound.power[:, sound.loudest], color=_BLUE, linewidth=1.0)
    axes.set(xlabel="frequency (Hz)", ylabel="power (dB)", xlim=(0, sound.rate / 2),
             title=f"power spectrum of the frame, {len(sound.bins)} bins")


def _draw_filters(axes: Axes, sound: Sound) -> None:
    for number, weights in enumerate(sound.filters.T):
        axes.plot(sound.bins, weights, color=(_BLUE, _ORANGE)[number % 2], linewidth=0.9)
    axes.set(xlabel="frequency (Hz)", ylabel="weight of a DFT bin", xlim=(0, sound.rate / 2),
             ylim=(0, 1.05), title=f"{sound.settings.mels} triangular filters, equally wide in mel")


def _draw_smoothed(axes: Axes, sound: Sound) -> None:
    numbers = np.arange(1, sound.settings.mels + 1)
    axes.plot(numbers, sound.mel[:, sound.loudest], color=_BLUE, marker="o", markersize=3,
              linestyle="none", label="energies of the frame")
    axes.plot(numbers, sound.smoothed, color=_ORANGE, linewidth=1.4,
              label=f"what coefficients 0 to {len(sound.cepstra) - 1} keep of them")
    low, high = axes.get_ylim()
    axes.set(xlabel="mel filter", ylabel="energy (dB)", xlim=(0, sound.settings.mels + 1),
             ylim=(low, high + 0.3 * (high - low)), title="MFCC keep the outline")
    axes.legend(loc="upper right", fontsize=8)
