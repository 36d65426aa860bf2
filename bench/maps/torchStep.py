"""The work of a case in PyTorch; see torchWorker.py."""

import torch
from torch.nn.utils import parametrizations


def wave(shape, phase):
    count = torch.Size(shape).numel()
    i = torch.arange(count, dtype=torch.float64)
    return torch.sin(phase * (i + 1) * (1 + i / count)).float().reshape(shape)


def make(case):
    m, n = case["shape"]
    layer = torch.nn.Linear(n, m, bias=False)
    weight = wave([m, n], 0.7) * case["scale"]
    if case["map"] == "spectralNorm":
        with torch.no_grad():
            layer.weight.copy_(weight)
        parametrizations.spectral_norm(layer)
        norm = layer.parametrizations.weight[0]
        u, v = wave([m], 0.3), wave([n], 1.3)
        norm._u.copy_(u / u.norm())
        norm._v.copy_(v / v.norm())
    else:
        name = "matrix_exp" if case["map"] == "matrixExp" else case["map"]
        parametrizations.orthogonal(layer, orthogonal_map=name, use_trivialization=False)
        weight.fill_diagonal_(1)
        with torch.no_grad():
            layer.parametrizations.weight.original.copy_(weight)
    original = layer.parametrizations.weight.original
    dy = wave([m, n], 1.9)

    def forward():
        with torch.no_grad():
            return [layer.weight]

    def both():
        y = layer.weight
        return [y, *torch.autograd.grad(y, [original], dy)]

    return forward if case["pass"] == "forward" else both
