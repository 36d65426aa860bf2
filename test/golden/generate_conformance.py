"""Make `conformance.json`: what the scenarios of torch's own parametrization tests do to the numbers.

    apt-get install python3-torch
    /usr/bin/python3 test/golden/generate_conformance.py

The maps, the order of registrations, steps and removals are those of `test/torch/conformance.test.ts`; README.md
describes what is written. A second run writes the same bytes.
"""

import torch
from torch import nn
from torch.nn.utils import parametrize

from golden_json import HERE, encode, header, write


class Skew(nn.Module):
    def forward(self, X):
        lower = X.tril(-1)
        return lower - lower.T


class Cayley(nn.Module):
    """`(I + A)⁻¹(I - A)`"""

    def forward(self, A):
        identity = torch.eye(len(A))
        return torch.linalg.solve(identity + A, identity - A)


class ZeroAt(nn.Module):
    def __init__(self, index: int):
        super().__init__()
        self.index = index

    def forward(self, x):
        mask = torch.ones_like(x)
        mask[self.index] = 0
        return x * mask


class StrictSkew(Skew):
    def right_inverse(self, A):
        return A.tril(-1)


class BasedCayley(Cayley):
    """A Cayley map around a base; assignment moves the base."""

    def __init__(self, size: int):
        super().__init__()
        self.register_buffer("base", torch.eye(size))

    def forward(self, A):
        return self.base @ super().forward(A)

    def right_inverse(self, Q):
        self.base = Q
        return torch.zeros_like(Q)


class RankOne(nn.Module):
    def forward(self, x, y):
        return torch.outer(x, y)

    def right_inverse(self, M):
        U, S, Vh = torch.linalg.svd(M)
        return U[:, 0] * S[0].sqrt(), Vh[0] * S[0].sqrt()


class Double(nn.Module):
    def forward(self, x):
        return 2 * x

    def right_inverse(self, y):
        return y / 2


def linear() -> nn.Linear:
    layer = nn.Linear(3, 3)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[0.4, -0.2, 0.1], [0.3, 0.5, -0.6], [-0.7, 0.2, 0.25]]))
        layer.bias.copy_(torch.tensor([0.5, -0.3, 0.8]))
    return layer


def photograph(layer: nn.Linear) -> dict:
    """The visible tensors, without moving any state."""
    with torch.no_grad():
        return {"weight": layer.weight.clone(), "bias": layer.bias.clone()}


def step(layer: nn.Linear, optimizer: torch.optim.Optimizer) -> None:
    optimizer.zero_grad()
    (layer.weight.T @ layer.bias).sum().backward()
    optimizer.step()


def register_and_remove() -> list:
    """All effects on two tensors, trained by one optimizer through every removal."""
    layer = linear()
    register, remove = parametrize.register_parametrization, parametrize.remove_parametrizations
    for name, maps in {"weight": [Skew(), Cayley()], "bias": [ZeroAt(0), ZeroAt(-1)]}.items():
        for one in maps:
            register(layer, name, one)
    sgd = torch.optim.SGD(layer.parameters(), lr=0.1)
    stages = [photograph(layer)]
    step(layer, sgd)
    stages.append(photograph(layer))
    remove(layer, "weight", leave_parametrized=False)
    stages.append(photograph(layer))
    step(layer, sgd)
    stages.append(photograph(layer))
    remove(layer, "bias", leave_parametrized=False)
    stages.append(photograph(layer))
    step(layer, sgd)
    stages.append(photograph(layer))
    for _ in range(2):
        register(layer, "weight", Skew())
        register(layer, "weight", Cayley())
        remove(layer, "weight", leave_parametrized=True)
        stages.append(photograph(layer))
        step(layer, sgd)
        stages.append(photograph(layer))
    return stages


def assign_through_a_base() -> list:
    """Assignments through one inverse, then through two, the later of which keeps state."""
    layer = linear()
    with torch.no_grad():
        layer.weight.copy_(Skew()(layer.weight))
    parametrize.register_parametrization(layer, "weight", StrictSkew())
    list_ = layer.parametrizations.weight
    stages = []

    def record(value):
        state = {"original": list_.original.detach().clone(), "value": layer.weight.detach().clone()}
        stages.append({"assigned": value, **state})

    skew = torch.tensor([[0, 0.3, -0.2], [-0.3, 0, 0.9], [0.2, -0.9, 0]])
    layer.weight = skew
    record(skew)
    parametrize.register_parametrization(layer, "weight", BasedCayley(3))
    record(None)
    rotation = torch.tensor([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    layer.weight = rotation
    record(rotation)
    return stages


def rank_one() -> list:
    """Two originals below a one-to-one map, trained, removed, trained again."""
    layer = linear()
    parametrize.register_parametrization(layer, "weight", RankOne())
    stages = [photograph(layer)]
    parametrize.remove_parametrizations(layer, "weight")
    stages.append(photograph(layer))
    parametrize.register_parametrization(layer, "weight", RankOne())
    stages.append(photograph(layer))
    parametrize.register_parametrization(layer, "weight", Double())
    stages.append(photograph(layer))
    sgd = torch.optim.SGD(layer.parameters(), lr=0.1)
    for _ in range(2):
        step(layer, sgd)
        stages.append(photograph(layer))
    parametrize.remove_parametrizations(layer, "weight")
    stages.append(photograph(layer))
    sgd = torch.optim.SGD(layer.parameters(), lr=0.1)
    for _ in range(2):
        step(layer, sgd)
        stages.append(photograph(layer))
    return stages


if __name__ == "__main__":
    torch.set_num_threads(1)
    scenarios = [register_and_remove, assign_through_a_base, rank_one]
    cases = [{"name": scenario.__name__, "stages": encode(scenario())} for scenario in scenarios]
    write(HERE / "conformance.json", {**header(), "cases": cases})
