"""Writes a file with tensors of a million float32 numbers each: python saveTorch.py PATH COUNT zip|legacy"""

import sys

import torch

path, count, container = sys.argv[1], int(sys.argv[2]), sys.argv[3]
torch.manual_seed(1)
state = {f"layers.{i}.weight": torch.randn(1000, 1000) for i in range(count)}
torch.save(state, path, _use_new_zipfile_serialization=container == "zip")
