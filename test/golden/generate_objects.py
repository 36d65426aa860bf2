"""Writes test/checkpoint/files/objects: files as torch.save writes them, with everything that training scripts put beside tensors.

NumPy is all that it needs. The functions and storage types of torch are stand-ins: a pickle has only their names.
"""

import argparse
import collections
import datetime
import enum
import functools
import io
import pathlib
import pickle
import struct
import sys
import types
import zipfile

import numpy as np

FOLDER = pathlib.Path(__file__).parent.parent / "checkpoint" / "files" / "objects"


def module(name):
    parent, _, own = name.rpartition(".")
    if name not in sys.modules:
        sys.modules[name] = types.ModuleType(name)
        if parent:
            setattr(module(parent), own, sys.modules[name])
    return sys.modules[name]


def stand_in(where, name, base=object, **fields):
    """A class of another module."""
    cls = type(name, (base,), {"__module__": where, "__qualname__": name, **fields})
    setattr(module(where), name, cls)
    return cls


def function(where, name):
    def call(*args):
        raise AssertionError

    call.__module__, call.__qualname__, call.__name__ = where, name, name
    setattr(module(where), name, call)
    return call


module("torch")
rebuild_v2 = function("torch._utils", "_rebuild_tensor_v2")
rebuild_v3 = function("torch._utils", "_rebuild_tensor_v3")
rebuild_parameter = function("torch._utils", "_rebuild_parameter")
rebuild_parameter_with_state = function("torch._utils", "_rebuild_parameter_with_state")
rebuild_from_type = function("torch._tensor", "_rebuild_from_type_v2")
rebuild_q = function("torch._utils", "_rebuild_qtensor")
rebuild_sparse_csr = function("torch._utils", "_rebuild_sparse_csr_tensor")
rebuild_meta = function("torch._utils", "_rebuild_meta_tensor_no_storage")
get_layout = function("torch.serialization", "_get_layout")
FloatStorage = stand_in("torch", "FloatStorage")
LongStorage = stand_in("torch", "LongStorage")
QInt8Storage = stand_in("torch", "QInt8Storage")
ComplexFloatStorage = stand_in("torch", "ComplexFloatStorage")
UntypedStorage = stand_in("torch.storage", "UntypedStorage")


class Named:
    """Stands in the pickle as a name of torch: `torch.float32`."""

    def __init__(self, name):
        self.name = name

    def __reduce__(self):
        return self.name


def word(name):
    value = Named(name)
    value.__class__ = type(name, (Named,), {"__module__": "torch", "__reduce__": lambda self: name})
    setattr(module("torch"), name, value)
    return value


class Call:
    """Stands in the pickle as the result of a call."""

    def __init__(self, callee, *args, state=None):
        self.callee, self.args, self.state = callee, args, state

    def __reduce__(self):
        return (self.callee, self.args) if self.state is None else (self.callee, self.args, self.state)


class Storage:
    def __init__(self, kind, key, data, length):
        self.kind, self.key, self.data, self.length = kind, key, data, length


class File:
    def __init__(self):
        self.storages = []

    def storage(self, kind, data, length):
        storage = Storage(kind, str(len(self.storages)), data, length)
        self.storages.append(storage)
        return storage

    def args(self, values, shape, kind=FloatStorage, form="f", **more):
        data = struct.pack(f"<{len(values)}{form}", *values)
        length = len(values) if form != "B" or kind is not UntypedStorage else len(data)
        if kind is ComplexFloatStorage:
            length //= 2
        stride, step = [], 1
        for size in reversed(shape):
            stride.insert(0, step)
            step *= size
        storage = self.storage(kind, data, length)
        return (storage, 0, tuple(shape), tuple(stride), False, collections.OrderedDict())

    def tensor(self, values, shape, **more):
        return Call(rebuild_v2, *self.args(values, shape, **more))

    def write(self, name, root, protocol=2):
        buffer = io.BytesIO()
        pickler = pickle.Pickler(buffer, protocol)
        pickler.persistent_id = lambda it: (
            ("storage", it.kind, it.key, "cpu", it.length) if isinstance(it, Storage) else None
        )
        pickler.dump(root)
        with zipfile.ZipFile(FOLDER / f"{name}.pt", "w") as archive:
            entries = {"data.pkl": buffer.getvalue(), **{f"data/{s.key}": s.data for s in self.storages}}
            for entry, data in {**entries, "version": b"3\n"}.items():
                archive.writestr(zipfile.ZipInfo(f"{name}/{entry}", (1980, 1, 1, 0, 0, 0)), data)


class Color(enum.Enum):
    RED = 1


stand_in("training.colors", "Color")
Color.__module__, Color.__qualname__ = "training.colors", "Color"
sys.modules["training.colors"].Color = Color

OrderedConfig = stand_in("training.config", "OrderedConfig", collections.OrderedDict)
ListConfig = stand_in("training.config", "ListConfig", list)
SetConfig = stand_in("training.config", "SetConfig", set)
Slots = stand_in("training.config", "Slots", __slots__=("rate",))
WithNames = stand_in(
    "training.config",
    "WithNames",
    __getnewargs_ex__=lambda self: ((1,), {"depth": 2}),
    __new__=lambda cls, *args, **names: object.__new__(cls),
)


def step(self):
    raise AssertionError


Scheduler = stand_in("training.schedule", "Scheduler", step=step)
warmup = function("training.schedule", "warmup")


def objects(file, protocol):
    ordered = OrderedConfig([("a", 1), ("b", 2)])
    slots = Slots()
    slots.rate = 0.5
    scheduler = Scheduler()
    scheduler.last_epoch = 3
    return {
        "model": collections.OrderedDict([("weight", file.tensor([1, 2, 3, 4], [2, 2]))]),
        "namespace": argparse.Namespace(lr=0.001, dims=[3, 4]),
        "path": pathlib.PurePosixPath("/data/run"),
        "default": collections.defaultdict(list, {"loss": [1.5, 0.5]}),
        "ordered": ordered,
        "list": ListConfig([1, 2]),
        "set": SetConfig([7]),
        "slots": slots,
        **({"with_names": WithNames(1, depth=2)} if protocol >= 4 else {}),
        "color": Color.RED,
        "by_color": {Color.RED: 1},
        "partial": functools.partial(warmup, 10, end=2),
        "method": scheduler.step,
        "lambda": warmup,
        "scalar": np.float64(0.25),
        "array": np.arange(6, dtype=np.float32).reshape(2, 3),
        "dtype": np.dtype("int64"),
        "complex": 1 + 2j,
        "range": range(3),
        "time": datetime.datetime(2024, 1, 2),
        "delta": datetime.timedelta(seconds=3),
        "torch_dtype": word("float16"),
        "unknown_torch_dtype": word("float4_e2m1fn_x2"),
        "device": Call(stand_in("torch", "device"), "cuda", 0),
        "size": Call(stand_in("torch", "Size"), (2, 3)),
    }


for protocol in (2, 4, 5):
    file = File()
    file.write(f"beside_tensors.{protocol}", objects(file, protocol), protocol)

file = File()
SubTensor = stand_in("training.tensors", "SubTensor")
Quantizer = Call(function("torch._utils", "_quantizer"), 0.1, 0)
float8 = file.args([0x38, 0xB8, 0x7E, 0x01], [4], kind=UntypedStorage, form="B")
file.write(
    "kinds_of_tensors",
    collections.OrderedDict(
        [
            ("plain", file.tensor([1, 2], [2])),
            ("subclass", Call(rebuild_from_type, rebuild_v2, SubTensor, file.args([3, 4], [2]), {"tag": "x"})),
            ("parameter", Call(rebuild_parameter, file.tensor([5, 6], [2]), True, collections.OrderedDict())),
            (
                "with_state",
                Call(
                    rebuild_parameter_with_state,
                    file.tensor([7, 8], [2]),
                    True,
                    collections.OrderedDict(),
                    {"tag": argparse.Namespace(a=1)},
                ),
            ),
            (
                "hooked",
                Call(rebuild_v2, *file.args([9], [1])[:5], collections.OrderedDict([(0, warmup)])),
            ),
            ("float8", Call(rebuild_v3, *float8, word("float8_e4m3fn"))),
            ("float4", Call(rebuild_v3, *float8, word("float4_e2m1fn_x2"))),
            ("complex", file.tensor([1, 2, 3, 4], [2], kind=ComplexFloatStorage)),
            (
                "quantized",
                Call(rebuild_q, *file.args([1, 2], [2], kind=QInt8Storage, form="b")[:4], (), False, {}),
            ),
            (
                "sparse",
                Call(
                    rebuild_sparse_csr,
                    Call(get_layout, "torch.sparse_csr"),
                    (
                        file.tensor([0, 1, 2], [3], kind=LongStorage, form="q"),
                        file.tensor([0, 1], [2], kind=LongStorage, form="q"),
                        file.tensor([1, 1], [2]),
                        (2, 5),
                    ),
                ),
            ),
            ("meta", Call(rebuild_meta, word("float32"), (3, 7), (7, 1), False)),
            (
                "packed",
                Call(function("training.tensors", "rebuild_packed"), file.tensor([1], [1]), {"scale": 2.0}),
            ),
        ]
    ),
)

file = File()
Linear = stand_in("torch.nn.modules.linear", "Linear")
Net = stand_in("training.model", "Net")


def nn_module(cls, parameters, modules, buffers=(), passing=(), **fields):
    it = cls()
    it.__dict__.update(
        training=False,
        _parameters=collections.OrderedDict(parameters),
        _buffers=collections.OrderedDict(buffers),
        _non_persistent_buffers_set=set(passing),
        _backward_hooks=collections.OrderedDict(),
        _modules=collections.OrderedDict(modules),
        **fields,
    )
    return it


weight = Call(rebuild_parameter, file.tensor([1, 2, 3, 4, 5, 6], [2, 3]), True, collections.OrderedDict())
first = nn_module(Linear, [("weight", weight), ("bias", None)], [], in_features=3)
second = nn_module(
    Linear,
    [("weight", weight), ("bias", Call(rebuild_parameter, file.tensor([7, 8], [2]), True, collections.OrderedDict()))],
    [],
)
net = nn_module(
    Net,
    [],
    [("encoder", first), ("again", first), ("head", second)],
    [("mean", file.tensor([9], [1])), ("table", file.tensor([0, 0], [2]))],
    ["table"],
    cache=file.tensor([1], [1]),
    activation=warmup,
)
file.write("whole_model", {"epoch": 4, "model": net})

# Hostile: a tensor that is made by making itself, without an end.
file = File()
buffer = b"".join(
    [
        b"\x80\x02ctorch._tensor\n_rebuild_from_type_v2\nq\x00(h\x00N",  # the function, twice, and no type
        b"]q\x01(h\x00Nh\x01}e}t",  # arguments that hold themselves
        b"R.",
    ]
)
with zipfile.ZipFile(FOLDER / "makes_itself.pt", "w") as archive:
    for entry, data in {"data.pkl": buffer, "version": b"3\n"}.items():
        archive.writestr(zipfile.ZipInfo(f"makes_itself/{entry}", (1980, 1, 1, 0, 0, 0)), data)
