"""The work of a case in PyTorch; see torchWorker.py."""

import torch
from torch.nn.functional import conv1d, conv2d, relu


def wave(description):
    shape, phase, scale = (description[key] for key in ("shape", "phase", "scale"))
    count = torch.Size(shape).numel()
    numbers = torch.sin(phase * torch.arange(1, count + 1, dtype=torch.float64)) * scale
    return numbers.float().reshape(shape)


def make(case):
    inputs = case["inputs"]
    x, dy = wave(inputs["x"]), wave(inputs["dy"])
    weights = [wave(weight) for weight in inputs["weights"]]
    biases = [wave(bias) for bias in inputs["biases"]]
    convolve = conv1d if x.dim() == 3 else conv2d
    padding = case["kernel"] // 2

    def output():
        y = x
        for i, (weight, bias) in enumerate(zip(weights, biases)):
            y = convolve(relu(y) if i > 0 else y, weight, bias, padding=padding)
        return y

    def forward():
        with torch.no_grad():
            return [output()]

    def both():
        y = output()
        return [y, *torch.autograd.grad(y, [x, *weights, *biases], dy)]

    if case["pass"] == "forward":
        return forward
    for tensor in [x, *weights, *biases]:
        tensor.requires_grad_()
    return both
