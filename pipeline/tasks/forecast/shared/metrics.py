"""M4's metrics of a test set. OWA is a ratio of averages over series, never an average of ratios.

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
        "smape": smape(futures, forecasts),
        "mase": mase(futures, forecasts, scales),
        "naive2_smape": smape(futures, naive2),
        "naive2_mase": mase(futures, naive2, scales),
        "series": np.ones(len(ids)),
    })


def interval_statistics(low: Array, high: Array, futures: Array,
                        scales: Array) -> dict[str, Array]:
    """What intervals [series, h] add to the statistics of their forecasts."""
    return {
        "msis": scaled_interval_score(futures, low, high, scales),
        "covered": np.sum((low <= futures) & (futures <= high), axis=-1, dtype=np.float64),
        "points": np.full(len(futures), float(futures.shape[-1])),
    }
