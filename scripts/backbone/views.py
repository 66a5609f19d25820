"""Samples of the task: two views of one manner, and of the same manner spoiled.

A manner is a place in a made picture, turned, scaled and recoloured once; its two views lie side by side and differ
by a small turn, stretch and light. A spoiled manner has the same colours or the same parts, but not the same strokes:
shuffled, phases lost, grained, blurred, turned, enlarged, blended. To tell it from the first is what makes Gram
matrices see strokes and not colour alone.
"""
import math

import torch
import torch.nn.functional as F

VIEW = 67  # pixels: 31 after the first convolution, 15 and 7 after the poolings


class Views:
    """Draws batches from pictures [n,3,S,S] of bytes; all chance comes from `generator`."""

    def __init__(self, generator):
        self.generator = generator

    def uniform(self, lo, hi, *shape):
        return lo + (hi - lo) * torch.rand(shape, generator=self.generator)

    def pick(self, n, *shape):
        return torch.randint(0, n, shape, generator=self.generator)

    def normal(self, *shape):
        return torch.randn(shape, generator=self.generator)

    def crops(self, pictures, count):
        """[2,count,3,VIEW,VIEW]: two views each of `count` manners."""
        size, half = pictures.shape[-1], VIEW / 2
        which = self.pick(len(pictures), count)
        scale = torch.exp(self.uniform(math.log(0.45), math.log(1.5), count))
        angle = self.uniform(-math.pi, math.pi, count) * (self.uniform(0, 1, count) < 0.5)
        centre = self.uniform(0.3, 0.7, 2, count) * size
        views = []
        for _ in range(2):
            t = angle + self.uniform(-0.12, 0.12, count)
            s = scale * torch.exp(self.uniform(-0.08, 0.08, count))
            at = centre + self.uniform(-30, 30, 2, count)
            views.append(self._cut(pictures, which, t, s, at, half))
        return self.recolour(torch.stack(views))

    def _cut(self, pictures, which, angle, scale, at, half):
        size = pictures.shape[-1]
        reach = half * scale * 2 / size
        affine = torch.zeros(len(which), 2, 3)
        affine[:, 0, 0], affine[:, 0, 1] = reach * angle.cos(), -reach * angle.sin()
        affine[:, 1, 0], affine[:, 1, 1] = reach * angle.sin(), reach * angle.cos()
        affine[:, :, 2] = (at.T / size) * 2 - 1
        side = torch.where(scale > 1.05, 2.0, 1.0)
        out = torch.empty(len(which), 3, VIEW, VIEW)
        for k, picture in enumerate(which.tolist()):
            x = pictures[picture][None].float() / 255
            if side[k] > 1:
                x = F.avg_pool2d(x, 2)
            grid = F.affine_grid(affine[k : k + 1], (1, 3, VIEW, VIEW), align_corners=False)
            out[k] = F.grid_sample(x, grid, align_corners=False, padding_mode="reflection")[0]
        return out

    def recolour(self, views):
        """The same change of colour for both views of a manner, and a little light of their own."""
        n = views.shape[1]
        turn = torch.eye(3) + 0.15 * self.normal(n, 3, 3)
        order = torch.stack([torch.randperm(3, generator=self.generator) for _ in range(n)])
        turn = torch.where(self.uniform(0, 1, n, 1, 1) < 0.4, torch.gather(turn, 2, order[:, None].expand(n, 3, 3)), turn)
        gain, lift = self.uniform(0.6, 1.2, n, 1, 1, 1), self.uniform(-0.12, 0.12, n, 1, 1, 1)
        middle = views.mean((0, 3, 4))[:, :, None, None]
        out = torch.einsum("nij,vnjhw->vnihw", turn, views - middle) * gain + middle + lift
        out = out * self.uniform(0.97, 1.03, 2, n, 1, 1, 1) + self.uniform(-0.015, 0.015, 2, n, 1, 1, 1)
        return out.clamp(0, 1)

    def spoil(self, views):
        """Each manner of [2,n,3,V,V] in one of nine ways, the same way for both views."""
        out = torch.empty_like(views)
        for k in range(views.shape[1]):
            out[:, k] = self.WAYS[int(self.pick(len(self.WAYS), 1))](self, views[:, k])
        return out.clamp(0, 1)

    def shuffled(self, x):
        """Cells change places: colours and parts stay, connection is lost."""
        cell = (3, 5, 8, 12)[int(self.pick(4, 1))]
        n = -(-VIEW // cell)
        x = F.pad(x, (0, n * cell - VIEW) * 2, mode="reflect")
        cells = x.unfold(2, cell, cell).unfold(3, cell, cell).reshape(2, 3, n * n, cell, cell)
        cells = cells[:, :, torch.randperm(n * n, generator=self.generator)]
        x = cells.reshape(2, 3, n, n, cell, cell).permute(0, 1, 2, 4, 3, 5).reshape(2, 3, n * cell, n * cell)
        return x[:, :, :VIEW, :VIEW]

    def dephased(self, x):
        """Random Fourier phases, the same for the three colours: the spectrum stays, edges are lost."""
        mean = x.mean((2, 3), keepdim=True)
        phase = torch.angle(torch.fft.rfft2(self.normal(2, 1, VIEW, VIEW)))
        mixed = torch.fft.irfft2(torch.fft.rfft2(x - mean) * torch.exp(1j * phase), (VIEW, VIEW))
        keep = self.uniform(0, 0.6, 1)
        return mean + keep * (x - mean) + (1 - keep**2).sqrt() * mixed

    def grained(self, x):
        grain = self.normal(2, 1 if self.pick(2, 1) else 3, VIEW, VIEW)
        if self.pick(2, 1):
            grain = 1.6 * F.avg_pool2d(F.pad(grain, (0, 1, 0, 1), mode="reflect"), 2, 1)
        return x + self.uniform(0.02, 0.12, 1) * grain

    def latticed(self, x):
        """A fine regular pattern: what strided networks are blind to."""
        period = 2 + int(self.pick(4, 1))
        tile = self.normal(1, 1 if self.pick(2, 1) else 3, period, period)
        times = -(-VIEW // period)
        return x + self.uniform(0.02, 0.1, 1) * (tile - tile.mean()).repeat(1, 1, times, times)[:, :, :VIEW, :VIEW]

    def blurred(self, x):
        soft = F.avg_pool2d(F.pad(x, (2, 2, 2, 2), mode="reflect"), 5, 1)
        soft = F.avg_pool2d(F.pad(soft, (1, 1, 1, 1), mode="reflect"), 3, 1)
        return x + (soft - x) * (self.uniform(0.5, 1, 1) if self.pick(2, 1) else -self.uniform(0.4, 1.2, 1))

    def turned(self, x):
        return x.rot90(1, (2, 3)) if self.pick(3, 1) else x.flip(3)

    def enlarged(self, x):
        side = int(VIEW / self.uniform(1.4, 2, 1))
        at = int(self.pick(VIEW - side, 1))
        part = x[:, :, at : at + side, at : at + side]
        return F.interpolate(part, (VIEW, VIEW), mode="bilinear", align_corners=False)

    def blended(self, x):
        """Over its own mirror picture or a shifted one: strokes cross."""
        other = x.flip(2, 3) if self.pick(2, 1) else x.roll((VIEW // 2, VIEW // 3), (2, 3))
        a, b = x - x.mean((2, 3), keepdim=True), other - other.mean((2, 3), keepdim=True)
        return x.mean((2, 3), keepdim=True) + 0.72 * (a + b)

    def jittered(self, x):
        """Every pixel from a neighbour a few pixels away: strokes fray."""
        far = self.uniform(1, 4, 1) * 2 / VIEW
        grid = F.affine_grid(torch.eye(2, 3)[None].expand(2, 2, 3), (2, 3, VIEW, VIEW), align_corners=False)
        shift = self.normal(2, VIEW // 3, VIEW // 3, 2).permute(0, 3, 1, 2)
        shift = F.interpolate(shift, (VIEW, VIEW), mode="nearest" if self.pick(2, 1) else "bilinear")
        grid = grid + far * shift.permute(0, 2, 3, 1)
        return F.grid_sample(x, grid, align_corners=False, padding_mode="reflection")

    WAYS = (shuffled, shuffled, dephased, grained, latticed, blurred, turned, enlarged, blended, jittered)

    def batch(self, pictures, models, copies, manners):
        """[2, 2*manners, 3, VIEW, VIEW]: `manners` clean ones, the `models` of imitations first, then the same
        spoiled: the models by their imitations, the others by us."""
        fresh = self.crops(pictures, manners - models.shape[1])
        return torch.cat([models, fresh, copies, self.spoil(fresh)], 1)
