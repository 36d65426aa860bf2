"""Make the golden files of the layers, `nn_*.json`, with real PyTorch.

    apt-get install python3-torch
    /usr/bin/python3 test/golden/generate_nn.py            # all families
    /usr/bin/python3 test/golden/generate_nn.py conv norm  # some

`nn_cases.py` lists the cases, README.md describes what is written. Every number is computed in float32, and a second
time in float64: a case whose numbers depend too much on rounding to be compared is refused. A second run writes the
same bytes.
"""

import copy
import inspect
import re
import sys
import warnings
import zlib

import numpy as np
import torch

from golden_json import HERE, encode, header, write
from nn_cases import FAMILIES, LATER_PADS, Case

# What the tests allow between two implementations, and the part of it that rounding may take up. In second order the
# absolute part grows with the largest number of the tensor, as the rounding of the sums does.
RELATIVE, ABSOLUTE, ROUNDING = 1e-4, 1e-5, 0.1


class LaterPad(torch.nn.Module):
    """A padding module that this torch does not have yet."""

    def __init__(self, padding, mode: str):
        super().__init__()
        axes = int(mode[-2])
        self.padding = (padding,) * (2 * axes) if isinstance(padding, int) else padding
        self.mode = LATER_PADS[mode]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.pad(x, self.padding, self.mode)


def make(case: Case) -> torch.nn.Module:
    if case.module in LATER_PADS:
        return LaterPad(*case.args, case.module)
    return getattr(torch.nn, case.module)(*case.args, **case.kwargs)


def rounded(x: torch.Tensor) -> torch.Tensor:
    """Four decimals: short files, and numbers that a reader can follow."""
    return torch.from_numpy(np.round(x.numpy().astype(np.float64), 4).astype(np.float32))


def initialize(module: torch.nn.Module) -> None:
    """Torch's own initialization, but no scale of 1, bias of 0 or other number that could be left out unnoticed."""
    is_norm = "Norm" in type(module).__name__
    has_neutral = isinstance(module, (torch.nn.MultiheadAttention, torch.nn.TransformerEncoderLayer))
    with torch.no_grad():
        for key, tensor in module.state_dict().items():
            if not tensor.is_floating_point():
                continue
            if key == "running_var":
                tensor.uniform_(0.5, 1.5)
            elif key == "running_mean" or (is_norm and key == "bias"):
                tensor.normal_(0, 0.3)
            elif is_norm and key == "weight":
                tensor.normal_(1, 0.3)
            elif isinstance(module, torch.nn.PReLU):
                tensor.uniform_(0.05, 0.5)
            elif has_neutral:
                tensor.add_(0.3 * torch.randn(tensor.shape))
            tensor.copy_(rounded(tensor))


def tensor_of(spec) -> torch.Tensor:
    """An input: random numbers of a shape, or the given values."""
    if isinstance(spec, torch.Tensor):
        return spec
    return rounded(torch.randn(spec))


def listed(output) -> list:
    """`(output, (h, c))` as one flat list."""
    if isinstance(output, torch.Tensor):
        return [output]
    return [tensor for part in output for tensor in listed(part)]


def call(module: torch.nn.Module, inputs: list) -> list:
    """Runs the module; the initial states of a recurrent one are the inputs after the first."""
    x, *state = inputs
    if not state or isinstance(module, (torch.nn.Bilinear, torch.nn.MultiheadAttention)):
        return listed(module(*inputs))
    return listed(module(x, state[0] if len(state) == 1 else tuple(state)))


def gradients(of: torch.Tensor, inputs: list, parameters: dict, create_graph: bool = False) -> dict:
    """The gradients of a number, null where it does not depend on the tensor."""
    wanted = [x for x in inputs if x.requires_grad] + list(parameters.values())
    found = [None] * len(wanted)
    if of.requires_grad and wanted:
        found = torch.autograd.grad(of, wanted, create_graph=create_graph, retain_graph=True, allow_unused=True)
    found = iter(found)
    return {
        "inputs": [next(found) if x.requires_grad else None for x in inputs],
        "parameters": {key: next(found) for key in parameters},
    }


def squares(tensors) -> torch.Tensor:
    return sum((t.square().sum() for t in tensors if t is not None), torch.zeros(()))


def run_step(module: torch.nn.Module, case: Case, inputs: list, grad_outputs: list, second_order: bool) -> dict:
    """One forward and backward pass; the module's buffers move on."""
    inputs = [x.clone().requires_grad_() if x.is_floating_point() else x for x in inputs]
    parameters = dict(module.named_parameters())
    outputs = call(module, inputs)
    loss = sum((y * dy).sum() for y, dy in zip(outputs, grad_outputs))
    first = gradients(loss, inputs, parameters, create_graph=second_order)
    second = None
    if second_order:
        second = {
            f"of_{part}": gradients(squares(tensors), inputs, parameters)
            for part, tensors in (("inputs", first["inputs"]), ("parameters", first["parameters"].values()))
            if any(t is not None for t in tensors)
        }
    return {
        "outputs": outputs,
        "grad_inputs": first["inputs"],
        "grad_parameters": first["parameters"],
        "second_order": second,
        "state_after": dict(module.state_dict()) if list(module.buffers()) else None,
    }


def deviation(single, double, second_order: bool = False) -> float:
    """The largest difference between the float32 and the float64 numbers, 1 being what the tests allow."""
    if isinstance(single, dict):
        pairs = [(single[key], double[key], second_order or key == "second_order") for key in single]
        return max((deviation(*pair) for pair in pairs), default=0.0)
    if isinstance(single, list):
        return max((deviation(s, d, second_order) for s, d in zip(single, double)), default=0.0)
    if single is None:
        return 0.0
    s, d = single.detach().double(), double.detach().double()
    scale = d.abs().max().clamp(min=1) if second_order else 1
    return ((s - d).abs() / (ABSOLUTE * scale + RELATIVE * d.abs())).max().item()


def copied(value):
    """Detached copies of all tensors, which later steps do not change."""
    if isinstance(value, dict):
        return {key: copied(item) for key, item in value.items()}
    if isinstance(value, list):
        return [copied(item) for item in value]
    return value.detach().clone() if isinstance(value, torch.Tensor) else value


def camel_case(name: str) -> str:
    return re.sub(r"_(\w)", lambda match: match[1].upper(), name)


def run_case(case: Case) -> tuple:
    """The case as it is written, and its deviation from float64."""
    seed = zlib.crc32(case.name.encode())
    torch.manual_seed(seed)
    module = make(case)
    initialize(module)
    if case.batches_tracked:
        module.num_batches_tracked.fill_(case.batches_tracked)
    twin = copy.deepcopy(module).double()
    state = copied(dict(module.state_dict()))
    steps, worst = [], 0.0
    for i, mode in enumerate(case.modes):
        module.train(mode == "train")
        twin.train(mode == "train")
        inputs = [tensor_of(spec) for spec in case.inputs]
        with torch.no_grad():
            shapes = [y.shape for y in call(copy.deepcopy(module), inputs)]
        grad_outputs = [rounded(torch.randn(shape)) for shape in shapes]
        second_order = case.second_order and (i == 0 or mode != case.modes[i - 1])
        result = copied(run_step(module, case, inputs, grad_outputs, second_order))
        wide = [[t.double() if t.is_floating_point() else t for t in ts] for ts in (inputs, grad_outputs)]
        worst = max(worst, deviation(result, run_step(twin, case, *wide, second_order)))
        steps.append({"training": module.training, "inputs": inputs, "grad_outputs": grad_outputs, **result})
    required = list(inspect.signature(type(module).__init__).parameters)[1 : 1 + len(case.args)]
    return {
        "name": case.name,
        "module": case.module,
        "seed": seed,
        "args": list(case.args),
        "arg_names": required,
        "kwargs": case.kwargs,
        "options": {camel_case(key): value for key, value in case.kwargs.items()},
        "state": state,
        "steps": steps,
    }, worst


def main(names: list) -> None:
    torch.set_num_threads(1)
    # Torch warns that 'same' with an even kernel may copy the input, and that 'nearest' has an exact sibling.
    warnings.simplefilter("ignore")
    for name in names or FAMILIES:
        cases, worst, worst_name = [], 0.0, ""
        for case in FAMILIES[name]:
            written, off = run_case(case)
            cases.append(encode(written))
            if off > ROUNDING:
                sys.exit(f"{case.name}: float32 and float64 differ by {off:.2f} of the tolerance")
            if off > worst:
                worst, worst_name = off, case.name
        if len({case["name"] for case in cases}) < len(cases):
            sys.exit(f"{name}: two cases have one name")
        path = HERE / f"nn_{name}.json"
        write(path, {**header(), "cases": cases})
        print(f"{path.name}: {len(cases)} cases, {path.stat().st_size} bytes")
        print(f"  float32 takes up {worst:.3f} of the tolerance in {worst_name}")


if __name__ == "__main__":
    main(sys.argv[1:])
