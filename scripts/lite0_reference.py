"""EfficientNet-Lite0 as a plain reference in float64, written after the paper's table, not after the program: a list of
steps on dictionaries of named values. Used by the scripts that make golden data; weights by scripts/formula.py.
"""

import torch
import torch.nn.functional as F

import formula

# (blocks, maps, kernel, stride of the first block)
STAGES = [(1, 16, 3, 1), (2, 24, 3, 2), (2, 40, 5, 2), (3, 80, 3, 2), (3, 112, 5, 1), (4, 192, 5, 2), (1, 320, 3, 1)]
# The program's constants are 32-bit.
MEAN = torch.tensor(127 / 255, dtype=torch.float32).double()
DEVIATION = torch.tensor(128 / 255, dtype=torch.float32).double()


class Conv:
    def __init__(self, key, out, inp, kernel, stride=1, depthwise=False):
        self.weight = formula.tensor(f"{key}.weight", (out, 1 if depthwise else inp, kernel, kernel))
        self.bias = formula.tensor(f"{key}.bias", (out,))
        self.stride, self.groups, self.kernel = stride, out if depthwise else 1, kernel

    def up(self, x, mode):
        self.size = x.shape[2:]
        border = self.kernel // 2
        if border and mode != "zeros":
            x, border = extended(x, border, mode), 0
        return F.conv2d(x, self.weight, self.bias, self.stride, border, 1, self.groups)

    def down(self, signal):
        border = self.kernel // 2
        made = [(n - 1) * self.stride - 2 * border + self.kernel for n in signal.shape[2:]]
        more = [want - n for want, n in zip(self.size, made)]
        return F.conv_transpose2d(signal, self.weight, None, self.stride, border, more, self.groups)


class Halving(Conv):
    """The 3x3 binomial blur with a stride of 2, each map by itself."""

    def __init__(self, maps):
        row = torch.tensor([1.0, 2.0, 1.0], dtype=torch.float64) / 4
        self.weight = (row[:, None] * row[None]).repeat(maps, 1, 1, 1)
        self.bias, self.stride, self.groups, self.kernel = torch.zeros(maps, dtype=torch.float64), 2, maps, 3


class Relu6:
    def up(self, x, mode):
        return x.clamp(0, 6)

    def down(self, signal):
        return signal.clamp_min(0)


def extended(x, border, mode):
    fits = mode == "reflect" and min(x.shape[2:]) > border
    return F.pad(x, (border,) * 4, mode="reflect" if fits else "replicate")


def filtered(key, out, inp, kernel, stride, depthwise, antialias):
    halves = antialias and stride == 2
    steps = [Conv(key, out, inp, kernel, 1 if halves else stride, depthwise), Relu6()]
    return steps + [Halving(out)] if halves else steps


def blocks(antialias):
    """Of each block its three named parts, each a list of steps, and whether its input is added to its output."""
    yield "stem", [("stem", filtered("stem", 32, 3, 3, 2, False, antialias))], False
    number, inp = 0, 32
    for count, out, kernel, first in STAGES:
        for place in range(count):
            stride, key = (first if place == 0 else 1), f"blocks.{number}"
            wide = 6 * inp if number else inp
            parts = []
            if number:
                parts.append((f"{number}.exp", filtered(f"{key}.expand", wide, inp, 1, 1, False, antialias)))
            parts.append((f"{number}.dw", filtered(f"{key}.depthwise", wide, wide, kernel, stride, True, antialias)))
            parts.append((f"{number}.out", [Conv(f"{key}.project", out, wide, 1)]))
            yield str(number), parts, stride == 1 and inp == out
            number, inp = number + 1, out


def layers(picture, mode="zeros", antialias=True):
    """Every layer in order: its name and activations `[1,C,h,w]`."""
    x = (picture - MEAN) / DEVIATION
    for _, parts, residual in blocks(antialias):
        start = x
        for name, steps in parts:
            for step in steps:
                x = step.up(x, mode)
            if residual and name.endswith(".out"):
                x = x + start
            yield name, x


def projected(picture, wanted, antialias=True):
    """Runs `picture` up with zero padding, then gives `project(name, signal)`: a signal at that layer's output, carried
    down to the pixels by the deconvnet's rules; a sum hands it to both of its inputs, and where they meet it adds up."""
    network, x = [], (picture - MEAN) / DEVIATION
    found = {}
    for _, parts, residual in blocks(antialias):
        start = x
        for name, steps in parts:
            for step in steps:
                x = step.up(x, "zeros")
            if residual and name.endswith(".out"):
                x = x + start
            if name in wanted:
                found[name] = x
        network.append((parts, residual))

    def project(name, signal):
        reached = False
        for parts, residual in reversed(network):
            beside = None
            for own, steps in reversed(parts):
                reached = reached or own == name
                if not reached:
                    continue
                if residual and own.endswith(".out"):
                    beside = signal
                for step in reversed(steps):
                    signal = step.down(signal)
            if beside is not None:
                signal = signal + beside
        return signal / DEVIATION

    return found, project
