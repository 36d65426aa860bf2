"""Writes pickles.json: plain data in every protocol that checkpoints may have. Python's library is all that it needs."""

import base64
import collections
import json
import pathlib
import pickle

shared = [1, 2]
cycle = {}
cycle["self"] = cycle

VALUES = {
    "integers": [0, 255, 256, 65535, 65536, 2**31 - 1, -1, -(2**31), 2**31, -(2**40), 2**53, -(2**70)],
    "floats": [0.0, -0.0, 1.5, 1e300, float("inf"), float("-inf"), float("nan")],
    "words": ["", "a", "ключ", "__proto__", "x" * 300],
    "constants": [None, True, False],
    "bytes": [b"", b"\x00\xff", b"y" * 300, bytearray(), bytearray(b"\x01")],
    "tuples": [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)],
    "dicts": [{}, {"a": 1, 2: "b", None: 3}, collections.OrderedDict([("z", 1), ("y", 2)])],
    "sets": [{1, 2}, frozenset([3])],
    "shared": [shared, shared],
    "cycle": cycle,
    "long": list(range(2500)),
}

out = {
    name: {str(protocol): base64.b64encode(pickle.dumps(value, protocol)).decode() for protocol in (2, 3, 4, 5)}
    for name, value in VALUES.items()
}
path = pathlib.Path(__file__).with_name("pickles.json")
path.write_text(json.dumps(out, indent=0) + "\n")
