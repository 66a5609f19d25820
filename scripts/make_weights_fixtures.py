#!/usr/bin/env python3
"""Writes tests/data/weights/*.pth: a tiny network as torch.save writes it (needs torch). Run from the root.

Every number is a small multiple of 1/8, so that each is exact as a 16-bit float too and tests can compare exactly:
number i of a tensor is (i % 61 - 30) / 8.
"""

import collections
import pathlib
import torch

SHAPES = {
    "features.0.weight": (4, 3, 3, 3),
    "features.0.bias": (4,),
    "features.2.weight": (2, 4, 1, 1),
    "features.2.bias": (2,),
    "classifier.0.weight": (3, 2),  # must be left out
}
FOLDER = pathlib.Path("tests/data/weights")


def numbers(shape):
    count = torch.Size(shape).numel()
    return ((torch.arange(count) % 61 - 30) / 8).reshape(shape)


def save(name, tensors, zipped):
    torch.save(collections.OrderedDict(tensors), FOLDER / name, _use_new_zipfile_serialization=zipped)


plain = {name: numbers(shape) for name, shape in SHAPES.items()}
save("zip.pth", plain, True)
save("legacy.pth", plain, False)

# Strided, offset and shared storages; parameters; all four dtypes.
mixed = dict(plain)
mixed["features.0.weight"] = torch.nn.Parameter(
    plain["features.0.weight"].permute(2, 3, 1, 0).contiguous().permute(3, 2, 0, 1))
both = torch.cat([plain["features.0.bias"], plain["features.2.bias"]]).to(torch.bfloat16)
mixed["features.0.bias"], mixed["features.2.bias"] = both[:4], both[4:]
mixed["features.2.weight"] = plain["features.2.weight"].half()
mixed["classifier.0.weight"] = plain["classifier.0.weight"].double()
save("mixed_zip.pth", mixed, True)
save("mixed_legacy.pth", mixed, False)

# One tensor of another shape, one that is missing, one with a number that is not finite.
save("wrong_shape.pth", {**plain, "features.2.weight": numbers((2, 3, 1, 1))}, True)
save("missing.pth", {name: value for name, value in plain.items() if name != "features.2.bias"}, True)
save("not_finite.pth", {**plain, "features.2.bias": torch.tensor([1.0, float("nan")])}, True)

# Convolutions without bias, each with its batch norm behind it. A variance is the number's square and a half.
NORMED = {"_stem": (4, 3, 3, 3), "_blocks.0._depthwise": (4, 1, 3, 3), "_blocks.0._project": (2, 4, 1, 1)}
normed = {"_fc.weight": numbers((3, 2))}  # must be left out
for name, shape in NORMED.items():
    normed[f"{name}.weight"] = numbers(shape)
    for part in ("weight", "bias", "running_mean"):
        normed[f"{name}_bn.{part}"] = numbers(shape[:1])
    normed[f"{name}_bn.running_var"] = numbers(shape[:1]) ** 2 + 0.5
    normed[f"{name}_bn.num_batches_tracked"] = torch.tensor(7)
save("normed.pth", normed, False)


class Danger:
    """Pickles as a call of os.system: a reader that runs code would make the file."""

    def __reduce__(self):
        import os
        return os.system, ("touch pickle_ran_code",)


torch.save({**plain, "features.2.bias": Danger()}, FOLDER / "danger.pth")
