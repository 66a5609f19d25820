#!/usr/bin/env python3
"""Writes weights/NAME.toml for every network, from torchvision's own definitions (needs torch, torchvision).

The addresses, sizes and the digits of the SHA-256 in the file names are torchvision's; the tensors' names and
shapes are read off a model that is built without weights. Run it from the repository root.
"""

import pathlib
import torchvision.models as models

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]

VGG_LICENCE = "BSD-3-Clause"
SQUEEZE_LICENCE = "BSD-3-Clause AND BSD-2-Clause"  # torchvision's file, and SqueezeNet itself

NETWORKS = {
    "vgg19": (models.vgg19, models.VGG19_Weights.IMAGENET1K_V1, VGG_LICENCE,
              "VGG-19 (Simonyan and Zisserman 2014) trained on ImageNet: the network of Gatys et al.; best on a GPU"),
    "vgg16": (models.vgg16, models.VGG16_Weights.IMAGENET1K_V1, VGG_LICENCE,
              "VGG-16 (Simonyan and Zisserman 2014) trained on ImageNet: a little faster than VGG-19"),
    "squeezenet1_0": (models.squeezenet1_0, models.SqueezeNet1_0_Weights.IMAGENET1K_V1, SQUEEZE_LICENCE,
                      "SqueezeNet 1.0 (Iandola et al. 2016) trained on ImageNet: small and fast, good on a CPU"),
    "squeezenet1_1": (models.squeezenet1_1, models.SqueezeNet1_1_Weights.IMAGENET1K_V1, SQUEEZE_LICENCE,
                      "SqueezeNet 1.1 trained on ImageNet: half the work of 1.0"),
}


def layers(name, features):
    """(layer, index in `features` it is taken behind), in the names the papers use."""
    if name.startswith("vgg"):
        block, unit = 1, 1
        for index, module in enumerate(features):
            kind = type(module).__name__
            if kind == "ReLU":
                yield f"relu{block}_{unit}", index
                unit += 1
            elif kind == "MaxPool2d":
                block, unit = block + 1, 1
    else:
        fire = 2
        for index, module in enumerate(features):
            kind = type(module).__name__
            if kind == "ReLU":
                yield "relu1", index
            elif kind == "Fire":
                yield f"fire{fire}", index
                fire += 1


def manifest(name, build, weights, licence, description):
    base, file = weights.url.rsplit("/", 1)
    digits = file.rsplit("-", 1)[1].removesuffix(".pth")
    lines = [
        f'name = "{name}"',
        f'description = "{description}"',
        f'source = "torchvision, {type(weights).__name__}.{weights.name}"',
        f'licence = "{licence}"',
        "",
        "[download]",
        'from = "server"',
        f'url = "{base}"',
        f'file = "{file}"',
        f'sha256_prefix = "{digits}"',
        f'size_mib = {weights.meta["_file_size"]}',
    ]
    if name.startswith("vgg"):
        lines += ["", "[hub]", f'repo = "timm/{name}.tv_in1k"', 'file = "model.safetensors"']
    features = build(weights=None).features
    lines += ["", "# What the network was trained on: RGB, 0..1, less the mean, over the standard deviation.",
              "[input]", f"mean = {MEAN}", f"std = {STD}", ""]
    lines += ["# The layers whose features are compared, each behind the module of that index in `features`.",
              "[layers]"]
    lines += [f"{layer} = {index}" for layer, index in layers(name, features)]
    lines += ["", "# The tensors of the file, each with its shape.", "[tensors]"]
    lines += [f'"features.{key}" = {list(tensor.shape)}' for key, tensor in features.state_dict().items()]
    return "\n".join(lines) + "\n"


for name, row in NETWORKS.items():
    pathlib.Path("weights", f"{name}.toml").write_text(manifest(name, *row))
