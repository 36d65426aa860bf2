"""Answers one line of JSON on stdin with one on stdout: the PyTorch side of a benchmark.

    python3 torchWorker.py work.py

`work.py` defines `make(case)`, which returns a function without arguments that does the work once and returns its
tensors. A line is `{"make": case}`, answered with the fingerprints of those tensors, or `{"run": repetitions}`,
answered with the milliseconds that this took.
"""

import importlib.util
import json
import sys
import time

import torch

torch.set_num_threads(1)
spec = importlib.util.spec_from_file_location("work", sys.argv[1])
work = importlib.util.module_from_spec(spec)
spec.loader.exec_module(work)


def fingerprint(tensor):
    values = tensor.detach().double().flatten()
    weights = torch.sin(torch.arange(1, values.numel() + 1, dtype=torch.float64))
    return {"projection": float(values @ weights), "norm": float(values.norm())}


def answer(request):
    global step
    if "make" in request:
        step = work.make(request["make"])
        return [fingerprint(tensor) for tensor in step()]
    start = time.perf_counter()
    for _ in range(request["run"]):
        step()
    return 1000 * (time.perf_counter() - start)


print(json.dumps(torch.__version__), flush=True)
for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
