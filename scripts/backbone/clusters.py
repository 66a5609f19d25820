"""Filters without gradient descent (Coates & Ng 2011): the middles of clusters of whitened patches.

Patches are whitened (ZCA, with a floor under the small eigenvalues: they hold noise); spherical k-means finds
directions that many patches share; a filter is such a direction taken back through the whitening. Its bias lets it
answer to the upper part of all patches only, and its scale gives its answers a root mean square of 1.
"""
import torch
import torch.nn.functional as F

ROUNDS = 12
PATCHES = 30_000
FEWEST = 5  # a cluster of fewer patches starts again


def patches(maps, side, generator):
    """Random patches [n, C*side*side] of maps [N,C,H,W], as many from each."""
    count, _, height, width = maps.shape
    out = []
    for _ in range(PATCHES // count + 1):
        y = torch.randint(0, height - side + 1, (count,), generator=generator).tolist()
        x = torch.randint(0, width - side + 1, (count,), generator=generator).tolist()
        out.append(torch.stack([m[:, b : b + side, a : a + side] for m, b, a in zip(maps, y, x)]).flatten(1))
    return torch.cat(out)


def whitening(centred, floor):
    """The symmetric matrix that gives every direction unit variance, `floor` of the mean variance being added first."""
    values, vectors = torch.linalg.eigh(centred.T @ centred / len(centred))
    values = values.clamp_min(0)
    return vectors @ torch.diag((values + floor * values.mean()).rsqrt()) @ vectors.T


def middles(points, count, generator):
    """Spherical k-means: `count` unit vectors."""
    directions = F.normalize(points, dim=1)
    found = F.normalize(torch.randn(count, points.shape[1], generator=generator), dim=1)
    for _ in range(ROUNDS):
        closeness, owner = (directions @ found.T).max(1)
        sums = torch.zeros_like(found).index_add_(0, owner, points * closeness[:, None])
        few = torch.bincount(owner, minlength=count) < FEWEST
        if few.any():
            again = torch.randint(0, len(points), (int(few.sum()),), generator=generator)
            sums[few] = directions[again]
        found = F.normalize(sums + 1e-3 * found, dim=1)
    return found


def learn(maps, count, side, floor, silent, generator, both=False):
    """Weight [count,C,side,side] and bias of a layer over `maps`. A filter is silent for that share of the patches;
    with `both`, half of the filters are the others' negatives."""
    sample = patches(maps, side, generator)
    mean = sample.mean(0)
    centred = sample - mean
    white = whitening(centred, floor)
    found = middles(centred @ white, count // 2 if both else count, generator)
    filters = (torch.cat([found, -found]) if both else found) @ white
    answers = centred @ filters.T
    threshold = answers.sort(0).values[int(silent * (len(answers) - 1))]
    size = F.relu(answers - threshold).square().mean(0).sqrt()
    filters, threshold = filters / size[:, None], threshold / size
    return filters.reshape(count, maps.shape[1], side, side), -(filters @ mean) - threshold
