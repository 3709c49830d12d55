"""M4's metrics of a test set. OWA is a ratio of averages over series, never an average of ratios.

Of a series' errors the significant bits of half precision are kept: averages over hundreds of
series move by less than a page shows, and the statistics of 23,000 series and many trainings stay
small.

The overall weighted average is half of the mean sMAPE over Naive2's mean sMAPE plus half of the
mean MASE over Naive2's mean MASE. Prediction intervals have their score (MSIS), and how often the
future lies within them; systems that give none have no such score.

Source: Makridakis, Spiliotis and Assimakopoulos 2020, sections 2.4 and 2.5.
"""

import numpy as np
from numpy.typing import NDArray

from pipeline.scoring.scores import ItemStatistics, Metric, percentage, ratio
from pipeline.tasks.forecast.shared.measures import (
    LEVEL,
    Array,
    mase,
    scaled_interval_score,
    smape,
)

_BITS = 11  # as half precision has, without its narrow range


def _owa(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Half of sMAPE / Naive2's sMAPE plus half of MASE / Naive2's MASE; the counts cancel."""
    return 0.5 * (ratio(sums[..., [0, 1]]) + ratio(sums[..., [2, 3]]))


METRICS: dict[str, Metric] = {
    "owa": Metric("lower", ("smape", "naive2_smape", "mase", "naive2_mase"), _owa,
                  "overall weighted average: sMAPE and MASE relative to Naive2's", decimals=3),
    "smape": Metric("lower", ("smape", "series"), ratio, "symmetric mean absolute percentage error",
                    decimals=3),
    "mase": Metric("lower", ("mase", "series"), ratio,
                   "mean absolute error scaled by the seasonal naive error of the past",
                   decimals=3),
    "msis": Metric("lower", ("msis", "series"), ratio,
                   "mean scaled interval score of the 95 % prediction intervals", decimals=2),
    "coverage": Metric("nearer", ("covered", "points"), percentage,
                       "percentage of future points within the 95 % prediction intervals",
                       decimals=1, target=100 * LEVEL),
}


def statistics(ids: list[str], forecasts: Array, futures: Array, naive2: Array,
               scales: Array) -> ItemStatistics:
    """Errors of forecasts [series, h] beside those of Naive2; `scales` has shape [series]."""
    return ItemStatistics(ids, {
        "smape": shortened(smape(futures, forecasts)),
        "mase": shortened(mase(futures, forecasts, scales)),
        "naive2_smape": shortened(smape(futures, naive2)),
        "naive2_mase": shortened(mase(futures, naive2, scales)),
        "series": np.ones(len(ids)),
    })


def interval_statistics(low: Array, high: Array, futures: Array,
                        scales: Array) -> dict[str, Array]:
    """What intervals [series, h] add to the statistics of their forecasts."""
    return {
        "msis": shortened(scaled_interval_score(futures, low, high, scales)),
        "covered": np.sum((low <= futures) & (futures <= high), axis=-1, dtype=np.float64),
        "points": np.full(len(futures), float(futures.shape[-1])),
    }


def shortened(errors: Array) -> Array:
    """The nearest numbers of 11 significant binary digits, at most 0.05 % away; any shape."""
    # By way of single precision: what is kept of earlier trainings has gone it, too.
    fractions, exponents = np.frexp(errors.astype(np.float32).astype(np.float64))
    return np.ldexp(np.round(fractions * 2**_BITS), exponents - _BITS)
