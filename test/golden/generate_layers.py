"""Makes layers/*.pt and layers/layers.json: networks that tf.layers can have as well, and what they compute.

Needs PyTorch 1.13.1. A second run gives the same numbers; the archives differ in nothing that is read.
"""

import json
import pathlib

import torch
from torch import nn
from torch.nn.utils import spectral_norm, weight_norm
from torch.nn.utils.parametrizations import spectral_norm as modern_spectral_norm

folder = pathlib.Path(__file__).parent / "layers"


class Features(nn.Module):
    """Convolutions, then a linear layer on what they give, flattened."""

    def __init__(self, features, classifier):
        super().__init__()
        self.features = features
        self.classifier = classifier

    def forward(self, x):
        return self.classifier(torch.flatten(self.features(x), 1))


class Generator(nn.Module):
    """A linear layer, whose features become maps."""

    def __init__(self):
        super().__init__()
        self.project = nn.Linear(3, 16)
        self.norm = nn.BatchNorm1d(16)
        self.up = nn.ConvTranspose2d(4, 3, 4, stride=2, padding=1)
        self.out = nn.ConvTranspose2d(3, 2, 4, stride=2, padding=1, bias=False)

    def forward(self, x):
        maps = torch.relu(self.norm(self.project(x))).view(-1, 4, 2, 2)
        return torch.tanh(self.out(torch.relu(self.up(maps))))


class Reader(nn.Module):
    """Tokens through a recurrent network."""

    def __init__(self, rnn, width, embedding=True):
        super().__init__()
        if embedding:
            self.embedding = nn.Embedding(7, 3)
        self.rnn = rnn
        self.head = nn.Linear(width, 2)

    def forward(self, x):
        steps, _ = self.rnn(self.embedding(x) if hasattr(self, "embedding") else x)
        return self.head(steps)


def each(normalize, network, **options):
    for module in network.modules():
        if isinstance(module, (nn.Linear, nn.Conv1d, nn.Conv2d, nn.ConvTranspose2d)):
            normalize(module, **options)
    return network


def mlp():
    return nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3), nn.LayerNorm(3))


def cnn():
    features = nn.Sequential(
        nn.Conv2d(2, 3, 3, padding=1),
        nn.BatchNorm2d(3),
        nn.PReLU(3),
        nn.Conv2d(3, 4, 2, stride=2),
        nn.PReLU(),
    )
    return Features(features, nn.Linear(36, 3))


tokens = torch.tensor([[1, 2, 6, 0], [3, 3, 5, 4]])

cases = {
    "mlp": (mlp, (3, 4)),
    "mlp_weight_norm": (lambda: each(weight_norm, mlp()), (3, 4)),
    "mlp_weight_norm_inputs": (lambda: each(weight_norm, mlp(), dim=1), (3, 4)),
    "mlp_spectral_norm": (lambda: each(modern_spectral_norm, mlp()), (3, 4)),
    "cnn": (cnn, (2, 2, 6, 6)),
    "cnn_weight_norm": (lambda: each(weight_norm, cnn()), (2, 2, 6, 6)),
    "cnn_spectral_norm": (lambda: each(spectral_norm, cnn()), (2, 2, 6, 6)),
    "cnn_modern_spectral_norm": (lambda: each(modern_spectral_norm, cnn()), (2, 2, 6, 6)),
    "generator": (Generator, (2, 3)),
    "generator_weight_norm": (lambda: each(weight_norm, Generator()), (2, 3)),
    "generator_spectral_norm": (lambda: each(modern_spectral_norm, Generator()), (2, 3)),
    "conv1d": (
        lambda: Features(nn.Sequential(nn.Conv1d(2, 3, 3), nn.ReLU(), nn.MaxPool1d(2)), nn.Linear(9, 2)),
        (2, 2, 8),
    ),
    "conv3d": (lambda: Features(nn.Sequential(nn.Conv3d(2, 3, 2)), nn.Linear(24, 2)), (2, 2, 3, 3, 3)),
    "conv_transpose3d": (lambda: nn.ConvTranspose3d(2, 3, 2, stride=2), (2, 2, 2, 2, 2)),
    "depthwise": (
        lambda: nn.Sequential(
            nn.Conv2d(2, 6, 3, groups=2),
            nn.Conv2d(6, 12, 2, groups=6, bias=False),
            nn.Conv2d(12, 3, 1),
        ),
        (2, 2, 5, 5),
    ),
    "rnn": (lambda: Reader(nn.RNN(3, 4, batch_first=True), 4), tokens),
    "lstm": (lambda: Reader(nn.LSTM(3, 4, num_layers=2, batch_first=True), 4), tokens),
    "bidirectional": (lambda: Reader(nn.LSTM(3, 4, batch_first=True, bidirectional=True), 8), tokens),
    "gru": (lambda: Reader(nn.GRU(3, 4, batch_first=True), 4, embedding=False), (2, 4, 3)),
    "weight_norm_rnn": (
        lambda: Reader(weight_norm(nn.LSTM(3, 4, batch_first=True), "weight_hh_l0"), 4),
        tokens,
    ),
}


def numbers(tensor):
    return {"shape": list(tensor.shape), "data": [float(f"{v:.7g}") for v in tensor.flatten().tolist()]}


def main():
    folder.mkdir(exist_ok=True)
    table = {}
    for name, (make, shape) in cases.items():
        torch.manual_seed(sum(name.encode()))
        network = make()
        x = shape if isinstance(shape, torch.Tensor) else torch.randn(shape).mul(1e4).round().div(1e4)
        # Nothing at its neutral value: scales are not 1, running means not 0.
        with torch.no_grad():
            for key, value in [*network.named_parameters(), *network.named_buffers()]:
                if not torch.is_floating_point(value):
                    continue
                if key.endswith(("_u", "_v")) and "spectral" in name:
                    continue
                noise = torch.rand_like(value) if "running_var" in key else torch.randn_like(value) * 0.3
                value.add_(noise)
            network.train()
            for _ in range(20 if "spectral" in name else 0):
                network(x)
            network.eval()
            y = network(x)
        torch.save(network.state_dict(), folder / f"{name}.pt")
        table[name] = {"x": numbers(x), "y": numbers(y)}
    text = ",\n".join(f"{json.dumps(name)}: {json.dumps(case)}" for name, case in table.items())
    (folder / "layers.json").write_text("{\n" + text + "\n}\n")


if __name__ == "__main__":
    main()
