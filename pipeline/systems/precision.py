"""Which numbers a training computes with: what params.yaml says of its track, fp32 or bf16.

With bf16 matrix products take numbers of 16 bits with the range of fp32, so no loss has to be
scaled (Kalamkar et al. 2019, "A Study of BFLOAT16 for Deep Learning Training"). Rows that are
compared have to be computed alike, so a track decides for all of them, and neither a clock nor the
processor has a say: one without instructions for bf16 computes the same, more slowly than fp32.
"""

from pathlib import Path
from typing import Literal

from pipeline.entries import Precision

LIGHTNING: dict[Precision, Literal["32-true", "bf16-mixed"]] = {
    "fp32": "32-true", "bf16": "bf16-mixed"}


def has_bf16_instructions() -> bool:
    """Whether this processor computes with bf16; without, bf16 is slower than fp32."""
    flags = Path("/proc/cpuinfo")
    return flags.exists() and "avx512_bf16" in flags.read_text()


def doubt(precision: Precision, gpu: bool) -> str | None:
    """What whoever waits for a training should know, None where nothing is odd."""
    if precision == "bf16" and not gpu and not has_bf16_instructions():
        return ("this processor has no instructions for bf16, which params.yaml asks for; training "
                "computes the same as elsewhere and takes longer than with fp32")
    return None
