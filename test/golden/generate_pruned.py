"""Makes pruned/network.pt and pruned/outputs.json: a network with the masks of torch.nn.utils.prune, and what it computes;
and peft/adapter_model.bin: the tensors of peft/adapter_model.safetensors, saved by torch. Needs PyTorch 1.13.1.
"""

import json
import pathlib
import struct

import torch
from torch import nn
from torch.nn.utils import prune

here = pathlib.Path(__file__).parent


def network():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv1d(2, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(12, 5), nn.ReLU(), nn.Linear(5, 3))
    prune.l1_unstructured(net[0], "weight", 0.5)
    prune.l1_unstructured(net[0], "weight", 0.5)
    prune.ln_structured(net[3], "weight", 2, n=2, dim=0)
    prune.random_unstructured(net[3], "bias", 2)
    prune.custom_from_mask(net[5], "weight", (torch.arange(15).reshape(3, 5) % 2 == 0).float())
    return net


def save_pruned():
    (here / "pruned").mkdir(exist_ok=True)
    net = network()
    x = torch.round(torch.randn(2, 2, 5) * 1e4) / 1e4
    torch.save(net.state_dict(), here / "pruned" / "network.pt")
    content = {"torch": torch.__version__, "input": x.tolist(), "output": net(x).tolist()}
    (here / "pruned" / "outputs.json").write_text(json.dumps(content) + "\n")


def save_adapter():
    data = (here / "peft" / "adapter_model.safetensors").read_bytes()
    (size,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + size])
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        numbers = torch.frombuffer(bytearray(data[8 + size + begin : 8 + size + end]), dtype=torch.float32)
        tensors[name] = numbers.reshape(entry["shape"]).clone()
    torch.save(tensors, here / "peft" / "adapter_model.bin")


if __name__ == "__main__":
    save_pruned()
    save_adapter()
