"""Grad-CAM: which places of an image a convolutional network's score for a class depends on."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Literal, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glassbox.autograd.hooks import layers_named
from glassbox.support.arguments import (
    check_choice,
    check_class_indices,
    check_floating_point,
    check_not_empty,
    check_shapes,
)
from glassbox.training.evaluation import preserve_modes

_Score = Literal["logit", "probability"]


class GradCAM:
    r"""Gradient-weighted class activation maps of a model, inside a ``with`` block.

    For the activations :math:`A_c` of a layer and the score :math:`y` of a class,

    .. math:: w_c = \frac{1}{h w} \sum_{ij} \frac{\partial y}{\partial A_{c,ij}}, \qquad
        \text{map} = \operatorname{ReLU} \Big(\sum_c w_c A_c\Big).

    The model runs in ``eval`` mode and is left as it was: modes, parameters, their gradients and
    flags. It may be frozen. Activations and gradients are those at the output of the layer, also
    where a layer that works in place follows.

    Args:
        model: Maps images ``(B, C, H, W)`` to logits ``(B, K)``.
        layers: The name of a layer as in ``model.named_modules()``, or several names.

    Raises:
        ValueError: If there is no name, or the model has no layer of one of them.

    Reference:
        Selvaraju et al. (2017), "Grad-CAM", https://arxiv.org/abs/1610.02391.
    """

    def __init__(self, model: nn.Module, layers: str | Iterable[str]) -> None:
        self.model = model
        self._single = isinstance(layers, str)
        names = [layers] if isinstance(layers, str) else list(layers)
        check_not_empty(layers=names)
        self._modules = layers_named(model, names)
        self._outputs: dict[str, list[Tensor]] | None = None  # while a call is under way
        self._hooks: ExitStack | None = None  # inside the block

    def __enter__(self) -> Self:
        self._hooks = ExitStack()
        for name, module in self._modules.items():

            def keep(_: nn.Module, __: object, output: Tensor, name: str = name) -> Tensor:
                return self._keep(name, output)

            self._hooks.enter_context(module.register_forward_hook(keep))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._hooks.close()
        self._hooks = None

    def __call__(
        self,
        images: Tensor,
        classes: Tensor | int | None = None,
        *,
        score: _Score = "logit",
        relu: bool = True,
    ) -> Tensor | dict[str, Tensor]:
        """Compute a map for each image.

        Args:
            images: ``(B, C, H, W)`` in the floating dtype and on the device of the model.
            classes: A class index for each image ``(B,)``, or one for all; the predicted classes
                unless given.
            score: What is differentiated. ``"probability"``, the softmax, is there to show why
                not: of a confident network its gradient is nearly zero.
            relu: Whether negative places become 0, as in the paper.

        Returns:
            ``(B, h, w)`` at the layer's own resolution; for several layers, name to such maps. In
            ``float32`` where the model computes in half precision.

        Raises:
            RuntimeError: Outside of the ``with`` block, or if a layer never ran or ran twice.
            TypeError: If the images are not floating point.
            ValueError: If an argument does not fit the model, or a layer has no spatial extent.
        """
        _check_call(images, score, active=self._hooks is not None)
        with preserve_modes(self.model), _recording():
            self.model.eval()
            # A copy of a leaf, since a first layer may work in place. The leaf requires a gradient,
            # so that there is a graph even where every parameter is frozen.
            leaf = images.detach().clone().requires_grad_()
            self._outputs = {name: [] for name in self._modules}
            try:
                logits = self.model(leaf.clone())
                chosen = _chosen(logits, classes, score)
                activations = [_only(name, calls) for name, calls in self._outputs.items()]
                gradients = torch.autograd.grad(chosen.sum(), activations, allow_unused=True)
            finally:
                self._outputs = None
        pairs = zip(self._modules, activations, gradients, strict=True)
        maps = {name: _weighted_sum(values, gradient, relu) for name, values, gradient in pairs}
        return next(iter(maps.values())) if self._single else maps

    def _keep(self, name: str, output: Tensor) -> Tensor:
        """Keep an output, and hand on a copy that the next layer may overwrite."""
        if self._outputs is None:  # a forward pass of somebody else's
            return output
        if not isinstance(output, Tensor) or output.ndim != 4:
            got = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
            raise ValueError(f"the output of layer {name!r} is {got}, expected (B, C, h, w)")
        self._outputs[name].append(output)
        return output.clone()


def class_activation_maps(features: Tensor, weight: Tensor, classes: Tensor) -> Tensor:
    r"""Compute the class activation maps ``(B, h, w)`` of average pooling and a linear layer.

    The map of class k is :math:`\sum_c W_{kc} A_c`. Grad-CAM at the same layer is
    :math:`\operatorname{ReLU}` of it, divided by the number of places.

    Args:
        features: What is pooled, ``(B, C, h, w)``.
        weight: Of the linear layer, ``(K, C)``.
        classes: A class index for each image ``(B,)``.

    Raises:
        ValueError: If the shapes do not fit together.

    Reference:
        Zhou et al. (2016), "Learning Deep Features for Discriminative Localization",
        https://arxiv.org/abs/1512.04150.
    """
    check_shapes(features=(features, "B C h w"), weight=(weight, "K C"), classes=(classes, "B"))
    check_class_indices(len(weight), classes=classes)
    return torch.einsum("bc,bchw->bhw", weight[classes], features)


def heat_maps(maps: Tensor, size: int | tuple[int, int]) -> Tensor:
    """Scale maps to the size of the images and to the range from 0 to 1.

    Each map is scaled by itself, enlarged bilinearly, and scaled again.

    Args:
        maps: ``(B, h, w)``.
        size: Height and width of the images in pixels, or the side of square ones.

    Returns:
        ``(B, H, W)`` from 0 to 1. A map without any difference, as where the ReLU left nothing, is
        0 everywhere.

    Raises:
        ValueError: If the maps are not ``(B, h, w)``.
    """
    check_shapes(maps=(maps, "B h w"))
    height, width = (size, size) if isinstance(size, int) else size
    scaled = _scale(maps)[:, None]  # (B, 1, h, w)
    enlarged = F.interpolate(scaled, (height, width), mode="bilinear", align_corners=False)
    return _scale(enlarged[:, 0])


def _scale(maps: Tensor) -> Tensor:
    low, high = maps.amin((1, 2), keepdim=True), maps.amax((1, 2), keepdim=True)
    span = high - low
    return torch.where(span > 0, (maps - low) / torch.where(span > 0, span, 1), 0)


@contextmanager
def _recording() -> Iterator[None]:
    """Record operations, whatever the surroundings are."""
    with torch.inference_mode(False), torch.enable_grad():
        yield


def _chosen(logits: Tensor, classes: Tensor | int | None, score: _Score) -> Tensor:
    """Pick the score of one class for each image, ``(B,)``."""
    if not isinstance(logits, Tensor) or logits.ndim != 2:
        got = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
        raise ValueError(f"the output of model is {got}, expected logits (B, K)")
    if classes is None:
        classes = logits.argmax(dim=1)
    elif isinstance(classes, int):
        classes = torch.full((len(logits),), classes)
    check_shapes(logits=(logits, "B K"), classes=(classes, "B"))
    check_class_indices(logits.shape[1], classes=classes)
    scores = logits if score == "logit" else logits.softmax(dim=1)
    return scores.gather(1, classes.to(logits.device, torch.int64)[:, None])[:, 0]


def _only(name: str, calls: list[Tensor]) -> Tensor:
    if len(calls) != 1:
        how = "never ran" if not calls else f"ran {len(calls)} times"
        raise RuntimeError(f"layer {name!r} {how} in the forward pass, expected once")
    return calls[0]


def _weighted_sum(activations: Tensor, gradients: Tensor | None, relu: bool) -> Tensor:
    """Weight each channel by its mean gradient, which is 0 if the score ignores the layer."""
    exact = torch.promote_types(activations.dtype, torch.float32)
    activations = activations.detach().to(exact)
    if gradients is None:
        return torch.zeros_like(activations[:, 0])
    weights = gradients.to(exact).mean(dim=(2, 3), keepdim=True)  # (B, C, 1, 1)
    maps = (weights * activations).sum(dim=1)  # (B, h, w)
    return maps.relu() if relu else maps


def _check_call(images: Tensor, score: str, active: bool) -> None:
    if not active:
        raise RuntimeError("GradCAM is used outside of its with block")
    check_floating_point(images=images)
    check_shapes(images=(images, "B C H W"))
    check_not_empty(images=images)
    check_choice(("logit", "probability"), score=score)
