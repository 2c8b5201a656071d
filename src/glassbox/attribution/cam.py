"""Grad-CAM: which places of an image a convolutional network's score for a class depends on."""

from contextlib import ExitStack
from types import TracebackType
from typing import Any, Literal, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glassbox.attribution.maps import Reshape, as_finite, as_maps, check_reshape, layer_maps
from glassbox.attribution.scores import as_classes, recording
from glassbox.autograd.layers import Layers, layers_named, on_outputs
from glassbox.support.arguments import (
    as_tensor,
    as_whole,
    check_all_finite,
    check_choice,
    check_class_indices,
    check_floating_point,
    check_not_empty,
    check_overflow,
    check_shapes,
)
from glassbox.support.scaling import scales
from glassbox.training.evaluation import preserve_modes

_Score = Literal["logit", "probability"]
_POWERS = range(14, -15, -4)  # of 2, tried in turn where gradients are float16


class GradCAM:
    r"""Gradient-weighted class activation maps of a model, inside a ``with`` block.

    For the activations :math:`A_c` of a layer and the score :math:`y` of a class,

    .. math:: w_c = \frac{1}{h w} \sum_{ij} \frac{\partial y}{\partial A_{c,ij}}, \qquad
        \text{map} = \operatorname{ReLU} \Big(\sum_c w_c A_c\Big).

    The model runs in ``eval`` mode and is left as it was: modes, parameters, their gradients and
    flags. It may be frozen, and compiled: then it runs as it was written. Activations and gradients
    are those at the output of the layer, also where a layer that works in place follows.

    Args:
        model: Maps images ``(B, C, H, W)`` to logits ``(B, K)``.
        layers: A layer, by its name as in ``model.named_modules()`` or as the module itself, or
            several. To ask a transformer that reads a class token, take a layer before its last
            attention, such as that block's first norm: after it the others have no effect.
        reshape: How the output of a layer becomes ``(B, C, h, w)``, where it is something else:
            ``"channels_last"`` for the ``(B, h, w, C)`` of Swin or of what is inside ConvNeXt's
            blocks; ``"tokens"`` for the ``(B, N, C)`` of ViT and mixers, where tokens for the class
            or the registers come before a square grid; a grid ``(h, w)`` for other tokens; or a
            function, like pytorch-grad-cam's ``reshape_transform``. Unless given, maps have to be
            in the proportions of the images; ``"channels_first"`` takes any.

    Raises:
        TypeError: If ``model`` is no module.
        ValueError: If there is no layer, or one is not the model's, or a scripted one, which runs
            no hooks; if ``reshape`` is none of these.

    Reference:
        Selvaraju et al. (2017), "Grad-CAM", https://arxiv.org/abs/1610.02391.
    """

    def __init__(
        self, model: nn.Module, layers: str | nn.Module | Layers, reshape: Reshape = None
    ) -> None:
        self.model = model
        self._single = isinstance(layers, str | nn.Module)
        self._names = list(layers_named(model, [layers] if self._single else layers))
        check_not_empty(layers=self._names)
        self._reshape = tuple(reshape) if isinstance(reshape, list) else reshape
        check_reshape(self._reshape)
        self._outputs: dict[str, list[Tensor]] | None = None  # while a call is under way
        self._hooks: ExitStack | None = None  # inside the block

    def __enter__(self) -> Self:
        if self._hooks is not None:
            raise RuntimeError(
                "GradCAM is in its with block already, expected another for a second"
            )
        with ExitStack() as stack:
            stack.enter_context(on_outputs(self.model, self._names, self._keep))
            self._hooks = stack.pop_all()
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
        classes: Any = None,
        *,
        score: _Score = "logit",
        relu: bool = True,
    ) -> Tensor | dict[str, Tensor]:
        """Compute a map for each image.

        Args:
            images: ``(B, C, H, W)`` in the floating dtype and on the device of the model.
            classes: A class index for each image ``(B,)``, as a tensor, an array or a list, or one
                for all; the predicted classes unless given.
            score: What is differentiated. ``"probability"``, the softmax, is there to show why
                not: of a confident network its gradient is nearly zero.
            relu: Whether negative places become 0, as in the paper.

        Returns:
            ``(B, h, w)`` at the layer's own resolution; for several layers, name to such maps. In
            ``float32`` where the model computes in half precision.

        Raises:
            RuntimeError: Outside of the ``with`` block, if a layer never ran or ran twice, or if no
                gradient of the score arrives at its places.
            TypeError: If the images are not floating point, or a layer gives no tensor.
            ValueError: If an argument does not fit the model, the images or the maps are not
                finite, or the output of a layer does not have the shape that ``reshape`` is for.
        """
        images = as_tensor(images=images)
        _check_call(images, score, active=self._hooks is not None)
        with preserve_modes(self.model), recording():
            self.model.eval()
            # A copy of a leaf, since a first layer may work in place. The leaf requires a gradient,
            # so that there is a graph even where every parameter is frozen.
            leaf = images.detach().clone().requires_grad_()
            self._outputs = {name: [] for name in self._names}
            try:
                logits = self.model(leaf.clone())
                slopes = _slopes(logits, classes, score)
                outputs = {name: _only(name, calls) for name, calls in self._outputs.items()}
                gradients, scale = _gradients(logits, slopes, outputs, self._in_float16(logits))
            finally:
                self._outputs = None
        maps = {
            name: _weighted_sum(name, outputs[name], gradients[name], scale, self._reshape, images)
            for name in self._names
        }
        if relu:
            maps = {name: values.relu() for name, values in maps.items()}
        return next(iter(maps.values())) if self._single else maps

    def _keep(self, name: str, _: Any, output: Any) -> Tensor | None:
        """Keep an output, and hand on a copy that the next layer may overwrite.

        What is kept is a copy too: a layer may give its own input, which has other uses.
        """
        if self._outputs is None:  # a forward pass of somebody else's
            return None
        if not isinstance(output, Tensor):
            kind = type(output).__name__
            raise TypeError(f"the output of layer {name!r} is a {kind}, expected a tensor")
        self._outputs[name].append(output.clone())
        return self._outputs[name][-1].clone()

    def _in_float16(self, logits: Tensor) -> bool:
        """Say whether gradients pass through the type in which those below 6e-8 are 0."""
        found = (logits, *(call for calls in self._outputs.values() for call in calls))
        return any(one.dtype == torch.float16 for one in (*found, *self.model.parameters()))


def class_activation_maps(features: Tensor, weight: Tensor, classes: Tensor) -> Tensor:
    r"""Compute the class activation maps ``(B, h, w)`` of average pooling and a linear layer.

    The map of class k is :math:`\sum_c W_{kc} A_c`. Grad-CAM at the same layer is
    :math:`\operatorname{ReLU}` of it, divided by the number of places.

    Args:
        features: What is pooled, ``(B, C, h, w)``.
        weight: Of the linear layer, ``(K, C)``.
        classes: A class index for each image ``(B,)``.

    Raises:
        ValueError: If the shapes do not fit together, or something is not finite, be it
            a map.

    Reference:
        Zhou et al. (2016), "Learning Deep Features for Discriminative Localization",
        https://arxiv.org/abs/1512.04150.
    """
    features, weight = as_finite(features=features), as_finite(weight=weight)
    classes = as_tensor(classes=classes)
    check_shapes(features=(features, "B C h w"), weight=(weight, "K C"), classes=(classes, "B"))
    check_class_indices(len(weight), classes=classes)
    wider = torch.promote_types(features.dtype, weight.dtype)
    chosen = weight[classes.to(weight.device, torch.int64)]  # bytes would be taken for a mask
    maps = torch.einsum("bc,bchw->bhw", chosen.to(wider), features.to(wider))
    check_overflow(maps, features=features, weight=weight)
    return maps


def heat_maps(maps: Tensor, size: int | tuple[int, int]) -> Tensor:
    """Scale maps to the size of the images and to the range from 0 to 1.

    Each map is scaled by itself, enlarged bilinearly, and scaled again.

    Args:
        maps: ``(B, h, w)``, finite.
        size: Height and width of the images in pixels, or the side of square ones.

    Returns:
        ``(B, H, W)`` from 0 to 1. A map without any difference, as where the ReLU left nothing, is
        0 everywhere.

    Raises:
        ValueError: If the maps are not ``(B, h, w)`` or not finite, or ``size`` is no size.
    """
    maps = as_maps(maps=maps)
    height, width = size if isinstance(size, tuple | list) and len(size) == 2 else (size, size)
    (height,), (width,) = as_whole(1, size=height), as_whole(1, size=width)
    scaled = _scale(maps)[:, None]  # (B, 1, h, w)
    enlarged = F.interpolate(scaled, (height, width), mode="bilinear", align_corners=False)
    return _scale(enlarged[:, 0])


def _scale(maps: Tensor) -> Tensor:
    maps = maps / scales(maps, (1, 2))  # so that the span is finite
    low, high = maps.amin((1, 2), keepdim=True), maps.amax((1, 2), keepdim=True)
    span = high - low
    return torch.where(span > 0, (maps - low) / torch.where(span > 0, span, 1), 0)


def _slopes(logits: Tensor, classes: Any, score: _Score) -> Tensor:
    """Differentiate the score of one class for each image by the logits, ``(B, K)``."""
    classes = as_classes(logits, classes)
    exact = logits.detach().to(torch.promote_types(logits.dtype, torch.float32)).requires_grad_()
    scores = exact if score == "logit" else exact.softmax(dim=1)
    chosen = scores.gather(1, classes[:, None])
    return torch.autograd.grad(chosen.sum(), exact)[0]


def _only(name: str, calls: list[Tensor]) -> Tensor:
    if len(calls) != 1:
        how = "never ran" if not calls else f"ran {len(calls)} times"
        raise RuntimeError(
            f"layer {name!r} {how} in the forward pass, expected once: take a layer around or "
            "beside it"
        )
    return calls[0]


def _gradients(
    logits: Tensor, slopes: Tensor, outputs: dict[str, Tensor], in_float16: bool
) -> tuple[dict[str, Tensor], Tensor]:
    """Differentiate scores by the outputs of layers, times a scale ``(B, 1)`` that is returned too.

    The slope of a probability may be 1e-20. Powers of two, one for each image, bring it near 1; in
    float16, where gradients below 6e-8 are 0 and those above 65504 infinite, near the largest at
    which all are finite.
    """
    gradients = dict.fromkeys(outputs)
    recorded = {name: output for name, output in outputs.items() if output.requires_grad}
    scale = torch.exp2(-scales(slopes, 1).log2().floor().clamp(min=-100))
    if logits.requires_grad and recorded:
        scale, found = _scaled(logits, slopes, scale, list(recorded.values()), in_float16)
        gradients |= zip(recorded, found, strict=True)
    for name, gradient in gradients.items():
        if gradient is None:
            raise RuntimeError(
                f"no gradient of the score arrived at layer {name!r}, expected a layer that the "
                "score depends on, without no_grad or detach in between"
            )
    return gradients, scale


def _scaled(
    logits: Tensor, slopes: Tensor, scale: Tensor, outputs: list[Tensor], in_float16: bool
) -> tuple[Tensor, tuple[Tensor | None, ...]]:
    """Differentiate with the first of some scales at which the gradients are finite."""
    for power in _POWERS if in_float16 else (0,):
        tried = scale * 2.0**power
        found = torch.autograd.grad(
            logits,
            outputs,
            (slopes * tried).to(logits.dtype),
            retain_graph=in_float16,
            allow_unused=True,
        )
        if all(one is None or one.is_meta or one.isfinite().all() for one in found):
            break
    return tried, found


def _weighted_sum(
    name: str, output: Tensor, gradient: Tensor, scale: Tensor, reshape: Reshape, images: Tensor
) -> Tensor:
    """Weight each channel of the output of a layer by its mean gradient, ``(B, h, w)``."""
    exact = torch.promote_types(output.dtype, torch.float32)
    activations = layer_maps(output.detach(), reshape, name, images).to(exact)
    slopes = layer_maps(gradient, reshape, name, images).to(exact)
    if not gradient.is_meta and gradient.any() and not slopes.any():
        raise RuntimeError(
            f"of layer {name!r} only the tokens before the grid have an effect on the score, "
            "expected an earlier layer, such as the norm before the last attention"
        )
    weights = slopes.mean(dim=(2, 3), keepdim=True) / scale.to(slopes)[:, :, None, None]
    maps = (weights * activations).sum(dim=1)
    check_all_finite(**{f"the map at layer {name!r}": maps})
    return maps


def _check_call(images: Tensor, score: str, active: bool) -> None:
    if not active:
        raise RuntimeError("GradCAM is used outside of its with block")
    check_floating_point(images=images)
    check_shapes(images=(images, "B C H W"))
    check_not_empty(images=images)
    check_all_finite(images=images)
    check_choice(("logit", "probability"), score=score)
