"""The network `patches`: convolutions and ReLUs; between sizes a 5x5 binomial blur that keeps every second place.

`run` computes layers the way the program does with reflected borders.
"""
import torch
import torch.nn.functional as F

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
# Maps, side of the filters, whether a halving follows.
SHAPE = ((48, 5, True), (96, 3, True), (128, 3, True), (128, 3, False))
BINOMIAL = torch.tensor([1.0, 4, 6, 4, 1]) / 16
STYLE = ("relu1", "half1", "relu2", "relu3", "relu4")


def normalise(x):
    return (x - x.new_tensor(MEAN)[:, None, None]) / x.new_tensor(STD)[:, None, None]


def bordered(x, border):
    return F.pad(x, (border,) * 4, mode="reflect" if min(x.shape[2:]) > border else "replicate")


def convolve(x, weight, bias):
    return F.relu(F.conv2d(bordered(x, weight.shape[-1] // 2), weight, bias))


def halve(x):
    channels = x.shape[1]
    kernel = torch.outer(BINOMIAL, BINOMIAL).to(x).expand(channels, 1, 5, 5)
    return F.conv2d(bordered(x, 2), kernel, stride=2, groups=channels)


def run(weights, x, wanted):
    """Layers of `wanted` (relu1, half1, relu2 ...) for pictures [N,3,H,W] in 0..1."""
    found = {}
    x = normalise(x).contiguous(memory_format=torch.channels_last)
    for k, (_, _, halved) in enumerate(SHAPE, 1):
        if f"conv{k}.weight" not in weights or len(found) == len(set(wanted)):
            break
        x = convolve(x, weights[f"conv{k}.weight"], weights[f"conv{k}.bias"])
        found |= {f"relu{k}": x} if f"relu{k}" in wanted else {}
        if halved:
            x = halve(x)
            found |= {f"half{k}": x} if f"half{k}" in wanted else {}
    return found


def gram(f):
    """[1,C,H,W] to [C,C] per position."""
    f = f[0].flatten(1)
    return f @ f.T / f.shape[1]
