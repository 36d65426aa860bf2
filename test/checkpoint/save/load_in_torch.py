"""
Loads what tfjs-parametrize wrote into real PyTorch, strictly, and saves it again.

    python load_in_torch.py FOLDER

FOLDER has cases.json: [{ name, file, network, x }]. For each case this writes NAME.pt, the state dict as torch sees it, and
prints a line of JSON: { name, y, reader }.
"""

import json
import os
import struct
import sys

import torch
from torch import nn
from torch.nn.utils import parametrizations, parametrize

sys.path.append(os.path.join(os.path.dirname(__file__), "../../golden"))
from generate_layers import cases as networks  # noqa: E402

TYPES = {"F64": torch.float64, "F32": torch.float32, "I64": torch.int64, "I32": torch.int32, "BOOL": torch.bool}


def read(path):
    """By the official package where it is installed, else by the text of the format, which is strict."""
    try:
        from safetensors.torch import load_file

        return load_file(path), "safetensors"
    except ImportError:
        pass
    data = open(path, "rb").read()
    (length,) = struct.unpack("<Q", data[:8])
    assert length % 8 == 0, "the header is not aligned"
    header = json.loads(data[8 : 8 + length].decode("utf-8"))
    metadata = header.pop("__metadata__", {})
    assert all(isinstance(text, str) for text in metadata.values())
    state, end = {}, 0
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        begin, stop = entry["data_offsets"]
        assert begin == end, "there is a gap before " + name
        raw = bytearray(data[8 + length + begin : 8 + length + stop])
        tensor = torch.frombuffer(raw, dtype=TYPES[entry["dtype"]]) if raw else torch.empty(0)
        state[name], end = tensor.reshape(entry["shape"]), stop
    assert 8 + length + end == len(data), "there are bytes after the last tensor"
    return state, "the text of the format"


class WeightNorm(nn.Module):
    """parametrizations.weight_norm of torch 2.1, for versions that do not have it."""

    def forward(self, g, v):
        return g * v / v.norm(dim=tuple(range(1, v.dim())), keepdim=True)

    def right_inverse(self, weight):
        return weight.norm(dim=tuple(range(1, weight.dim())), keepdim=True), weight


def modern_weight_norm(module):
    if hasattr(parametrizations, "weight_norm"):
        return parametrizations.weight_norm(module)
    parametrize.register_parametrization(module, "weight", WeightNorm(), unsafe=True)
    return module


NORMALIZE = {
    "plain": lambda module: module,
    "weightNorm.modern": modern_weight_norm,
    "weightNorm.legacy": nn.utils.weight_norm,
    "spectralNorm.modern": parametrizations.spectral_norm,
    "spectralNorm.legacy": nn.utils.spectral_norm,
    "orthogonal.modern": parametrizations.orthogonal,
}


def network(name):
    if name in networks:
        return networks[name][0]().eval()
    normalize = NORMALIZE[name]
    layers = [normalize(nn.Linear(4, 4)), nn.Tanh(), normalize(nn.Linear(4, 4, bias=False))]
    return nn.Sequential(*layers).eval()


folder = sys.argv[1]
for case in json.load(open(os.path.join(folder, "cases.json"))):
    state, reader = read(os.path.join(folder, case["file"]))
    model = network(case["network"])
    model.load_state_dict(state, strict=True)
    with torch.no_grad():
        y = model(torch.tensor(case["x"]))
    torch.save(model.state_dict(), os.path.join(folder, case["name"] + ".pt"))
    print(json.dumps({"name": case["name"], "y": y.tolist(), "reader": reader}))
