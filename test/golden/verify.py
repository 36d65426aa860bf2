"""Recompute `weight_norm.json`, `chains.json` and `trajectories.json` with real PyTorch from the inputs in them.

    apt-get install python3-torch
    /usr/bin/python3 test/golden/verify.py

Prints for each file and kind of number the largest deviation `|x - y| / max(1, largest |y| of the tensor)`, and every
key or error text that differs; the exit status is 1 where something does, or a deviation is above 1e-5. Runs of
trajectories.json with other parametrizations than weight norm are left out.
"""

import copy
import json
import sys
from collections import defaultdict

import torch
from torch.nn import functional as F
from torch.nn.utils import parametrizations, parametrize, remove_weight_norm, weight_norm

from golden_json import HERE, decode

LIMIT = 1e-5


class Report:
    """The largest deviation of each kind of number in one file."""

    def __init__(self, file: str):
        self.golden = json.loads((HERE / file).read_text())
        self.file = file
        self.worst = defaultdict(lambda: (0.0, ""))
        self.count = defaultdict(int)
        self.differences = []

    def numbers(self, kind: str, label: str, found, golden) -> None:
        x = torch.as_tensor(found).detach().double()
        y = (decode(golden) if isinstance(golden, dict) else torch.as_tensor(golden)).double()
        self.count[kind] += x.numel()
        if x.shape != y.shape:
            self.differences.append(f"{label}: {kind} has shape {list(x.shape)}, not {list(y.shape)}")
            return
        finite = y[y.isfinite()]
        scale = max(1.0, finite.abs().max().item()) if finite.numel() else 1.0
        gap = torch.where((x == y) | (x.isnan() & y.isnan()), 0.0, (x - y).abs()).nan_to_num(nan=float("inf"))
        off = gap.max().item() / scale if gap.numel() else 0.0
        self.worst[kind] = max(self.worst[kind], (off, label))

    def same(self, kind: str, label: str, found, golden) -> None:
        self.count[kind] += 1
        self.worst[kind] = max(self.worst[kind], (0.0, ""))
        if found != golden:
            self.differences.append(f"{label}: {kind} is {found!r}, not {golden!r}")

    def show(self) -> bool:
        """Prints the report; true if the file holds."""
        print(self.file)
        for kind, (off, label) in self.worst.items():
            where = f"  ({label})" if off else ""
            print(f"  {kind:28} {self.count[kind]:7} compared, largest deviation {off:.2g}{where}")
        for difference in self.differences:
            print(f"  DIFFERS {difference}")
        return not self.differences and all(off <= LIMIT for off, _ in self.worst.values())


# weight_norm.json

LAYERS = {
    "Linear": lambda: torch.nn.Linear(5, 4),
    "Linear_bias_1d": lambda: torch.nn.Linear(5, 4),
    "Conv1d": lambda: torch.nn.Conv1d(3, 4, 3, padding=1),
    "Conv2d": lambda: torch.nn.Conv2d(2, 3, 3, stride=2, padding=1),
    "Conv2d_grouped": lambda: torch.nn.Conv2d(4, 6, (3, 2), groups=2),
    "Conv3d": lambda: torch.nn.Conv3d(2, 3, 2),
    "ConvTranspose1d": lambda: torch.nn.ConvTranspose1d(3, 2, 4, stride=2, padding=1),
    "ConvTranspose2d": lambda: torch.nn.ConvTranspose2d(3, 2, 3, stride=2, output_padding=1),
    "Embedding": lambda: torch.nn.Embedding(6, 4),
    "LSTM": lambda: torch.nn.LSTM(3, 4),
}


def verify_weight_norm() -> Report:
    report = Report("weight_norm.json")
    for case in report.golden["cases"]:
        verify_weight_norm_layer(report, case)
    for edge in report.golden["edge"]:
        verify_weight_norm_edge(report, edge)
    for error in report.golden["errors"]:
        verify_weight_norm_error(report, error)
    for case in report.golden["dtypes"]:
        g, v = decode(case["g"]), decode(case["v"])
        label = f"dtype {case['dtype']}"
        in_float32 = torch._weight_norm(v.float(), g.float(), 0)
        report.numbers("weights of other dtypes", label, in_float32, case["weight_computed_in_float32"])
        if case["weight_native"] is not None:
            report.numbers("weights of other dtypes", label, torch._weight_norm(v, g, 0), case["weight_native"])
    return report


def verify_weight_norm_layer(report: Report, case: dict) -> None:
    name, label = case["param"], f"{case['module']}.{case['param']}, dim {case['dim']}"
    module = LAYERS[case["module"]]()
    with torch.no_grad():
        getattr(module, name).copy_(decode(case["weight_before"]))
    weight_norm(module, name, case["dim"])
    g, v = f"{name}_g", f"{name}_v"
    report.same("keys", label, list(module.state_dict()), case["state_dict_keys"])
    report.numbers("originals at registration", label, getattr(module, g), case["g_init"])
    report.numbers("originals at registration", label, getattr(module, v), case["v_init"])

    state = {**case["other_params"], g: case["g"], v: case["v"]}
    module.load_state_dict({key: decode(value) for key, value in state.items()})
    x = decode(case["input"])
    if x.is_floating_point():
        x.requires_grad_()
    output = module(x)
    output = output[0] if isinstance(output, tuple) else output
    report.numbers("outputs", label, output, case["output"])
    report.numbers("weights", label, getattr(module, name), case["weight"])
    (output * decode(case["grad_output"])).sum().backward()
    wanted = {**case["other_grads"], g: case["dg"], v: case["dv"]}
    for key, parameter in module.named_parameters():
        report.numbers("gradients", f"{label}, {key}", parameter.grad, wanted[key])
    if case["dx"] is not None:
        report.numbers("gradients", f"{label}, input", x.grad, case["dx"])

    remove_weight_norm(module, name)
    report.same("keys", label, list(module.state_dict()), case["keys_after_remove"])
    report.numbers("weights after removal", label, getattr(module, name), case["after_remove"])


def verify_weight_norm_edge(report: Report, edge: dict) -> None:
    v, g = decode(edge["v"]).requires_grad_(), decode(edge["g"]).requires_grad_()
    weight = torch._weight_norm(v, g, edge["dim"])
    weight.backward(decode(edge["grad_output"]))
    report.numbers("edges: norms", edge["label"], torch.norm_except_dim(v, 2, edge["dim"]), edge["norm"])
    report.numbers("edges: weights", edge["label"], weight, edge["weight"])
    report.numbers("edges: gradients", f"{edge['label']}, dv", v.grad, edge["dv"])
    report.numbers("edges: gradients", f"{edge['label']}, dg", g.grad, edge["dg"])


def verify_weight_norm_error(report: Report, error: dict) -> None:
    module = torch.nn.Linear(5, 4)
    if error.get("label") == "twice":
        weight_norm(module)
    try:
        weight_norm(module, "foo" if error.get("label") == "no_such_param" else "weight", error.get("dim", 0))
        found = {"ok": True}
    except Exception as raised:
        found = {"ok": False, "type": type(raised).__name__, "message": str(raised)}
    golden = {key: value for key, value in error.items() if key not in ("label", "dim")}
    report.same("errors", error.get("label", f"dim {error.get('dim')}"), found, golden)


# chains.json


class Map(torch.nn.Module):
    """A parametrization from its two functions."""

    def __init__(self, forward, right_inverse=None):
        super().__init__()
        self.forward = forward
        if right_inverse is not None:
            self.right_inverse = right_inverse


def symmetric() -> Map:
    return Map(lambda x: x.triu() + x.triu(1).transpose(-1, -2), lambda a: a.triu())


def skew() -> Map:
    return Map(lambda x: x.triu(1) - x.triu(1).transpose(-1, -2), lambda a: a.triu(1))


def scale(factor: float) -> Map:
    return Map(lambda x: factor * x, lambda y: y / factor)


def leading_pair(z: torch.Tensor) -> tuple:
    u, s, v = torch.linalg.svd(z, full_matrices=False)
    return u[:, 0] * s[0].sqrt(), v[0] * s[0].sqrt()


def magnitude_direction() -> Map:
    return Map(
        lambda magnitude, direction: magnitude * direction / direction.norm(dim=1, keepdim=True),
        lambda x: (x.norm(dim=1, keepdim=True), x),
    )


# What each case registers, and on what.
CHAINS = {
    "Symmetric": (lambda: torch.nn.Linear(4, 4), lambda: [symmetric()]),
    "Skew then MatExp = orthogonal": (lambda: torch.nn.Linear(4, 4), lambda: [skew(), Map(torch.matrix_exp)]),
    "Symmetric then Scale(-0.5)": (lambda: torch.nn.Linear(4, 4), lambda: [symmetric(), scale(-0.5)]),
    "tuple right_inverse MagDir (2 originals)": (lambda: torch.nn.Linear(4, 4), lambda: [magnitude_direction()]),
    "RankOne tuple of vectors (sign of the pair is arbitrary; compare the value)": (
        lambda: torch.nn.Linear(3, 4, bias=False),
        lambda: [Map(torch.outer, leading_pair)],
    ),
    "bias parametrized": (lambda: torch.nn.Linear(4, 4), lambda: [scale(3.0)]),
    "buffer with tuple": (
        lambda: torch.nn.BatchNorm1d(3),
        lambda: [Map(lambda a, b, c: a + 2 * b + 3 * c, lambda x: (x / 2, x / 8, x / 12))],
    ),
}


def registered(case: dict) -> torch.nn.Module:
    host, maps = CHAINS[case["label"]]
    module = host()
    with torch.no_grad():
        getattr(module, case["param"]).copy_(decode(case["before"]))
    for one in maps():
        parametrize.register_parametrization(module, case["param"], one)
    return module


def verify_chain(report: Report, case: dict) -> None:
    label, name = case["label"], case["param"]
    module = registered(case)
    # A pair of vectors may change its common sign.
    size = torch.abs if label.startswith("RankOne") else lambda x: x

    def compare_state(golden: dict) -> None:
        for key, value in golden.items():
            if key.startswith("parametrizations."):
                report.numbers("originals", f"{label}, {key}", size(module.state_dict()[key]), size(decode(value)))

    report.same("keys and names", label, list(module.state_dict()), case["keys"])
    report.same("keys and names", label, type(module).__name__, case["class_name"])
    report.same("keys and names", label, [key for key, _ in module.named_parameters()], case["param_names"])
    report.same("keys and names", label, [key for key, _ in module.named_buffers()], case["buffer_names"])
    compare_state(case["state_dict"])
    module.load_state_dict({key: decode(value) for key, value in case["state_dict"].items()})
    value = getattr(module, name)
    report.numbers("values", label, value, case["value"])
    if "grads" in case:
        (value * decode(case["grad_output"])).sum().backward()
        for key, golden in case["grads"].items():
            report.numbers("gradients", f"{label}, {key}", dict(module.named_parameters())[key].grad, golden)
    if "assigned" in case:
        setattr(module, name, decode(case["assigned"]))
        compare_state(case["after_assign"]["state_dict"])
        report.numbers("values after assignment", label, getattr(module, name), case["after_assign"]["value"])
    parametrize.remove_parametrizations(module, name)
    verify_refused_removal(report, case)
    golden = case["removed_leave_parametrized"]
    report.same("keys and names", label, list(module.state_dict()), golden["keys"])
    report.same("keys and names", label, type(module).__name__, golden["class_name"])
    report.numbers("values after removal", label, getattr(module, name), golden["value"])


def verify_refused_removal(report: Report, case: dict) -> None:
    # Of a copy: it shares the class of the original, which loses the property with the original's removal.
    original = registered(case)
    module = copy.deepcopy(original)
    parametrize.remove_parametrizations(original, case["param"])
    try:
        parametrize.remove_parametrizations(module, case["param"], leave_parametrized=False)
        found = None
    except Exception as raised:
        found = [type(raised).__name__, str(raised)]
    report.same("errors of removal", case["label"], found, case["remove_not_parametrized_error"])


# What each refused registration registers, in this order.
REFUSALS = {
    "shape change": lambda: [Map(lambda x: x[:3])],
    "dtype change": lambda: [Map(lambda x: x.double())],
    "right_inverse dtype change": lambda: [Map(lambda x: x.float(), lambda x: x.double())],
    "right_inverse inconsistent is allowed": lambda: [Map(lambda x: 2 * x, lambda x: x + 1)],
    "add changing shape on top": lambda: [scale(2.0), Map(lambda x: x[:3])],
}


def verify_refusal(report: Report, error: dict) -> None:
    module = torch.nn.Linear(4, 4)
    try:
        for one in REFUSALS[error["label"]]():
            parametrize.register_parametrization(module, "weight", one)
        found = {"ok": True, "info": str(module.weight.shape)}
    except Exception as raised:
        found = {"type": type(raised).__name__, "message": str(raised)}
    report.same("errors", error["label"], found, {key: value for key, value in error.items() if key != "label"})


def verify_nested(report: Report, nested: dict) -> None:
    last = torch.nn.Linear(4, 2)
    inner = torch.nn.Linear(4, 4)
    first = torch.nn.Linear(3, 4)
    parametrize.register_parametrization(first, "weight", scale(2.0))
    parametrizations.orthogonal(inner)
    parametrizations.spectral_norm(last)
    parametrize.register_parametrization(last, "bias", scale(2.0))
    model = torch.nn.Sequential(first, torch.nn.ReLU(), torch.nn.Sequential(inner, torch.nn.BatchNorm1d(4)), last)
    report.same("keys and names", nested["label"], list(model.state_dict()), nested["keys"])


def verify_chains() -> Report:
    report = Report("chains.json")
    for case in report.golden["cases"]:
        verify_chain(report, case)
    for error in report.golden["errors"]:
        verify_refusal(report, error)
    for nested in report.golden["nested"]:
        verify_nested(report, nested)
    return report


# trajectories.json


class Mlp(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.l1, self.l2, self.l3 = torch.nn.Linear(4, 8), torch.nn.Linear(8, 8), torch.nn.Linear(8, 3)

    def forward(self, x):
        return self.l3(self.l2(self.l1(x).tanh()).tanh())


class Conv(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.c1 = torch.nn.Conv2d(1, 4, 3, padding=1)
        self.c2 = torch.nn.Conv2d(4, 4, 3, stride=2, padding=1)
        self.fc = torch.nn.Linear(36, 3)

    def forward(self, x):
        return self.fc(self.c2(self.c1(x).tanh()).tanh().flatten(1))


class LastStep(torch.nn.LSTM):
    """The last h of an LSTM into a linear layer."""

    def __init__(self):
        super().__init__(3, 5)
        self.fc = torch.nn.Linear(5, 2)

    def forward(self, x):
        return self.fc(super().forward(x)[1][0][0])


MODELS = {"mlp": Mlp, "conv": Conv, "lstm": LastStep}
OPTIMIZERS = {
    "sgd": lambda parameters, lr: torch.optim.SGD(parameters, lr),
    "sgd_momentum_wd": lambda parameters, lr: torch.optim.SGD(parameters, lr, momentum=0.9, weight_decay=1e-3),
    "adam": lambda parameters, lr: torch.optim.Adam(parameters, lr, betas=(0.9, 0.999), eps=1e-8),
}
DIMS = {"plain": 0, "weight_norm": 0, "weight_norm_dim_none": None}


def train(run: dict, data: dict, dtype: torch.dtype):
    """Yields the loss before each of twenty steps, and the model after it; at the end the last loss."""
    model = MODELS[run["model"]]()
    for key in run["init"]:
        if key.endswith("_g"):
            path, _, name = key.removesuffix("_g").rpartition(".")
            weight_norm(model.get_submodule(path), name, DIMS[run["method"]])
    model.to(dtype).load_state_dict({key: decode(value).to(dtype) for key, value in run["init"].items()})
    optimizer = OPTIMIZERS[run["optimizer"]](model.parameters(), run["lr"])
    x, y = decode(data["x"]).to(dtype), decode(data["y"])
    for _ in run["losses"]:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        yield loss.item(), model
    yield F.cross_entropy(model(x), y).item(), model


def verify_trajectories() -> Report:
    report = Report("trajectories.json")
    for run in report.golden["cases"]:
        if run["method"] not in DIMS:
            continue
        data = report.golden["data"][run["model"]]
        label = f"{run['model']}, {run['method']}, {run['optimizer']}"
        losses = []
        for step, (loss, model) in enumerate(train(run, data, torch.float32), 1):
            losses.append(loss)
            if step == 1:
                gradients = {key: parameter.grad for key, parameter in model.named_parameters()}
                report.same("keys", label, sorted(gradients), sorted(run["grads_step1"]))
                for key, gradient in gradients.items():
                    report.numbers("gradients of step 1", f"{label}, {key}", gradient, run["grads_step1"][key])
            for key, golden in run["after"].get(str(step), {}).items() if step <= 20 else ():
                report.numbers(f"parameters after step {step}", f"{label}, {key}", model.state_dict()[key], golden)
        report.numbers("losses", label, losses, [*run["losses"], run["eval_loss_after"]])
        double = [loss for loss, _ in train(run, data, torch.float64)]
        report.numbers("losses in float64", label, double[:-1], run["losses_f64"])
    return report


def main() -> None:
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}")
    reports = [verify_weight_norm(), verify_chains(), verify_trajectories()]
    if not all([report.show() for report in reports]):
        sys.exit(1)


if __name__ == "__main__":
    main()
