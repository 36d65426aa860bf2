"""The work of a case in PyTorch; see torchWorker.py."""

import torch
from torch.nn.utils import parametrize


def wave(description):
    shape, phase, offset = (description[key] for key in ("shape", "phase", "offset"))
    count = torch.Size(shape).numel()
    numbers = offset + torch.sin(phase * torch.arange(1, count + 1, dtype=torch.float64))
    return numbers.float().reshape(shape)


def reads():
    """A thousand reads of a parametrized weight in a cache."""
    layer = torch.nn.Linear(64, 64)
    parametrize.register_parametrization(layer, "weight", torch.nn.Identity())

    def work():
        with parametrize.cached():
            for _ in range(1000):
                layer.weight
        return []

    return work


def make(case):
    if case["pass"] == "reads":
        return reads()
    g, v, dW = (wave(case["inputs"][name]) for name in ("g", "v", "dW"))
    dim = case["kept"]

    def forward():
        with torch.no_grad():
            return [torch._weight_norm(v, g, dim)]

    def both():
        w = torch._weight_norm(v, g, dim)
        return [w, *torch.autograd.grad(w, [g, v], dW)]

    if case["pass"] == "forward":
        return forward
    if case["pass"] == "backward":
        norms = torch.linalg.vector_norm(v, dim=1 - dim, keepdim=True)

        def backward():
            dv, dg = torch.ops.aten._weight_norm_interface_backward(dW, v, g, norms, dim)
            return [dg, dv]

        return backward
    g.requires_grad_()
    v.requires_grad_()
    return both
