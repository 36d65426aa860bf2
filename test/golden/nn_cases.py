"""The cases that `generate_nn.py` runs, by family: one call of `case` is one module with one spread of options."""

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Case:
    name: str
    module: str
    args: tuple
    kwargs: dict
    # Shapes of random inputs, or tensors. A recurrent layer's initial states follow its input.
    inputs: tuple
    # One step each, 'train' or 'eval'; the buffers go from one step to the next.
    modes: tuple
    second_order: bool
    # Where num_batches_tracked starts.
    batches_tracked: int


def case(module, *args, x, note="", modes=("train",), second=False, tracked=0, **kwargs) -> Case:
    """`module(*args, **kwargs)` on input x: a shape, a tensor, or a list of several."""
    several = isinstance(x, list) and not all(isinstance(item, int) for item in x)
    shown = [repr(arg) for arg in args] + [f"{key}={value!r}" for key, value in kwargs.items()]
    name = f"{module}({', '.join(shown)})" + (f", {note}" if note else "")
    return Case(name, module, args, kwargs, tuple(x if several else [x]), tuple(modes), second, tracked)


LINEAR = [
    case("Linear", 4, 3, x=[2, 4], second=True),
    case("Linear", 4, 3, bias=False, x=[2, 3, 4], second=True),
    case("Linear", 4, 3, x=[4], note="one vector"),
    case("Bilinear", 3, 4, 5, x=[[2, 3], [2, 4]], second=True),
    case("Bilinear", 3, 4, 5, bias=False, x=[[2, 3], [2, 4]], second=True),
    case("Bilinear", 3, 4, 2, x=[[2, 3, 3], [2, 3, 4]], note="two leading axes", second=True),
    case("Bilinear", 2, 3, 1, x=[[2], [3]], note="two vectors"),
    case("Embedding", 6, 4, x=torch.tensor([[0, 5, 2], [2, 2, 1]])),
    case("Embedding", 6, 4, padding_idx=1, x=torch.tensor([[1, 5, 2], [1, 2, 0]])),
    case("Embedding", 6, 4, padding_idx=-2, x=torch.tensor([4, 3, 4, 5]), note="counted from the end"),
    case("Embedding", 6, 4, padding_idx=0, x=torch.tensor(3), note="a scalar index"),
    case("Flatten", x=[2, 3, 4]),
    case("Flatten", start_dim=0, x=[2, 3, 4]),
    case("Flatten", start_dim=1, end_dim=2, x=[2, 3, 2, 2], second=True),
    case("Flatten", start_dim=-3, end_dim=-2, x=[2, 3, 2, 2]),
    case("Unflatten", 1, (2, 3), x=[2, 6]),
    case("Unflatten", -1, (2, 1, 2), x=[3, 2, 4]),
    case("Unflatten", 1, (3, 2), x=[2, 6, 2], second=True),
    case("Identity", x=[2, 3], second=True),
]

CONV = [
    case("Conv1d", 3, 4, 3, x=[2, 3, 7], second=True),
    case("Conv1d", 3, 4, 1, x=[2, 3, 4]),
    case("Conv1d", 3, 4, 3, stride=2, padding=1, x=[2, 3, 8], second=True),
    case("Conv1d", 3, 4, 3, dilation=2, padding=3, x=[2, 3, 7], second=True),
    case("Conv1d", 2, 2, 2, dilation=4, padding=4, bias=False, x=[1, 2, 9], note="one step of a TCN", second=True),
    case("Conv1d", 4, 6, 3, groups=2, padding=1, x=[2, 4, 6], second=True),
    case("Conv1d", 3, 6, 3, groups=3, stride=2, dilation=2, padding=2, x=[2, 3, 9], note="depthwise", second=True),
    case("Conv1d", 3, 2, 4, stride=3, x=[2, 3, 9], note="the last elements unused", second=True),
    case("Conv1d", 3, 4, 3, padding="same", x=[2, 3, 5]),
    case("Conv1d", 3, 4, 4, padding="same", dilation=3, x=[2, 3, 10], note="an odd number of zeros", second=True),
    case("Conv1d", 3, 4, 3, padding="valid", x=[2, 3, 5]),
    case("Conv1d", 3, 4, 3, padding=1, padding_mode="zeros", x=[2, 3, 5]),
    case("Conv1d", 3, 4, 3, padding=2, padding_mode="reflect", x=[2, 3, 5], second=True),
    case("Conv1d", 3, 4, 3, padding=2, padding_mode="replicate", x=[2, 3, 5], second=True),
    case("Conv1d", 3, 4, 3, padding=2, padding_mode="circular", x=[2, 3, 5], second=True),
    case("Conv1d", 4, 4, 3, stride=2, dilation=2, padding=3, groups=2, padding_mode="reflect", x=[2, 4, 8]),
    case("Conv1d", 3, 2, 4, padding="same", padding_mode="reflect", x=[2, 3, 6], note="an odd padding"),
    case("Conv1d", 3, 2, 4, padding="same", padding_mode="replicate", x=[2, 3, 6], note="an odd padding"),
    case("Conv1d", 3, 2, 4, padding="same", padding_mode="circular", x=[2, 3, 6], note="an odd padding"),
    case("Conv1d", 3, 4, 3, padding=1, x=[3, 6], note="without a batch"),
    case("Conv1d", 3, 4, 3, padding=1, padding_mode="reflect", x=[3, 6], note="without a batch"),
    case("Conv2d", 2, 3, 3, x=[2, 2, 5, 4], second=True),
    case("Conv2d", 3, 4, 1, bias=False, x=[2, 3, 3, 2]),
    case("Conv2d", 2, 3, 3, stride=2, padding=1, x=[2, 2, 5, 6], second=True),
    case("Conv2d", 2, 3, (3, 2), stride=(2, 1), padding=(1, 0), dilation=(1, 2), x=[2, 2, 6, 5], second=True),
    case("Conv2d", 2, 3, 3, dilation=2, padding=2, x=[2, 2, 5, 5], second=True),
    case("Conv2d", 4, 6, 3, groups=2, padding=1, bias=False, x=[2, 4, 4, 4], second=True),
    case("Conv2d", 3, 6, 2, groups=3, stride=2, x=[2, 3, 5, 4], note="depthwise", second=True),
    case("Conv2d", 2, 4, 3, groups=2, stride=(2, 3), dilation=(3, 2), padding=(3, 2), x=[1, 2, 7, 8], second=True),
    case("Conv2d", 2, 3, 3, padding="same", x=[2, 2, 4, 3], second=True),
    case("Conv2d", 2, 3, (2, 4), padding="same", dilation=(3, 1), x=[2, 2, 5, 4], note="odd numbers of zeros"),
    case("Conv2d", 2, 3, 3, padding="valid", x=[1, 2, 4, 4]),
    case("Conv2d", 2, 3, 3, padding=(2, 1), padding_mode="reflect", x=[2, 2, 4, 3], second=True),
    case("Conv2d", 2, 3, 3, padding=(2, 1), padding_mode="replicate", x=[2, 2, 4, 3], second=True),
    case("Conv2d", 2, 3, 3, padding=(2, 1), padding_mode="circular", x=[2, 2, 4, 3], second=True),
    case("Conv2d", 3, 8, 3, stride=2, padding=1, padding_mode="reflect", x=[1, 3, 6, 5]),
    case("Conv2d", 2, 3, (4, 2), padding="same", padding_mode="circular", x=[1, 2, 5, 4], note="odd paddings"),
    case("Conv2d", 2, 3, (4, 2), padding="same", padding_mode="reflect", x=[1, 2, 5, 4], note="odd paddings"),
    case("Conv2d", 2, 3, 3, padding=1, x=[2, 4, 4], note="without a batch"),
    case("Conv3d", 2, 3, 2, x=[2, 2, 3, 4, 3], second=True),
    case("Conv3d", 2, 2, 3, stride=2, padding=1, bias=False, x=[1, 2, 4, 5, 3], second=True),
    case(
        "Conv3d",
        1,
        2,
        (2, 3, 1),
        stride=(1, 2, 3),
        padding=(1, 1, 0),
        dilation=(2, 1, 1),
        x=[2, 1, 4, 5, 4],
        second=True,
    ),
    case("Conv3d", 2, 4, 2, groups=2, dilation=(1, 2, 2), x=[1, 2, 3, 4, 4], second=True),
    case("Conv3d", 1, 2, (3, 2, 2), padding="same", x=[1, 1, 3, 3, 4], note="odd numbers of zeros", second=True),
    case("Conv3d", 1, 2, 2, padding=(1, 2, 1), padding_mode="replicate", x=[1, 1, 2, 3, 3], second=True),
    case("Conv3d", 1, 2, 2, padding=(1, 2, 1), padding_mode="circular", x=[1, 1, 2, 3, 3]),
    case("Conv3d", 1, 2, 2, padding=(1, 2, 1), padding_mode="reflect", x=[1, 1, 2, 3, 3]),
    case("Conv3d", 2, 2, 2, x=[2, 3, 3, 2], note="without a batch"),
]

CONV_TRANSPOSE = [
    case("ConvTranspose1d", 3, 4, 3, x=[2, 3, 5], second=True),
    case(
        "ConvTranspose1d", 3, 2, 4, stride=2, padding=1, bias=False, x=[2, 3, 4], note="doubles the length", second=True
    ),
    case("ConvTranspose1d", 3, 2, 3, stride=3, padding=1, output_padding=2, x=[2, 3, 4], second=True),
    case("ConvTranspose1d", 2, 3, 3, dilation=2, padding=1, x=[2, 2, 4], second=True),
    case("ConvTranspose1d", 2, 3, 2, dilation=3, output_padding=2, x=[1, 2, 4], note="output padding below dilation"),
    case(
        "ConvTranspose1d",
        4,
        6,
        3,
        groups=2,
        stride=2,
        dilation=2,
        padding=2,
        output_padding=1,
        x=[2, 4, 4],
        second=True,
    ),
    case("ConvTranspose1d", 3, 3, 2, groups=3, stride=2, x=[2, 3, 3], note="depthwise"),
    case("ConvTranspose1d", 2, 2, 2, stride=4, x=[1, 2, 3], note="a stride above the kernel"),
    case("ConvTranspose1d", 3, 2, 3, stride=2, x=[3, 4], note="without a batch"),
    case("ConvTranspose2d", 2, 3, 3, x=[2, 2, 3, 4], second=True),
    case("ConvTranspose2d", 2, 3, 4, stride=2, padding=1, x=[2, 2, 3, 2], note="doubles the size", second=True),
    case("ConvTranspose2d", 2, 3, 3, stride=2, padding=1, output_padding=1, bias=False, x=[2, 2, 3, 3], second=True),
    case(
        "ConvTranspose2d",
        2,
        3,
        (3, 2),
        stride=(2, 3),
        padding=(1, 0),
        output_padding=(0, 2),
        x=[2, 2, 3, 2],
        second=True,
    ),
    case("ConvTranspose2d", 2, 2, 3, dilation=(2, 1), padding=(2, 1), x=[2, 2, 3, 4], second=True),
    case(
        "ConvTranspose2d",
        4,
        2,
        3,
        groups=2,
        stride=2,
        dilation=2,
        padding=1,
        output_padding=1,
        x=[1, 4, 3, 3],
        second=True,
    ),
    case("ConvTranspose2d", 2, 4, 2, groups=2, stride=2, x=[2, 2, 2, 3], note="depthwise"),
    case("ConvTranspose2d", 2, 3, 3, stride=2, x=[2, 3, 2], note="without a batch"),
    case("ConvTranspose3d", 2, 3, 2, x=[2, 2, 2, 3, 2], second=True),
    case("ConvTranspose3d", 2, 2, 3, stride=2, padding=1, output_padding=1, bias=False, x=[1, 2, 2, 2, 3], second=True),
    case(
        "ConvTranspose3d", 1, 2, (2, 3, 1), stride=(1, 2, 3), output_padding=(0, 1, 2), x=[1, 1, 2, 3, 2], second=True
    ),
    case("ConvTranspose3d", 2, 4, 2, groups=2, dilation=(1, 2, 2), padding=(0, 1, 1), x=[1, 2, 2, 3, 3], second=True),
    case("ConvTranspose3d", 2, 2, 2, stride=2, x=[2, 2, 2, 2], note="without a batch"),
]


def recurrent(module: str, states: int, *variants: dict) -> list:
    """Every option of a recurrent layer; it has `states` initial states."""

    def with_states(x, *shape):
        return [x] + [list(shape)] * states

    cases = [
        case(module, 3, 4, x=[5, 2, 3], second=True),
        case(module, 3, 4, x=with_states([4, 2, 3], 1, 2, 4), note="initial state", second=True),
        case(module, 3, 4, bias=False, x=[4, 2, 3], second=True),
        case(module, 3, 4, batch_first=True, x=with_states([2, 4, 3], 1, 2, 4), note="initial state"),
        case(module, 3, 4, num_layers=2, x=[4, 2, 3], second=True),
        case(module, 3, 4, bidirectional=True, x=[4, 2, 3], second=True),
        case(
            module,
            3,
            2,
            num_layers=3,
            bidirectional=True,
            batch_first=True,
            x=with_states([2, 3, 3], 6, 2, 2),
            note="initial state",
        ),
        case(
            module,
            2,
            3,
            num_layers=2,
            bidirectional=True,
            bias=False,
            x=with_states([3, 2, 2], 4, 2, 3),
            note="initial state",
            second=True,
        ),
        case(module, 3, 4, x=with_states([4, 3], 1, 4), note="without a batch, initial state"),
        case(module, 3, 4, batch_first=True, bidirectional=True, num_layers=2, x=[4, 3], note="without a batch"),
        case(module, 3, 4, num_layers=2, dropout=0.5, x=[3, 2, 3], note="no dropout in eval", modes=["eval"]),
        case(module, 3, 4, x=[1, 2, 3], note="one step"),
    ]
    return cases + [case(module, **variant) for variant in variants]


RECURRENT = [
    *recurrent("RNN", 1),
    case("RNN", 3, 4, nonlinearity="relu", x=[4, 2, 3], second=True),
    case(
        "RNN",
        3,
        4,
        nonlinearity="relu",
        num_layers=2,
        bidirectional=True,
        x=[[3, 2, 3], [4, 2, 4]],
        note="initial state",
    ),
    *recurrent("LSTM", 2),
    *recurrent("GRU", 1),
]

THREE_AND_EVAL = ("train", "train", "train", "eval")


def batch_norm(module: str, shape: list) -> list:
    """Every option of a batch normalization of four channels: three training steps, then an evaluation."""
    return [
        case(module, 4, x=shape, modes=THREE_AND_EVAL, second=True),
        case(module, 4, x=shape, modes=["eval", "train"], note="evaluation first", second=True),
        case(module, 4, eps=0.01, momentum=0.3, x=shape, modes=THREE_AND_EVAL),
        case(module, 4, momentum=None, x=shape, modes=THREE_AND_EVAL),
        case(module, 4, momentum=None, x=shape, modes=THREE_AND_EVAL, tracked=5, note="after 5 batches"),
        case(module, 4, affine=False, x=shape, modes=THREE_AND_EVAL, second=True),
        case(module, 4, track_running_stats=False, x=shape, modes=["train", "eval"], second=True),
        case(module, 4, affine=False, track_running_stats=False, x=shape, modes=["train", "eval"]),
    ]


def instance_norm(module: str, batch: list) -> list:
    """Every option of an instance normalization of three channels."""
    return [
        case(module, 3, x=batch, modes=["train", "eval"], second=True),
        case(module, 3, affine=True, x=batch, second=True),
        case(module, 3, eps=0.01, x=batch),
        case(module, 3, track_running_stats=True, x=batch, modes=THREE_AND_EVAL, second=True),
        case(module, 3, affine=True, track_running_stats=True, momentum=0.3, x=batch, modes=THREE_AND_EVAL),
        case(module, 3, affine=True, x=batch[1:], note="without a batch"),
    ]


NORM = [
    *batch_norm("BatchNorm1d", [5, 4]),
    case("BatchNorm1d", 4, x=[2, 4, 3], modes=THREE_AND_EVAL, note="a sequence", second=True),
    *batch_norm("BatchNorm2d", [2, 4, 3, 2]),
    case("LayerNorm", 6, x=[2, 3, 6], second=True),
    case("LayerNorm", (3, 4), x=[2, 3, 4], second=True),
    case("LayerNorm", (2, 3), x=[2, 3], note="no axis left"),
    case("LayerNorm", 6, eps=0.01, x=[3, 6]),
    case("LayerNorm", 6, elementwise_affine=False, x=[3, 6], second=True),
    case("LayerNorm", (3, 4), elementwise_affine=False, eps=0.1, x=[2, 3, 4]),
    case("GroupNorm", 2, 6, x=[2, 6, 4], second=True),
    case("GroupNorm", 3, 6, x=[2, 6, 3, 2], second=True),
    case("GroupNorm", 1, 4, x=[2, 4, 3], note="one group"),
    case("GroupNorm", 4, 4, x=[2, 4, 2, 3], note="a channel each"),
    case("GroupNorm", 2, 6, x=[3, 6], note="vectors"),
    case("GroupNorm", 2, 6, eps=0.01, affine=False, x=[2, 6, 4], second=True),
    *instance_norm("InstanceNorm1d", [2, 3, 6]),
    *instance_norm("InstanceNorm2d", [2, 3, 3, 4]),
]

TIES = torch.tensor([0.0, 0, 1, 1, 0, 2, 2, 0, 0, 0, 3, 3]).reshape(1, 1, 12)
TIES_2D = torch.tensor([0.0, 0, 1, 0, 1, 1, 0, 0, 2, 2, 0, 0, 2, 2, 0, 3]).reshape(1, 1, 4, 4)
NEGATIVE = -1 - torch.arange(12.0).reshape(1, 2, 6) * 5 % 12
NEGATIVE_2D = -1 - torch.arange(25.0).reshape(1, 1, 5, 5) * 7 % 25

POOLING = [
    case("MaxPool1d", 2, x=[2, 3, 6]),
    case("MaxPool1d", 2, x=[2, 3, 7], note="the last element unused"),
    case("MaxPool1d", 3, stride=1, x=[2, 3, 6]),
    case("MaxPool1d", 3, stride=2, padding=1, x=[2, 3, 6]),
    case("MaxPool1d", 3, stride=2, padding=1, x=NEGATIVE, note="negative numbers: padding never wins"),
    case("MaxPool1d", 2, stride=1, dilation=3, x=[2, 3, 7]),
    case("MaxPool1d", 3, stride=2, padding=1, dilation=2, x=[2, 3, 8]),
    case("MaxPool1d", 2, ceil_mode=True, x=[2, 3, 7]),
    case("MaxPool1d", 2, stride=3, padding=1, ceil_mode=True, x=[1, 2, 6], note="a window in the padding is left out"),
    case("MaxPool1d", 3, stride=2, x=TIES, note="ties: the first wins"),
    case("MaxPool1d", 2, x=[3, 6], note="without a batch"),
    case("MaxPool2d", 2, x=[2, 2, 4, 6]),
    case("MaxPool2d", 2, stride=1, x=[2, 2, 3, 4]),
    case("MaxPool2d", (3, 2), stride=(2, 1), padding=(1, 0), x=[2, 2, 5, 4]),
    case("MaxPool2d", 3, stride=2, padding=1, x=NEGATIVE_2D, note="negative numbers: padding never wins"),
    case("MaxPool2d", 2, stride=1, dilation=(2, 1), x=[2, 2, 5, 4]),
    case("MaxPool2d", 3, stride=2, padding=1, dilation=2, x=[1, 2, 7, 6]),
    case("MaxPool2d", 2, ceil_mode=True, x=[2, 2, 5, 3]),
    case("MaxPool2d", 2, stride=1, ceil_mode=True, x=[1, 2, 3, 3]),
    case(
        "MaxPool2d",
        (2, 3),
        stride=(3, 2),
        padding=1,
        ceil_mode=True,
        x=[1, 2, 6, 5],
        note="a window in the padding is left out",
    ),
    case("MaxPool2d", 2, stride=1, x=TIES_2D, note="ties: the first wins"),
    case("MaxPool2d", 2, x=[2, 4, 4], note="without a batch"),
    case("AvgPool1d", 2, x=[2, 3, 6]),
    case("AvgPool1d", 3, stride=1, x=[2, 3, 6]),
    case("AvgPool1d", 3, stride=2, padding=1, x=[2, 3, 6]),
    case("AvgPool1d", 3, stride=2, padding=1, count_include_pad=False, x=[2, 3, 6]),
    case("AvgPool1d", 3, stride=2, ceil_mode=True, x=[2, 3, 6]),
    case("AvgPool1d", 3, stride=2, padding=1, ceil_mode=True, x=[2, 3, 6]),
    case("AvgPool1d", 3, stride=2, padding=1, ceil_mode=True, count_include_pad=False, x=[2, 3, 6]),
    case("AvgPool1d", 2, stride=3, padding=1, ceil_mode=True, x=[1, 2, 6], note="a window in the padding is left out"),
    case("AvgPool1d", 2, x=[3, 5], note="without a batch"),
    case("AvgPool2d", 2, x=[2, 2, 4, 6]),
    case("AvgPool2d", 3, stride=1, x=[2, 2, 4, 4]),
    case("AvgPool2d", (3, 2), stride=(2, 1), padding=(1, 0), x=[2, 2, 5, 4]),
    case("AvgPool2d", 3, stride=2, padding=1, x=[2, 2, 5, 6]),
    case("AvgPool2d", 3, stride=2, padding=1, count_include_pad=False, x=[2, 2, 5, 6]),
    case("AvgPool2d", 2, ceil_mode=True, x=[2, 2, 5, 3]),
    case("AvgPool2d", 3, stride=2, padding=1, ceil_mode=True, x=[2, 2, 4, 6]),
    case("AvgPool2d", 3, stride=2, padding=1, ceil_mode=True, count_include_pad=False, x=[2, 2, 4, 6]),
    case("AvgPool2d", 2, x=[2, 4, 4], note="without a batch"),
    case("AdaptiveAvgPool1d", 1, x=[2, 3, 5]),
    case("AdaptiveAvgPool1d", 3, x=[2, 3, 9], note="divisible"),
    case("AdaptiveAvgPool1d", 3, x=[2, 3, 7], note="not divisible"),
    case("AdaptiveAvgPool1d", 5, x=[2, 3, 3], note="larger than the input"),
    case("AdaptiveAvgPool1d", 2, x=[3, 5], note="without a batch"),
    case("AdaptiveAvgPool2d", 1, x=[2, 3, 3, 4]),
    case("AdaptiveAvgPool2d", (2, 3), x=[2, 2, 4, 6], note="divisible"),
    case("AdaptiveAvgPool2d", (3, 4), x=[2, 2, 7, 5], note="not divisible"),
    case("AdaptiveAvgPool2d", (5, 2), x=[1, 2, 3, 4], note="larger than the input along one axis"),
    case("AdaptiveAvgPool2d", (None, 2), x=[1, 2, 3, 5], note="one axis kept"),
    case("AdaptiveAvgPool2d", 2, x=[2, 5, 4], note="without a batch"),
]

RESIZING = [
    case("Upsample", scale_factor=2, x=[2, 3, 4], note="nearest over a sequence"),
    case("Upsample", scale_factor=2, mode="nearest", x=[2, 2, 3, 2]),
    case("Upsample", scale_factor=(2, 3), mode="nearest", x=[1, 2, 3, 2]),
    case("Upsample", scale_factor=1.5, mode="nearest", x=[1, 2, 4, 5]),
    case("Upsample", size=7, mode="nearest", x=[2, 2, 3]),
    case("Upsample", size=(5, 7), mode="nearest", x=[1, 2, 3, 4]),
    case("Upsample", size=(2, 3), mode="nearest", x=[1, 2, 5, 7], note="to a smaller size"),
    case("Upsample", scale_factor=2, mode="linear", x=[2, 2, 4]),
    case("Upsample", scale_factor=2, mode="linear", align_corners=False, x=[2, 3, 4]),
    case("Upsample", scale_factor=2, mode="linear", align_corners=True, x=[2, 3, 4]),
    case("Upsample", scale_factor=2.5, mode="linear", x=[1, 2, 4]),
    case("Upsample", size=7, mode="linear", x=[2, 3, 4]),
    case("Upsample", size=7, mode="linear", align_corners=True, x=[2, 3, 4]),
    case("Upsample", size=3, mode="linear", x=[2, 3, 8], note="to a smaller size"),
    case("Upsample", scale_factor=2, mode="bilinear", x=[2, 2, 3, 4]),
    case("Upsample", scale_factor=2, mode="bilinear", align_corners=False, x=[2, 2, 3, 4]),
    case("Upsample", scale_factor=2, mode="bilinear", align_corners=True, x=[2, 2, 3, 4]),
    case("Upsample", scale_factor=(3, 1.5), mode="bilinear", x=[1, 2, 3, 4]),
    case("Upsample", scale_factor=1.7, mode="bilinear", x=[1, 2, 3, 4], note="a size that is rounded down"),
    case("Upsample", size=(5, 7), mode="bilinear", x=[1, 2, 3, 4]),
    case("Upsample", size=(5, 7), mode="bilinear", align_corners=True, x=[1, 2, 3, 4]),
    case("Upsample", size=(2, 3), mode="bilinear", x=[1, 2, 5, 7], note="to a smaller size"),
    case("Upsample", size=(1, 4), mode="bilinear", align_corners=True, x=[1, 2, 3, 2], note="to one row"),
    case("Upsample", size=4, mode="bilinear", x=[1, 2, 1, 2], note="one number for both axes"),
    case("ReflectionPad1d", 2, x=[2, 3, 4]),
    case("ReflectionPad1d", (1, 3), x=[2, 3, 4]),
    case("ReflectionPad1d", (0, 2), x=[3, 4], note="without a batch"),
    case("ReflectionPad2d", 1, x=[2, 2, 3, 4]),
    case("ReflectionPad2d", (1, 2, 0, 1), x=[2, 2, 3, 4]),
    case("ReflectionPad2d", (2, 3, 2, 1), x=[1, 1, 3, 4], note="as far as it goes"),
    case("ReflectionPad2d", (1, 2, 0, 1), x=[2, 3, 4], note="without a batch"),
    case("ReplicationPad1d", 2, x=[2, 3, 4]),
    case("ReplicationPad1d", (1, 5), x=[2, 3, 4], note="more than the input"),
    case("ReplicationPad2d", 1, x=[2, 2, 3, 4]),
    case("ReplicationPad2d", (1, 2, 0, 1), x=[2, 2, 3, 4]),
    case("ReplicationPad2d", (1, 2, 0, 1), x=[2, 3, 4], note="without a batch"),
    case("CircularPad1d", 2, x=[2, 3, 4]),
    case("CircularPad1d", (1, 4), x=[2, 3, 4]),
    case("CircularPad2d", 1, x=[2, 2, 3, 4]),
    case("CircularPad2d", (1, 2, 0, 3), x=[2, 2, 3, 4]),
    case("ZeroPad1d", (2, 1), x=[2, 3, 4]),
    case("ZeroPad2d", 1, x=[2, 2, 3, 4]),
    case("ZeroPad2d", (1, 2, 0, 1), x=[2, 2, 3, 4]),
    case("ConstantPad1d", 2, 3.5, x=[2, 3, 4]),
    case("ConstantPad1d", (1, 0), -1, x=[2, 3, 4]),
    case("ConstantPad1d", (0, 3), 0, x=[2, 4], note="without a batch"),
    case("ConstantPad2d", 1, 0.5, x=[2, 2, 3, 4]),
    case("ConstantPad2d", (1, 2, 0, 1), -2, x=[2, 2, 3, 4]),
    case("ConstantPad2d", (0, 1, 2, 0), 3.5, x=[2, 3, 4], note="without a batch"),
]

# Torch has modules for these only since 2.1; here they are torch 1.13's F.pad.
LATER_PADS = {"ZeroPad1d": "constant", "CircularPad1d": "circular", "CircularPad2d": "circular"}

# Where the pieces of an activation meet, and where a careless formula overflows.
KINKS = torch.tensor([-100.0, -20, -6, -3, -1, -0.5, 0, 0.5, 1, 3, 6, 20, 100])


def activation(module: str, *variants: dict, second: bool = True, second_at_kinks: bool = True) -> list:
    """An activation with its defaults and other options, at random numbers and at its kinks."""
    return [
        written
        for kwargs in ({}, *variants)
        for written in (
            case(module, **kwargs, x=[3, 4], second=second),
            case(module, **kwargs, x=KINKS, note="kinks and far out", second=second and second_at_kinks),
        )
    ]


ACTIVATIONS = [
    *activation("ReLU"),
    *activation("ReLU6"),
    *activation("LeakyReLU", {"negative_slope": 0.2}),
    *activation("ELU", {"alpha": 0.7}),
    *activation("SELU"),
    *activation("CELU", {"alpha": 1.8}),
    *activation("GELU", {"approximate": "tanh"}),
    *activation("SiLU"),
    # Torch's second derivative of this one is NaN at 100.
    *activation("Mish", second_at_kinks=False),
    *activation("Softplus", {"beta": 2}, {"beta": 0.5, "threshold": 1}, {"beta": 2, "threshold": 2}),
    *activation("Softsign"),
    *activation("Tanh"),
    *activation("Sigmoid"),
    *activation("Hardtanh", {"min_val": -0.5, "max_val": 3}),
    # Torch has no second derivative of this one.
    *activation("Hardsigmoid", second=False),
    *activation("Hardswish"),
    *activation("LogSigmoid"),
    *activation("Softshrink", {"lambd": 0}, {"lambd": 1}),
    *activation("Hardshrink", {"lambd": 0}, {"lambd": 1}, {"lambd": -1}),
    *activation("Tanhshrink"),
    case("Threshold", 0.5, 20, x=[3, 4], second=True),
    case("Threshold", 0.5, 20, x=KINKS, note="kinks and far out", second=True),
    case("Threshold", -3, -0.25, x=KINKS, note="kinks and far out", second=True),
    case("PReLU", x=[3, 4], second=True),
    case("PReLU", x=KINKS, note="kinks and far out", second=True),
    case(
        "PReLU",
        num_parameters=2,
        init=-0.5,
        x=torch.stack([KINKS, KINKS], dim=1),
        note="kinks and far out",
        second=True,
    ),
    case("PReLU", num_parameters=3, x=[2, 3], second=True),
    case("PReLU", num_parameters=3, x=[2, 3, 4], second=True, note="a sequence"),
    case("PReLU", num_parameters=3, x=[2, 3, 2, 2], second=True, note="an image"),
    case("Softmax", 1, x=[2, 3], second=True),
    case("Softmax", -1, x=[2, 3, 4], second=True),
    case("Softmax", 1, x=[2, 3, 4], second=True, note="the middle axis"),
    case("Softmax", 0, x=KINKS, note="numbers far apart"),
    case("LogSoftmax", 1, x=[2, 3], second=True),
    case("LogSoftmax", 1, x=[2, 3, 4], second=True, note="the middle axis"),
    case("LogSoftmax", -2, x=[2, 3, 4], second=True),
    case("LogSoftmax", 0, x=KINKS, note="numbers far apart"),
    case("GLU", x=[3, 4], second=True),
    case("GLU", dim=1, x=[2, 4, 3], second=True),
    case("GLU", dim=0, x=[4, 3]),
]

CELLS = [
    case("RNNCell", 2, 3, x=[[2, 2], [2, 3]], second=True),
    case("RNNCell", 2, 3, nonlinearity="relu", x=[[2, 2], [2, 3]], second=True),
    case("RNNCell", 2, 3, bias=False, x=[2], note="without a batch"),
    case("LSTMCell", 2, 3, x=[[2, 2], [2, 3], [2, 3]], second=True),
    case("LSTMCell", 2, 3, bias=False, x=[2, 2], note="without states"),
    case("LSTMCell", 2, 3, x=[[2], [3], [3]], note="without a batch"),
    case("GRUCell", 2, 3, x=[[2, 2], [2, 3]], second=True),
    case("GRUCell", 2, 3, bias=False, x=[2, 2], note="without a state"),
    case("GRUCell", 2, 3, x=[[2], [3]], note="without a batch"),
]

QKV = [[3, 2, 4], [5, 2, 4], [5, 2, 4]]
ATTENTION = [
    case("MultiheadAttention", 4, 2, x=QKV, second=True),
    case("MultiheadAttention", 4, 1, bias=False, x=QKV),
    case("MultiheadAttention", 4, 2, batch_first=True, x=[[2, 3, 4], [2, 5, 4], [2, 5, 4]]),
    case("MultiheadAttention", 4, 2, kdim=3, vdim=5, x=[[3, 2, 4], [5, 2, 3], [5, 2, 5]], second=True),
    case("MultiheadAttention", 4, 2, add_bias_kv=True, add_zero_attn=True, x=QKV, second=True),
    case("MultiheadAttention", 4, 4, x=[[3, 4], [5, 4], [5, 4]], note="without a batch"),
    case("TransformerEncoderLayer", 4, 2, dim_feedforward=6, dropout=0.0, x=[3, 2, 4]),
    case("TransformerEncoderLayer", 4, 2, dim_feedforward=5, dropout=0.0, norm_first=True, activation="gelu", x=[3, 2, 4]),
    case("TransformerEncoderLayer", 4, 2, dim_feedforward=6, dropout=0.0, batch_first=True, layer_norm_eps=0.01, x=[2, 3, 4]),
    case("TransformerEncoderLayer", 4, 1, dim_feedforward=6, dropout=0.0, bias=False, x=[3, 4], note="without a batch"),
]

FAMILIES = {
    "linear": LINEAR,
    "conv": CONV,
    "conv_transpose": CONV_TRANSPOSE,
    "recurrent": RECURRENT,
    "cells": CELLS,
    "attention": ATTENTION,
    "norm": NORM,
    "pooling": POOLING,
    "resizing": RESIZING,
    "activations": ACTIVATIONS,
}
