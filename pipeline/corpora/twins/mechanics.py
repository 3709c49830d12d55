"""Equations of motion of two machines, for many of them at once.

States have shape [coordinates, paths], so that one call of the integrator serves all paths.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

Array = NDArray[np.float64]
Motion = Callable[[float, Array], Array]
GRAVITY = 9.81


def pendulum(time: float, state: Array, damping: float, amplitude: float,
             frequency: float) -> Array:
    """Damped driven pendulum: q'' = -sin q - b q' + a cos(w t), in units of its own frequency.

    Rows of `state` are the angle q from hanging and its velocity (Baker and Gollub 1996,
    "Chaotic Dynamics", chapter 3).
    """
    angle, velocity = state
    return np.stack([velocity, -np.sin(angle) - damping * velocity
                     + amplitude * np.cos(frequency * time)])


def arm(time: float, state: Array, friction: float) -> Array:
    """Two-link arm that falls: rods of no mass, 1 m long, with 1 kg at the end of each.

    Rows of `state` are the two links' angles from hanging, then their velocities; both joints
    have viscous `friction` (N m s), the second against the first link's motion. Manipulator form
    M(q) q'' = forces (Spong, Hutchinson and Vidyasagar 2006, "Robot Modeling and Control", 7.3).
    """
    q1, q2, w1, w2 = state
    cosine, sine = np.cos(q1 - q2), np.sin(q1 - q2)
    second_joint = friction * (w2 - w1)
    force1 = -w2**2 * sine - 2 * GRAVITY * np.sin(q1) - friction * w1 + second_joint
    force2 = w1**2 * sine - GRAVITY * np.sin(q2) - second_joint
    determinant = 2 - cosine**2
    return np.stack([w1, w2, (force1 - cosine * force2) / determinant,
                     (2 * force2 - cosine * force1) / determinant])


def integrate(motion: Motion, starts: Array, times: Array, tolerance: float) -> Array:
    """States [paths, times, coordinates] of the paths from `starts` [paths, coordinates].

    `motion(time, state)` gives the derivatives; `tolerance` bounds each step's relative and
    absolute error (Dormand and Prince's method of order 8).
    """
    paths, coordinates = starts.shape

    def flat(time: float, state: Array) -> Array:
        return motion(time, state.reshape(coordinates, paths)).ravel()

    found = solve_ivp(flat, (times[0], times[-1]), starts.T.ravel(), method="DOP853",
                      t_eval=times, rtol=tolerance, atol=tolerance)
    return found.y.reshape(coordinates, paths, len(times)).transpose(1, 2, 0)
