"""Makes weight_normed/*.pt and weight_normed/outputs.json: two networks as they are published, small, and what they compute.

`balrog` is a temporal convolutional network that finds genes, after salzberg-lab/Balrog: each of its weight-normed
convolutions is a field of its block and a module of the block's Sequential, so that its tensors have two names. `deepsdf` is
the decoder of facebookresearch/DeepSDF: nine linear layers of which the fifth gets the input again, saved from DataParallel
inside of a training checkpoint. Needs PyTorch 1.13.1.
"""

import json
import pathlib

import torch
from torch import nn
from torch.nn.utils import weight_norm

folder = pathlib.Path(__file__).parent / "weight_normed"


class Chomp(nn.Module):
    """Cuts off what a causal convolution may not see."""

    def __init__(self, size):
        super().__init__()
        self.size = size

    def forward(self, x):
        return x[:, :, : -self.size].contiguous()


class Block(nn.Module):
    def __init__(self, inputs, outputs, size, dilation):
        super().__init__()
        padding = (size - 1) * dilation
        self.conv1 = weight_norm(nn.Conv1d(inputs, outputs, size, padding=padding, dilation=dilation))
        self.chomp1, self.relu1, self.dropout1 = Chomp(padding), nn.ReLU(), nn.Dropout(0.05)
        self.conv2 = weight_norm(nn.Conv1d(outputs, outputs, size, padding=padding, dilation=dilation))
        self.chomp2, self.relu2, self.dropout2 = Chomp(padding), nn.ReLU(), nn.Dropout(0.05)
        first = [self.conv1, self.chomp1, self.relu1, self.dropout1]
        self.net = nn.Sequential(*first, self.conv2, self.chomp2, self.relu2, self.dropout2)
        self.downsample = nn.Conv1d(inputs, outputs, 1) if inputs != outputs else None
        self.relu = nn.ReLU()

    def forward(self, x):
        return self.relu(self.net(x) + (x if self.downsample is None else self.downsample(x)))


class Tcn(nn.Module):
    def __init__(self, inputs, channels, size):
        super().__init__()
        sizes = zip([inputs, *channels[:-1]], channels)
        self.network = nn.Sequential(*[Block(a, b, size, 2**i) for i, (a, b) in enumerate(sizes)])

    def forward(self, x):
        return self.network(x)


class Balrog(nn.Module):
    def __init__(self):
        super().__init__()
        self.tcn = Tcn(4, [5, 5, 5], 3)
        self.linear = nn.Linear(5, 1)

    def forward(self, x):
        y = self.tcn(x)
        return torch.stack([self.linear(y[:, :, i]) for i in range(y.shape[2])], dim=2)


class Decoder(nn.Module):
    """Of a latent vector of four numbers and a point: with eight hidden layers of twelve."""

    def __init__(self):
        super().__init__()
        widths = [7] + [12] * 8 + [1]
        for i in range(9):
            outputs = widths[i + 1] - 7 if i == 3 else widths[i + 1]
            layer = nn.Linear(widths[i], outputs)
            setattr(self, f"lin{i}", layer if i == 8 else weight_norm(layer))

    def forward(self, inputs):
        x = inputs
        for i in range(9):
            x = getattr(self, f"lin{i}")(torch.cat([x, inputs], 1) if i == 4 else x)
            x = torch.tanh(x) if i == 8 else torch.relu(x)
        return x


def randomize(network):
    """Large enough numbers that a weight in a wrong place shows."""
    with torch.no_grad():
        for name, value in network.named_parameters():
            bound = 0.2 if name.endswith("bias") else 0.6 if name.endswith("_v") else 0.9
            value.uniform_(-bound, bound) if not name.endswith("_g") else value.uniform_(0.7, 1.6)
    return network.eval()


def numbers(tensor):
    return {"shape": list(tensor.shape), "data": [float(f"{v:.9g}") for v in tensor.flatten().tolist()]}


def main():
    folder.mkdir(exist_ok=True)
    torch.manual_seed(5)
    networks = {"balrog": randomize(Balrog()), "deepsdf": randomize(Decoder())}
    inputs = {"balrog": torch.rand(2, 4, 9), "deepsdf": torch.rand(6, 7) * 2 - 1}
    table = {}
    for name, network in networks.items():
        state = network.state_dict()
        table[name] = {"x": numbers(inputs[name])}
        # In float64, so that no rounding of these numbers is in the way.
        with torch.no_grad():
            table[name]["y"] = numbers(network.double()(inputs[name].double()))
        network.float()
        if name == "balrog":
            torch.save(network.state_dict(), folder / "balrog.pt")
        else:
            wrapped = nn.DataParallel(network).state_dict()
            torch.save({"epoch": 2000, "model_state_dict": wrapped}, folder / "deepsdf.pt")
        assert state.keys() == network.state_dict().keys()
    (folder / "outputs.json").write_text(
        "{\n" + ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in table.items()) + "\n}\n"
    )


if __name__ == "__main__":
    main()
