"""Tensors as the golden files spell them; README.md describes it."""

import json
import math
import platform
from pathlib import Path

import numpy as np
import torch

HERE = Path(__file__).parent


def number(x):
    """The shortest decimal that reads back as the same float32; a string where JSON has no number."""
    x = float(str(x))
    if math.isnan(x):
        return "nan"
    if math.isinf(x):
        return "inf" if x > 0 else "-inf"
    if x == 0 and math.copysign(1, x) < 0:
        return "-0"
    return int(x) if x == int(x) and abs(x) < 1e6 else x


def encode(value):
    """Replaces every tensor inside lists and dictionaries by `{dtype, shape, data}`."""
    if isinstance(value, dict):
        return {key: encode(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [encode(item) for item in value]
    if isinstance(value, torch.Tensor):
        dtype = str(value.dtype).removeprefix("torch.")
        return {"dtype": dtype, "shape": list(value.shape), "data": [number(x) for x in value.flatten().numpy()]}
    return value


def decode(golden: dict) -> torch.Tensor:
    """The tensor that `{dtype, shape, data}` spells."""
    data = np.array([float(x) for x in golden["data"]], dtype=np.float64)
    return torch.from_numpy(data).to(getattr(torch, golden["dtype"])).reshape(golden["shape"])


def header() -> dict:
    """What made the numbers."""
    return {"torch": torch.__version__, "numpy": np.__version__, "arch": platform.machine()}


def write(path: Path, contents: dict) -> None:
    """Writes a file with one case a line, so that a diff names the cases that changed."""
    cases = contents.pop("cases")
    text = json.dumps({**contents, "cases": []}, separators=(",", ":"))
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    path.write_text(f"{text[:-2]}\n{lines}\n]}}\n")
