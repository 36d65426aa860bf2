"""
Goes on with the training of a weight-normalized model in two processes, with DistributedDataParallel over gloo.

    python train.py FOLDER STEPS LEARNING_RATE

FOLDER has model.safetensors, which tfjs-parametrize saved, and data.json: { x, y }. Writes trained.pt, the state dict, and
prints the loss before each step, of all data, and after the last, as JSON.
"""

import json
import os
import struct
import sys

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.nn.utils import weight_norm

WORLD = 2


def load_safetensors(path):
    """safetensors.torch.load_file, where that package is not installed; float32 only."""
    data = open(path, "rb").read()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    start = 8 + length
    state = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        values = torch.frombuffer(bytearray(data[start + begin : start + end]), dtype=torch.float32)
        state[name] = values.reshape(entry["shape"])
    return state


def make_model():
    return nn.Sequential(weight_norm(nn.Linear(8, 16)), nn.Tanh(), weight_norm(nn.Linear(16, 1)))


def train(rank, folder, steps, learning_rate):
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/rendezvous", rank=rank, world_size=WORLD)
    model = make_model()
    model.load_state_dict(load_safetensors(os.path.join(folder, "model.safetensors")))
    parallel = DistributedDataParallel(model)
    data = json.load(open(os.path.join(folder, "data.json")))
    # Equal shares: the mean of their means is the mean of all, so that the gradients are those of one machine.
    x, y = (torch.tensor(data[key])[rank::WORLD] for key in ("x", "y"))
    optimizer = torch.optim.SGD(parallel.parameters(), lr=learning_rate)
    losses = []
    for step in range(steps + 1):
        loss = nn.functional.mse_loss(parallel(x), y)
        whole = loss.detach().clone()
        dist.all_reduce(whole)
        losses.append(whole.item() / WORLD)
        if step == steps:
            break
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    if rank == 0:
        # The module, not the wrapper: its keys have no 'module.' in front.
        torch.save(model.state_dict(), os.path.join(folder, "trained.pt"))
        print(json.dumps(losses))
    dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    mp.spawn(train, (sys.argv[1], int(sys.argv[2]), float(sys.argv[3])), nprocs=WORLD)
