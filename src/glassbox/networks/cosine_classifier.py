"""A classifier by angle, independent of the length of features and weights."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glassbox.support.arguments import as_sizes, check_positive, check_range
from glassbox.support.scaling import scales


class CosineClassifier(nn.Module):
    r"""The cosine between the features and one direction for each class, times a scale.

    Computes :math:`s \, \cos(x, w_k) = s \, x^\top w_k / (\lVert x \rVert \lVert w_k \rVert)`.
    The length of :math:`x` and of :math:`w_k` has no effect, so that a frequent class cannot win
    by a longer weight. A vector of zeros has the cosine 0 with everything.

    In front of :class:`glassbox.losses.ldam.LDAMLoss` the scale stays 1: that loss takes cosines
    and multiplies them itself, after its margin. In front of another loss, give the scale here:
    cosines alone reach from -1 to 1, and a softmax of them is never sure.

    Computes in float32 at least, also under autocast: a scale of 30 would multiply the rounding
    of half precision.

    Args:
        in_features: Length of the features.
        num_classes: Number of classes ``K``.
        scale: Above 0.
        learnable_scale: Whether the scale is a parameter, or else a buffer. It is ``scale`` in
            the state dict in both cases.

    Raises:
        ValueError: If a size is below 1 or ``scale`` is not above 0 and finite in the default type.

    Reference:
        Cao et al. (2019), https://arxiv.org/abs/1906.07413, whose ``NormedLinear`` stores the
        transposed weight; Gidaris and Komodakis (2018), "Dynamic Few-Shot Visual Learning without
        Forgetting", https://arxiv.org/abs/1804.09458, for the learnable scale.
    """

    scale: Tensor

    def __init__(
        self,
        in_features: int,
        num_classes: int,
        scale: float = 1.0,
        *,
        learnable_scale: bool = False,
    ) -> None:
        in_features, num_classes = as_sizes(in_features=in_features, num_classes=num_classes)
        check_positive(scale=scale)
        limits = torch.finfo(torch.get_default_dtype())
        check_range(limits.smallest_normal, limits.max, scale=scale)
        start = torch.tensor(float(scale))
        super().__init__()
        self.weight = nn.Parameter(_unit(torch.randn(num_classes, in_features)))
        if learnable_scale:
            self.scale = nn.Parameter(start)
        else:
            self.register_buffer("scale", start)

    def forward(self, features: Tensor) -> Tensor:
        """Map features ``(..., in_features)`` to scaled cosines ``(..., K)``, float32 at least."""
        with torch.autocast(features.device.type, enabled=False):
            cosines = F.linear(_unit(features), _unit(self.weight))
            return cosines * self.scale.to(cosines.dtype)

    def extra_repr(self) -> str:
        """Describe the sizes and the scale."""
        num_classes, in_features = self.weight.shape
        kind = "learnable" if isinstance(self.scale, nn.Parameter) else "fixed"
        return f"{in_features}, {num_classes}, scale={self.scale.item():g} ({kind})"


def _unit(vectors: Tensor) -> Tensor:
    """Divide vectors ``(..., D)`` by their length; zeros stay zeros, with a finite gradient.

    :func:`torch.nn.functional.normalize` divides zeros by 1e-12, and so does their gradient.
    """
    vectors = vectors.to(torch.promote_types(vectors.dtype, torch.float32))
    vectors = vectors / scales(vectors, -1)  # squares of 1e-30 are 0, of 1e30 infinite
    length = torch.linalg.vector_norm(vectors, dim=-1, keepdim=True)
    return vectors / length.where(length > 0, 1)
