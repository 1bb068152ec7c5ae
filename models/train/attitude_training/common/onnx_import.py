# SPDX-License-Identifier: MPL-2.0
"""Restores a network from its export, so that a training can continue from a released model."""

import math
from pathlib import Path

import onnx
import torch
from onnx import numpy_helper
from torch import nn

# Suffix of the names of exported networks.
EXPORTED = ".onnx"
# Submodules that have another name in the exports of version 0.1.
RENAMED = {"past": "shortcut"}
# Operators with weights; their second and third inputs are the weights and the bias.
LAYERS = ("Conv", "Gemm")
# Norm of the filters that PyTorch initializes: their n weights are uniform in +-1/sqrt(n).
FILTER_NORM = math.sqrt(1 / 3)
# Least norm of a filter that is scaled.
MIN_NORM = 1e-6


def layer_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Returns the shapes of the weights in an ONNX file by the name of the layer, in the order of computation."""
    graph = onnx.load(path).graph
    shapes = {item.name: tuple(item.dims) for item in graph.initializer}
    return {_module_name(node.name): shapes[node.input[1]] for node in graph.node if node.op_type in LAYERS}


def restore(network: nn.Module, path: Path) -> None:
    """Sets the layers of a network, which is the submodule `network` of the exported module, to those of an ONNX file.

    The export folds each batch normalization into the convolution before it. Here the convolution gets the folded
    weights, and the normalization only adds the bias. Layers that the file does not have keep their weights.

    Raises ValueError if a layer has another shape in the file, or if the file has none of the layers.
    """
    graph = onnx.load(path).graph
    constants = {item.name: torch.from_numpy(numpy_helper.to_array(item).copy()) for item in graph.initializer}
    modules = dict(network.named_modules())
    restored = 0
    for node in graph.node:
        name = _module_name(node.name)
        if node.op_type not in LAYERS or name not in modules:
            continue
        weight, bias = (constants[name] for name in node.input[1:3])
        layer = modules[name]
        if layer.weight.shape != weight.shape:
            raise ValueError(f"{path}: {name} has the shape {tuple(weight.shape)}, not {tuple(layer.weight.shape)}")
        layer.weight.data.copy_(weight)
        if layer.bias is None:
            _add_only(modules[_name_after(name)], bias)
        else:
            layer.bias.data.copy_(bias)
        restored += 1
    if restored == 0:
        raise ValueError(f"{path}: has no layer of {type(network).__name__}")


def renormalize(network: nn.Module, inputs: torch.Tensor) -> None:
    """Makes each batch normalization normalize, without changing what the network computes.

    The statistics become those of `inputs`, a batch that is typical of the training, and filters get the norm of
    initial ones, which suits the learning rate. Without it, a training after restore() would normalize what was not
    normalized before, and start with another function.
    """
    modules = dict(network.named_modules())
    filters = {
        modules[_name_after(name)]: module
        for name, module in modules.items()
        if isinstance(module, nn.Conv2d) and module.bias is None
    }

    def before(norm: nn.BatchNorm2d, arguments: tuple[torch.Tensor]) -> tuple[torch.Tensor]:
        weight = filters[norm].weight
        scales = (FILTER_NORM / weight.data.flatten(1).norm(dim=1).clamp_min(MIN_NORM)).view(-1, 1, 1, 1)
        weight.data *= scales
        x, scales = arguments[0], scales.flatten()
        mean, variance = x.mean((0, 2, 3)), x.var((0, 2, 3), unbiased=False)
        factor = norm.weight.data / torch.sqrt(norm.running_var + norm.eps)
        norm.bias.data += factor * (mean - norm.running_mean)
        norm.running_mean.copy_(scales * mean)
        norm.running_var.copy_(scales**2 * variance)
        norm.weight.data = factor / scales * torch.sqrt(norm.running_var + norm.eps)
        return (x * scales.view(1, -1, 1, 1),)

    handles = [norm.register_forward_pre_hook(before) for norm in filters]
    network.eval()
    with torch.no_grad():
        network(inputs)
    for handle in handles:
        handle.remove()


def _module_name(node: str) -> str:
    """Returns the name of the submodule of the network that a node belongs to.

    `/network/stem/stem.0/Conv` and `/stem/stem.0/Conv` belong to `stem.0`: a part of a path that ends a container
    repeats the container, and the path names the network only if all of it is computed at once.
    """
    names: list[str] = []
    for part in node.removeprefix("/network").split("/")[1:-1]:
        if names and part.startswith(f"{names[-1]}."):
            names.pop()
        names.append(part)
    parts = ".".join(names).split(".")
    return ".".join(RENAMED.get(part, part) for part in parts)


def _name_after(convolution: str) -> str:
    """Returns the name of the batch normalization after a convolution in its nn.Sequential."""
    container, _, index = convolution.rpartition(".")
    return f"{container}.{int(index) + 1}"


def _add_only(norm: nn.BatchNorm2d, bias: torch.Tensor) -> None:
    norm.running_mean.zero_()
    norm.running_var.fill_(1)
    norm.weight.data.fill_(math.sqrt(1 + norm.eps))
    norm.bias.data.copy_(bias)
