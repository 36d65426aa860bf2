"""The nearest equivalents in PyTorch of the maps of the catalog; see torchWorker.py.

A case is {"entry", "shape", "pass"}: a `read` computes the value, a `gradient` the value and the gradients of its
originals, a `registration` what is needed to start from a weight: an inverse, a factorization or a decomposition. The
work of a case without an equivalent has no results.
"""

import torch
import torch.nn.functional as F
from torch.nn.utils import parametrizations


def skew(x):
    return x.tril(-1) - x.tril(-1).mT


def sinkhorn(x, iterations=50):
    for _ in range(iterations):
        x = x - x.logsumexp(-1, True)
        x = x - x.logsumexp(-2, True)
    return x.exp()


def positive_triangle(x):
    return x.triu(1) + torch.diag(F.softplus(x.diagonal()))


def positive_definite(x):
    L = x.tril(-1) + torch.diag(F.softplus(x.diagonal()))
    return L @ L.mT


def standardized(v):
    variance, mean = torch.var_mean(v, 1, unbiased=False, keepdim=True)
    return (v - mean) * torch.rsqrt(variance + 1e-6)


def aol(x):
    return x * (x.mT @ x).abs().sum(0).rsqrt()


def rows(x):
    return F.normalize(x.tril(-1) + torch.eye(len(x)), dim=1)


def polar(x):
    U, _, Vh = torch.linalg.svd(x, full_matrices=False)
    return U @ Vh


def psd(x, floor=0.0):
    values, Q = torch.linalg.eigh((x + x.mT) / 2)
    return (Q * values.clamp(min=floor)) @ Q.mT


def cayley(x):
    A = skew(x)
    I = torch.eye(len(x))
    return torch.linalg.solve(I + A / 2, I - A / 2)


READS = {
    "positive": F.softplus,
    "interval": torch.sigmoid,
    "stableDiagonal": lambda x: torch.exp(-x.exp()),
    "ordered": lambda x: torch.cat([x[:, :1], F.softplus(x[:, 1:])], 1).cumsum(1),
    "ball": lambda x: x * (x.norm(dim=-1, keepdim=True).tanh() / x.norm(dim=-1, keepdim=True)),
    "simplex": lambda x: x.softmax(-1),
    "sphere": lambda x: F.normalize(x, dim=-1),
    "unitNorm": lambda x: F.normalize(x, dim=0),
    "maxNorm": lambda x: x * (1 / x.norm(dim=0, keepdim=True)).clamp(max=1),
    "nonNeg": F.relu,
    "zeroMean": lambda x: x - x.mean(-1, True),
    "equalizedLearningRate": lambda x: x * 0.1,
    "weightNorm": lambda x: F.normalize(x, dim=1),
    "centeredWeightNorm": lambda x: F.normalize(x - x.mean(1, True), dim=1),
    "weightStandardization": standardized,
    "symmetric": lambda x: x.triu() + x.triu(1).mT,
    "skew": skew,
    "triangular": torch.tril,
    "positiveDefinite": positive_definite,
    "positiveSemidefinite": lambda x: x @ x.mT,
    "correlation": lambda x: rows(x) @ rows(x).mT,
    "doublyStochastic": sinkhorn,
    "aol": aol,
    "lowRank": lambda x: x[:, :16] @ x[:16, :],
    "orthogonal, matrixExp": lambda x: torch.matrix_exp(skew(x)),
    "orthogonal, cayley": cayley,
    "orthogonal, householder": lambda x: torch.linalg.householder_product(
        x.tril(-1) + torch.eye(*x.shape), 2 / (1 + x.tril(-1).square().sum(0))
    ),
    "orthogonal, polar": polar,
    "grassmannian": lambda x: torch.matrix_exp(skew(F.pad(x, (0, x.shape[0] - x.shape[1]))))[:, : x.shape[1]],
    "invertible": lambda x: torch.matrix_exp(skew(x)) @ positive_triangle(x),
    "specialLinear": lambda x: torch.matrix_exp(skew(x)) @ positive_triangle(x),
}


def orthogonal(name):
    def register(x):
        layer = torch.nn.Linear(x.shape[1], x.shape[0], bias=False)
        with torch.no_grad():
            layer.weight.copy_(x)
        parametrizations.orthogonal(layer, orthogonal_map=name)

    return register


def spectral_norm(x):
    layer = torch.nn.Linear(x.shape[1], x.shape[0], bias=False)
    parametrizations.spectral_norm(layer)


def with_cholesky(x):
    return torch.linalg.cholesky(psd(x, 1e-4 * float(x.norm())))


def decomposed(x):
    return torch.linalg.svd(x, full_matrices=False)


REGISTRATIONS = {
    "positive": lambda x: x.abs().expm1().log(),
    "interval": lambda x: x.clamp(0.001, 0.999).logit(),
    "simplex": lambda x: x.clamp(min=1e-3).log(),
    "sphere": READS["sphere"],
    "weightNorm": lambda x: torch.norm_except_dim(x, 2, 0),
    "spectralNorm": spectral_norm,
    "positiveDefinite": with_cholesky,
    "positiveSemidefinite": psd,
    "correlation": with_cholesky,
    "lowRank": decomposed,
    "fixedRank": decomposed,
    "almostOrthogonal": decomposed,
    "orthogonal, matrixExp": orthogonal("matrix_exp"),
    "orthogonal, cayley": orthogonal("cayley"),
    "orthogonal, householder": orthogonal("householder"),
    "orthogonal, polar": polar,
    "grassmannian": orthogonal("matrix_exp"),
    "invertible": torch.linalg.qr,
    "specialLinear": torch.linalg.qr,
}

LONGEST_ORTHOGONAL = 512


def make(case):
    name, shape = case["entry"], case["shape"]
    if name not in (REGISTRATIONS if case["pass"] == "registration" else READS):
        return list
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(shape, generator=generator) / max(shape) ** 0.5
    if case["pass"] == "registration":
        register = REGISTRATIONS[name]
        # Several functions of a matrix with the square of the longer side, which take minutes.
        if max(shape) > LONGEST_ORTHOGONAL and name.startswith(("orthogonal, m", "orthogonal, c", "orthogonal, h", "grass")):
            return list

        def registration():
            with torch.no_grad():
                register(x)
            return [x]

        return registration
    read = READS[name]
    dy = torch.randn(shape, generator=generator)
    x.requires_grad_()

    def forward():
        with torch.no_grad():
            return [read(x)]

    def both():
        y = read(x)
        return [y, *torch.autograd.grad(y, [x], dy)]

    return forward if case["pass"] == "read" else both
