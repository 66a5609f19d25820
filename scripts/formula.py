"""Weights and pictures from a formula, the same in every language: a hash of a name and a position (splitmix64).

tests/painting/stylize/formula.rs is the other side. Every value is a multiple of 2^-23 times a bound, rounded to 32 bits once,
so both sides hold the very same numbers.
"""

import math

import torch

MASK = (1 << 64) - 1


def signed(value):
    value &= MASK
    return value - (1 << 64) if value >> 63 else value


def shifted(z, bits):
    """Logical shift right of 64-bit words that torch takes for signed ones."""
    return (z >> bits) & ((1 << (64 - bits)) - 1)


def seed(name):
    """FNV-1a."""
    value = 0xCBF29CE484222325
    for byte in name.encode():
        value = ((value ^ byte) * 0x100000001B3) & MASK
    return value


def uniform(name, shape, bound):
    """Evenly spread over -bound..bound, as a 64-bit tensor of 32-bit values."""
    count = math.prod(shape)
    z = torch.arange(1, count + 1, dtype=torch.int64) * signed(0x9E3779B97F4A7C15) + signed(seed(name))
    z = (z ^ shifted(z, 30)) * signed(0xBF58476D1CE4E5B9)
    z = (z ^ shifted(z, 27)) * signed(0x94D049BB133111EB)
    z = z ^ shifted(z, 31)
    values = (shifted(z, 40).double() / 2.0**23 - 1.0) * bound
    return values.float().double().reshape(shape)


def tensor(name, shape):
    """A convolution's weight, spread so that rectified activations keep their size (He), or its small bias."""
    bound = math.sqrt(6.0 / math.prod(shape[1:])) if len(shape) == 4 else 0.1
    return uniform(name, shape, bound)


def picture(kind, height, width):
    """[1,3,H,W] in 0..1, in 255ths: smooth ramps that wrap around, different for every `kind`."""
    c = torch.arange(3).reshape(3, 1, 1)
    y = torch.arange(height).reshape(1, height, 1)
    x = torch.arange(width).reshape(1, 1, width)
    steps = (x * (3 + kind) + y * (5 + 3 * kind) + c * 53 + x * y * kind // 16) % 256
    return (steps.double() / 255.0).float().double().unsqueeze(0)
