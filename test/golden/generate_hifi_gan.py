"""Makes hifi_gan/generator.pt and hifi_gan/output.json: a small generator of HiFi-GAN's form, as its training saves one.

The modules and their names are those of jik876/hifi-gan: `conv_pre`, `ups`, `resblocks` and `conv_post` with
`torch.nn.utils.weight_norm` on every convolution. The file is `torch.save({"generator": generator.state_dict()})`. The
lengths are drawn anew, as after a training, because weight norm begins with those of the directions. Needs PyTorch 1.13.1.
"""

import json
import pathlib

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import weight_norm

folder = pathlib.Path(__file__).parent / "hifi_gan"
bands, width, rates, kernels, block_kernels, dilations = 4, 8, [8, 8], [16, 16], [3], [1, 3]


class ResBlock(nn.Module):
    def __init__(self, channels, size):
        super().__init__()

        def conv(dilation):
            padding = dilation * (size - 1) // 2
            return weight_norm(nn.Conv1d(channels, channels, size, dilation=dilation, padding=padding))

        self.convs1 = nn.ModuleList(conv(dilation) for dilation in dilations)
        self.convs2 = nn.ModuleList(conv(1) for _ in dilations)

    def forward(self, x):
        for dilated, plain in zip(self.convs1, self.convs2):
            x = x + plain(F.leaky_relu(dilated(F.leaky_relu(x, 0.1)), 0.1))
        return x


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv_pre = weight_norm(nn.Conv1d(bands, width, 7, padding=3))
        self.ups = nn.ModuleList(
            weight_norm(nn.ConvTranspose1d(width >> i, width >> i + 1, size, rate, padding=(size - rate) // 2))
            for i, (rate, size) in enumerate(zip(rates, kernels))
        )
        self.resblocks = nn.ModuleList(
            ResBlock(width >> i + 1, size) for i in range(len(rates)) for size in block_kernels
        )
        self.conv_post = weight_norm(nn.Conv1d(width >> len(rates), 1, 7, padding=3))

    def forward(self, x):
        x = self.conv_pre(x)
        each = len(block_kernels)
        for i, up in enumerate(self.ups):
            x = up(F.leaky_relu(x, 0.1))
            x = sum(block(x) for block in self.resblocks[i * each : (i + 1) * each]) / each
        return torch.tanh(self.conv_post(F.leaky_relu(x, 0.01)))


torch.manual_seed(0)
torch.set_num_threads(1)
generator = Generator()
with torch.no_grad():
    for name, tensor in generator.named_parameters():
        if name.endswith("weight_g"):
            tensor.mul_(0.5 + 2 * torch.rand_like(tensor))
folder.mkdir(exist_ok=True)
torch.save({"generator": generator.state_dict()}, folder / "generator.pt")
frames = torch.randn(1, bands, 3)
with torch.no_grad():
    samples = generator.double()(frames.double())
numbers = {"frames": frames.flatten().tolist(), "samples": samples.flatten().tolist()}
(folder / "output.json").write_text(json.dumps(numbers) + "\n")
