"""Half precision: values stored in 16 bits, which is all that float16 is for on the CPU."""

from __future__ import annotations

import jax.numpy as jnp

from c2lab.operators.definition import operator
from c2lab.operators.draws import uniform

_LARGEST = 65504.0


@operator("FloatToHalf", outputs="output", types={"input": "float32"})
def float_to_half(input, *, clip: bool = False):
    """Rounds values to half precision, to the nearest, and to the even one of two that are as near.

    Inputs:
        input: float32 values of any shape.
    Args:
        clip: Whether values that are too large become the largest one, 65504, instead of infinity.
    Outputs:
        output: Same shape, float16.
    Example:
        >>> run("FloatToHalf", input=[1.5, -0.1, 1e6])
        output = [ 1.5 -0.1  inf]
        >>> run("FloatToHalf", input=[1e6, -1e6], clip=True)
        output = [ 6.55e+04 -6.55e+04]
    """
    if clip:
        input = jnp.clip(input, jnp.float32(-_LARGEST), jnp.float32(_LARGEST))
    return input.astype(jnp.float16)


@float_to_half.gradient_maker
def _(g):
    return [g.define("HalfToFloat", [g.GO(0)], [g.GI(0)])]


@operator("HalfToFloat", outputs="output", types={"input": "float16"})
def half_to_float(input):
    """Half precision values as float32, which holds all of them.

    Inputs:
        input: float16 values of any shape.
    Outputs:
        output: Same shape, float32.
    Example:
        >>> run("HalfToFloat", input=np.float16([1.5, -0.1]))
        output = [ 1.5        -0.09997559]
    """
    return input.astype(jnp.float32)


@half_to_float.gradient_maker
def _(g):
    return [g.define("FloatToHalf", [g.GO(0)], [g.GI(0)])]


@operator("Float16ConstantFill", outputs="output", gradient="none")
def float16_constant_fill(*, value: float = 0.0, shape: tuple[int, ...] = ()):
    """A blob of one value, in half precision.

    Args:
        value: What every element is.
        shape: Of the output.
    Outputs:
        output: float16.
    Example:
        >>> run("Float16ConstantFill", value=1.5, shape=[2])
        output = [1.5 1.5]
    """
    return jnp.full(shape, value, jnp.float16)


@operator("Float16UniformFill", outputs="output", gradient="none")
def float16_uniform_fill(*, shape: tuple[int, ...] = (), min: float = 0.0, max: float = 1.0, rng):
    """Draws from U(min, max), rounded to half precision.

    Args:
        shape: Of the output.
        min: The smallest possible value.
        max: The largest possible value.
    Outputs:
        output: float16.
    Example:
        >>> run("Float16UniformFill", shape=[2], min=2.0, max=2.0)
        output = [2. 2.]
    """
    return uniform(rng, shape, min, max).astype(jnp.float16)
