"""What is seen of sound and its features is what scipy, Kaldi's mel scale and hand give for it."""

from itertools import combinations
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import scipy.fft
import scipy.signal
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure

from pipeline.audio.front_end import LogMel, Mfcc
from pipeline.systems.base import System
from pipeline.tasks.asr import figures
from pipeline.tasks.asr.shared import sound_pictures
from pipeline.tasks.asr.shared.example import Example
from pipeline.tasks.asr.shared.sound_pictures import Sound, spectrum, window_of
from tests.tasks.asr.corpus import FEATURES, RATE

FRONT_END = LogMel.model_validate(FEATURES["front_end"])
FRAME, HOP, BIN = 400, 160, 40.0  # samples, samples, Hz
LOUD = 20  # the frame in which the tone is loudest


def tone(hz: float, seconds: float = 0.5, amplitude: float = 0.5) -> np.ndarray:
    time = np.arange(round(seconds * RATE)) / RATE
    return (amplitude * np.sin(2 * np.pi * hz * time)).astype(np.float32)


def word() -> np.ndarray:
    """Noise and a tone that grows until frame `LOUD` and fades."""
    random = np.random.default_rng(0)
    samples = tone(1020.0) + random.normal(0, 0.02, RATE // 2)
    middle = LOUD * HOP + FRAME // 2
    return (samples * np.exp(-((np.arange(len(samples)) - middle) / 600) ** 2)).astype(np.float32)


def corners() -> np.ndarray:
    """Kaldi's: 1127 ln(1 + f / 700), from the lowest frequency to the highest in equal steps."""
    low, high = (1127 * np.log(1 + hz / 700) for hz in (100.0, 7000.0))
    return 700 * (np.exp(np.linspace(low, high, 14) / 1127) - 1)


def by_hand(samples: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Power, mel energies and cepstra, a row for each frame."""
    window = scipy.signal.get_window("hamming", FRAME)
    frames = np.stack([samples[start : start + FRAME] * window
                       for start in range(0, len(samples) - FRAME + 1, HOP)])
    power = np.abs(scipy.fft.rfft(frames.astype(np.float64))) ** 2
    hz, edge = np.arange(201) * BIN, corners()
    filters = np.stack([np.interp(hz, edge[place : place + 3], [0, 1, 0]) for place in range(12)])
    log_mel = np.log(power @ filters.T + 1e-6)
    return 10 * np.log10(power + 1e-6), 10 / np.log(10) * log_mel, scipy.fft.dct(
        log_mel, norm="ortho")


def lines(axes: Axes) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    return {str(line.get_label()): (np.asarray(line.get_xdata()), np.asarray(line.get_ydata()))
            for line in axes.lines}


@pytest.fixture(scope="module")
def sound() -> Sound:
    return Sound.of(FRONT_END, word())


@pytest.fixture(scope="module")
def over_windows(sound: Sound) -> Figure:
    return sound_pictures.windows(sound, "“TONE”")


@pytest.fixture(scope="module")
def over_features(sound: Sound) -> Figure:
    return sound_pictures.features(sound, "“TONE”")


def at(figure: Figure, title: str) -> Axes:
    found, = [axes for axes in figure.axes if axes.get_title().startswith(title)]
    return found


def test_maps_are_power_mel_energies_and_cepstra_at_the_middles_of_their_frames(
        over_features: Figure) -> None:
    power, mel, cepstra = by_hand(word())
    for title, wanted, heights in (("2.", power, np.arange(201) * BIN),
                                   ("3.", mel, np.arange(1, 13)),
                                   ("4.", cepstra[:, 1:], np.arange(1, 12))):
        axes = at(over_features, title)
        mesh, = [one for one in axes.collections if isinstance(one, QuadMesh)]
        np.testing.assert_allclose(np.asarray(mesh.get_array()), wanted.T, atol=2e-2)
        places = mesh.get_coordinates()
        middles = (places[:-1, :-1] + places[1:, 1:]) / 2
        np.testing.assert_allclose(middles[0, :, 0],
                                   (np.arange(len(wanted)) * HOP + FRAME / 2) / RATE)
        np.testing.assert_allclose(middles[:, 0, 1], heights, atol=1e-9)


def test_a_tone_has_the_power_that_follows_from_its_amplitude() -> None:
    found = Sound.of(FRONT_END, tone(1000.0))
    # Half the amplitude times the sum of the window, squared; Hamming's window sums to 0.54 L.
    np.testing.assert_allclose(found.power[25], 20 * np.log10(0.5 / 2 * 0.54 * FRAME), atol=1e-3)
    assert set(found.power.argmax(axis=0)) == {25}


def test_the_frame_that_is_framed_is_the_loudest(over_features: Figure) -> None:
    frame, = at(over_features, "1.").patches
    begin, end = frame.get_extents().transformed(at(over_features, "1.").transData.inverted()
                                                 ).intervalx
    np.testing.assert_allclose([begin, end], np.array([LOUD * HOP, LOUD * HOP + FRAME]) / RATE)
    for title in ("2.", "3.", "4."):
        column, = at(over_features, title).patches
        found = column.get_extents().transformed(at(over_features, title).transData.inverted())
        np.testing.assert_allclose(found.intervalx.mean(), (LOUD * HOP + FRAME / 2) / RATE)


def test_the_right_side_is_of_that_frame(over_features: Figure) -> None:
    power, mel, cepstra = (found[LOUD] for found in by_hand(word()))
    (hz, shown), = lines(at(over_features, "power spectrum")).values()
    np.testing.assert_allclose(hz, np.arange(201) * BIN)
    np.testing.assert_allclose(shown, power, atol=2e-2)
    numbers, energies = lines(at(over_features, "MFCC"))["energies of the frame"]
    assert numbers.tolist() == list(range(1, 13))
    np.testing.assert_allclose(energies, mel, atol=2e-2)
    # The inverse transform of all twelve is what was transformed.
    (_, kept), = [found for name, found in lines(at(over_features, "MFCC")).items()
                  if name.startswith("what coefficients 0 to 11")]
    np.testing.assert_allclose(kept, mel, atol=2e-2)


def test_fewer_coefficients_keep_the_outline_that_scipy_makes_of_them() -> None:
    settings = {**FEATURES["front_end"], "kind": "mfcc", "coefficients": 5}
    found = Sound.of(Mfcc.model_validate(settings), word())
    _, _, cepstra = by_hand(word())
    np.testing.assert_allclose(found.cepstra.T, cepstra[:, :5], atol=5e-3)
    np.testing.assert_allclose(
        found.smoothed, 10 / np.log(10) * scipy.fft.idct(cepstra[LOUD, :5], n=12, norm="ortho"),
        atol=2e-2)


def test_the_mel_curve_is_kaldis_and_the_filters_stand_on_it(over_features: Figure) -> None:
    found = lines(at(over_features, "the mel scale"))
    hz, mel = found["1127 ln(1 + f / 700 Hz)"]
    np.testing.assert_allclose(np.interp(1000.0, hz, mel), 1000.0, atol=0.1)  # 1 kHz is 1000 mel
    centres, heights = found["the filters' centres"]
    np.testing.assert_allclose(centres, corners()[1:-1])
    np.testing.assert_allclose(np.diff(heights), np.diff(heights)[0])


def test_filters_are_triangles_between_the_centres_of_their_neighbours(
        over_features: Figure) -> None:
    edge = corners()
    drawn = at(over_features, "12 triangular filters").lines
    assert len(drawn) == 12
    for place, line in enumerate(drawn):
        np.testing.assert_allclose(
            line.get_ydata(), np.interp(np.arange(201) * BIN, edge[place : place + 3], [0, 1, 0]),
            atol=1e-4)


def test_the_frame_is_drawn_under_both_windows(over_windows: Figure) -> None:
    found = lines(at(over_windows, "one frame"))
    frame = word()[LOUD * HOP : LOUD * HOP + FRAME]
    np.testing.assert_allclose(found["frame, rectangular window"][1], frame)
    time, shown = found["frame, Hamming window"]
    np.testing.assert_allclose(shown, frame * scipy.signal.get_window("hamming", FRAME), atol=1e-6)
    np.testing.assert_allclose(time[[0, -1]], [0, 24.9375])


def test_side_lobes_are_13_and_43_db_down_and_hammings_main_lobe_is_twice_as_wide(
        over_windows: Figure) -> None:
    found = lines(at(over_windows, "the windows' spectra"))
    for name, null, highest in (("rectangular", BIN, -13.26), ("Hamming", 2 * BIN, -42.7)):
        hz, level = found[name]
        beyond = np.abs(hz) >= null
        assert level[beyond].max() == pytest.approx(highest, abs=0.1)
        assert level[np.abs(hz) == null].max() < -150  # the lobe ends there
        assert level[hz == 0] == 0
        np.testing.assert_allclose(level, level[::-1])


def test_leakage_is_that_of_the_sum_over_the_frame(over_windows: Figure) -> None:
    found = lines(at(over_windows, "spectra of the frame"))
    frame = word()[LOUD * HOP : LOUD * HOP + FRAME].astype(np.float64)
    for name, window in (("rectangular window", np.ones(FRAME)),
                         ("Hamming window", scipy.signal.get_window("hamming", FRAME))):
        hz, level = found[name]
        assert hz[np.argmax(level)] == pytest.approx(1020, abs=2)
        for where in (1000.0, 1300.0, 2500.0):
            sums = [abs(np.sum(frame * window * np.exp(-2j * np.pi * one * np.arange(FRAME) / RATE))
                        ) for one in (where, hz[np.argmax(level)])]
            assert np.interp(where, hz, level) == pytest.approx(
                20 * np.log10(sums[0] / sums[1]), abs=0.05)
    clean = {shape: spectrum(tone(1020.0)[:FRAME] * window_of(FRONT_END, shape))
             for shape in ("rectangular", "hamming")}
    far = 32 * 80  # 3200 Hz, where the tone is not
    assert clean["rectangular"][far : far + 32].max() > clean["hamming"][far : far + 32].max() + 15


def test_a_frame_shorter_than_its_dft_is_cut_where_the_front_end_cuts_it() -> None:
    found = Sound.of(FRONT_END.model_copy(update={"frame_ms": 20.0, "dft_points": 512}), word())
    power = np.abs(np.fft.rfft(found.under("hamming"), 512)) ** 2
    np.testing.assert_allclose(found.power[:, found.loudest], 10 * np.log10(power + 1e-6),
                               atol=2e-2)


@pytest.mark.parametrize("name", ["over_windows", "over_features"])
def test_no_text_is_cut_or_overlaps_another(name: str, request: pytest.FixtureRequest) -> None:
    figure = request.getfixturevalue(name)
    FigureCanvasAgg(figure).draw()
    texts = [text for axes in figure.axes for text in (
        axes.title, axes.xaxis.label, axes.yaxis.label, *axes.get_xticklabels(),
        *axes.get_yticklabels()) if text.get_text() and text.get_visible()
        and (text not in axes.get_xticklabels() or axes.xaxis.get_view_interval()[0]
             <= text.get_position()[0] <= axes.xaxis.get_view_interval()[1])
        and (text not in axes.get_yticklabels() or axes.yaxis.get_view_interval()[0]
             <= text.get_position()[1] <= axes.yaxis.get_view_interval()[1])]
    boxes = [text.get_window_extent() for text in texts]
    assert len(boxes) > 30
    whole = figure.bbox
    for text, box in zip(texts, boxes, strict=True):
        assert whole.x0 <= box.x0 and box.x1 <= whole.x1, text.get_text()
        assert whole.y0 <= box.y0 and box.y1 <= whole.y1, text.get_text()
    # Ends of axes meet in a corner, so a point is allowed.
    shrunk = [box.padded(-1) for box in boxes]
    assert not [(texts[one].get_text(), texts[other].get_text())
                for one, other in combinations(range(len(shrunk)), 2)
                if shrunk[one].overlaps(shrunk[other])]


def test_the_tracks_example_is_drawn_whatever_the_system(tmp_path: Path) -> None:
    drawn = []
    for name in ("one", "other"):
        Example("7-1-0001", "TONE", 0.25, word(), FRONT_END).write(tmp_path)
        (tmp_path / "test.items.json").write_text(
            '[{"id": "1", "condition": "clean", "speaker": "clean/a", "reference": "x"}]')
        (tmp_path / name).mkdir()
        figures.draw(cast(System, object()), {"plain": [{"id": "1", "hypothesis": "x"}]},
                     tmp_path, tmp_path / name)
        drawn.append({path.name: path.read_bytes() for path in (tmp_path / name).glob("*.png")
                      if path.stem != "speakers"})
    assert drawn[0] == drawn[1]
    assert {"windows.png", "features.png"} == drawn[0].keys()
    assert max(map(len, drawn[0].values())) < 300_000
