"""Tensors of PyTorch to safetensors, each of them equal bit for bit."""

from collections.abc import Iterator, Mapping
from typing import Any

from trustplane.training.conversion.failing import Unconverted


def tensors_of(held: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every tensor in nested mappings and lists, by its dotted name; anything else as it is, None for what is no tensor."""
    import torch

    if isinstance(held, torch.Tensor):
        yield name or "tensor", held.detach()
    elif isinstance(held, Mapping):
        for key, each in held.items():
            yield from tensors_of(each, f"{name}.{key}" if name else str(key))
    elif isinstance(held, list | tuple):
        for place, each in enumerate(held):
            yield from tensors_of(each, f"{name}.{place}" if name else str(place))
    else:
        yield name or "value", None


def to_safetensors(held: Any) -> tuple[bytes, dict[str, Any]]:
    """The file, and the figures of the comparison: how many tensors and bytes, and the names of what is no tensor and stays behind."""
    from safetensors.torch import load, save

    found = list(tensors_of(held))
    named = {name: each for name, each in found if each is not None}
    if not named:
        raise Unconverted("it holds no tensor")
    if len(named) < sum(each is not None for _, each in found):
        raise Unconverted("two tensors have one name")
    odd = [name for name, each in named.items() if each.is_sparse or each.is_quantized]
    if odd:
        raise Unconverted(f"{odd[0]} is sparse or quantised, which safetensors does not hold")
    plain = {name: each.contiguous().clone() for name, each in named.items()}
    try:
        data = save(plain)
    except (KeyError, ValueError, RuntimeError) as error:
        raise Unconverted(f"safetensors cannot write it: {type(error).__name__}") from None
    again = load(data)
    for name, each in plain.items():
        if again[name].dtype != each.dtype or again[name].shape != each.shape or bits(again[name]) != bits(each):
            raise Unconverted(f"the tensor {name[:120]} is not the same bit for bit")
    left = [name for name, each in found if each is None]
    size = sum(each.numel() * each.element_size() for each in plain.values())
    return data, {
        "tensors": len(plain),
        "bytes": size,
        "equal": "bit for bit",
        "left_out": len(left),
        "left_out_names": left[:100],
    }


def bits(tensor: Any) -> bytes:
    """The bytes of a tensor's numbers."""
    import torch

    return bytes(tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
