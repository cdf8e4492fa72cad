# SPDX-License-Identifier: Apache-2.0
"""Fused products in every type that a provider registers them for: each attribute and input counts in each type."""

import itertools

import ml_dtypes
import numpy as np
import pytest
from onnx import helper
from reference import check, refused, run

FLOATS = {"float32": 1e-4, "float64": 1e-12, "float16": 1e-2, "bfloat16": 8e-2}
INTEGERS = ("int32", "int64", "uint32", "uint64")
RNG = np.random.default_rng(11)


def draw(kind, *shape):
    if kind in INTEGERS:
        return RNG.integers(0 if kind[0] == "u" else -5, 6, shape).astype(kind)
    return RNG.uniform(-1, 1, shape).astype(getattr(ml_dtypes, kind) if kind == "bfloat16" else kind)


def wide(x):
    return x.astype(np.float64) if x.dtype.kind not in "iu" else x


ACTIVATIONS = {
    "": ([], lambda v: v),
    "Relu": ([], lambda v: np.maximum(v, 0)),
    "Clip": ([-1.0, 2.0], lambda v: np.clip(v, -1, 2) if v.dtype.kind != "u" else np.minimum(v, 2)),
    "LeakyRelu": ([0.25], lambda v: np.where(v < 0, 0.25 * v, v)),
    "Sigmoid": ([], lambda v: 1 / (1 + np.exp(-v))),
    "Tanh": ([], np.tanh),
    "HardSigmoid": ([0.25, 0.5], lambda v: np.clip(0.25 * v + 0.5, 0, 1)),
    "HardSwish": ([], lambda v: v * np.clip(v / 6 + 0.5, 0, 1)),
    "Silu": ([], lambda v: v / (1 + np.exp(-v))),
    "Gelu": ([], lambda v: v * (1 + np.vectorize(__import__("math").erf)(v / 2**0.5)) / 2),
    "GeluTanh": ([], lambda v: v * (1 + np.tanh((2 / np.pi) ** 0.5 * (v + 0.044715 * v**3))) / 2),
}


def compare(op, inputs, want, kind, **attributes):
    want = want.astype(inputs[0].dtype)
    tolerance = FLOATS.get(kind, 0)
    check(op, inputs, expected=[want], rtol=tolerance, atol=tolerance, **attributes)


@pytest.mark.parametrize("kind", [*FLOATS, *INTEGERS])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_fused_matmul(kind, name):
    if kind in INTEGERS and name not in ("", "Relu", "Clip"):
        return refused(
            "FusedMatMul",
            [draw(kind, 2, 3), draw(kind, 3, 2)],
            "activation",
            domain="ortrun",
            activation=name,
            activation_params=ACTIVATIONS[name][0] or [0.0],
        )
    parameters, formula = ACTIVATIONS[name]
    a, b, bias, residual = draw(kind, 2, 5, 7), draw(kind, 7, 6), draw(kind, 6), draw(kind, 2, 5, 6)
    for after, with_bias, with_residual in itertools.product((0, 1), repeat=3):
        v = wide(a) @ wide(b)
        if with_bias:
            v = v + wide(bias)
        if with_residual and not after:
            v = v + wide(residual)
        v = formula(v)
        if with_residual and after:
            v = v + wide(residual)
        inputs = [a, b, bias if with_bias else None, residual if with_residual else None]
        while inputs[-1] is None:
            inputs.pop()
        more = {"activation_params": parameters} if parameters else {}
        for constants in ((), (1,)):
            compare(
                "FusedMatMul",
                inputs,
                v,
                kind,
                domain="ortrun",
                activation=name,
                residual_after=after,
                constants=constants,
                **more,
            )
    return None


@pytest.mark.parametrize("kind", [*FLOATS, *INTEGERS])
@pytest.mark.parametrize(("trans_a", "trans_b"), itertools.product((0, 1), repeat=2))
def test_fused_matmul_scales_and_transposes(kind, trans_a, trans_b):
    a, b = draw(kind, 2, 3, 5, 7), draw(kind, 3, 7, 4)
    inputs = [a.swapaxes(-1, -2).copy() if trans_a else a, b.swapaxes(-1, -2).copy() if trans_b else b]
    for alpha in (1.0, 2.0, 0.5):
        v = wide(a) @ wide(b)
        if kind in INTEGERS:
            v = np.trunc(v.astype(np.float64) * alpha)
        else:
            v = v * alpha
        compare("FusedMatMul", inputs, v, kind, domain="ortrun", transA=trans_a, transB=trans_b, alpha=alpha)


@pytest.mark.parametrize("kind", FLOATS)
@pytest.mark.parametrize(
    ("batch_a", "batch_b", "trans_a", "trans_b"), [c for c in itertools.product((0, 1), repeat=4) if c[0] or c[1]]
)
def test_fused_matmul_moves_the_first_axis(kind, batch_a, batch_b, trans_a, trans_b):
    """transBatchA: [M, batch.., K] stands for [batch.., M, K]; only then transA is seen to."""
    a, b = draw(kind, 2, 3, 5, 7), draw(kind, 2, 3, 7, 4)
    want = 0.5 * (wide(a) @ wide(b))

    def stored(x, transposed, moved):
        x = x.swapaxes(-1, -2) if transposed else x
        return np.moveaxis(x, -2, 0).copy() if moved else x.copy()

    inputs = [stored(a, trans_a, batch_a), stored(b, trans_b, batch_b)]
    for constants in ((), (1,)):
        compare(
            "FusedMatMul",
            inputs,
            want,
            kind,
            domain="com.microsoft",
            constants=constants,
            alpha=0.5,
            transA=trans_a,
            transB=trans_b,
            transBatchA=batch_a,
            transBatchB=batch_b,
        )


@pytest.mark.parametrize("kind", ["float32", "float64", "float16", *INTEGERS])
@pytest.mark.parametrize("name", ["Relu", "LeakyRelu", "Sigmoid", "Tanh"])
@pytest.mark.parametrize("c", [None, (), (6,), (1, 6), (5, 1), (5, 6)], ids=str)
def test_fused_gemm(kind, name, c):
    if kind in INTEGERS and name != "Relu":
        return
    parameters, formula = ACTIVATIONS[name]
    a, b = draw(kind, 5, 9), draw(kind, 9, 6)
    inputs = [a.T.copy(), b] + ([] if c is None else [draw(kind, *c)])
    alpha, beta = (3.0, 2.0) if kind in INTEGERS else (0.75, 0.5)
    v = wide(a) @ wide(b) * (int(alpha) if kind in INTEGERS else alpha)
    if c is not None:
        v = v + wide(inputs[2]) * (int(beta) if kind in INTEGERS else beta)
    more = {"activation_alpha": parameters[0]} if parameters else {}
    compare(
        "FusedGemm",
        inputs,
        formula(v),
        kind,
        domain="com.microsoft",
        transA=1,
        alpha=alpha,
        beta=beta,
        activation=name,
        **more,
    )


@pytest.mark.parametrize("kind", ["int64", "uint64", "int32", "uint32"])
def test_integers_wrap(kind):
    ends = np.iinfo(kind)
    a, b = np.full((1, 2), ends.max, kind), np.array([[3], [5]], kind)
    with np.errstate(all="ignore"):
        want = (a @ b) * np.array(3, kind) + np.array([ends.max], kind)
    check(
        "FusedMatMul", [a, b, np.array([ends.max], kind)], expected=[want], rtol=0, atol=0, domain="ortrun", alpha=3.0
    )
    check("Gemm", [a, b, np.array([ends.max], kind)], expected=[want], rtol=0, atol=0, alpha=3.0)


@pytest.mark.parametrize("kind", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize("simplified", [False, True])
@pytest.mark.parametrize(("beta", "bias", "batch"), itertools.product((0, 1), (0, 1), (0, 1)))
def test_skip_normalization(kind, simplified, beta, bias, batch):
    """output, mean, 1 / standard deviation, and the sum; the skip may lack the batch."""
    x, skip = draw(kind, 2, 3, 17), draw(kind, *((2,) if batch else ()), 3, 17)
    gamma, shift, added = draw(kind, 17), draw(kind, 17), draw(kind, 17)
    inputs = [x, skip, gamma]
    if not simplified:
        inputs.append(shift if beta else None)
    inputs.append(added if bias else None)
    while inputs[-1] is None:
        inputs.pop()
    total = wide(x) + wide(skip) + (wide(added) if bias else 0)
    mean = np.zeros((2, 3, 1)) if simplified else total.mean(-1, keepdims=True)
    inverse = 1 / np.sqrt(((total - mean) ** 2).mean(-1, keepdims=True) + 0.125)
    want = (total - mean) * inverse * wide(gamma)
    if beta and not simplified:
        want = want + wide(shift)
    got = run(
        "SkipSimplifiedLayerNormalization" if simplified else "SkipLayerNormalization",
        inputs,
        outputs=4,
        domain="com.microsoft",
        epsilon=0.125,
        types=[helper.np_dtype_to_tensor_dtype(x.dtype), 1, 1, helper.np_dtype_to_tensor_dtype(x.dtype)],
    )
    for one, other in zip(got, (want, mean, inverse, total)):
        if simplified and other is mean:
            continue  # there is none
        np.testing.assert_allclose(wide(one), other, rtol=FLOATS[kind], atol=FLOATS[kind])


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("with_residual", [0, 1])
def test_fused_conv(name, with_residual):
    parameters, formula = ACTIVATIONS[name]
    x, w, b, z = (draw("float32", *shape) for shape in ((2, 3, 5, 6), (4, 3, 1, 1), (4,), (2, 4, 5, 6)))
    v = np.einsum("nchw,oc->nohw", wide(x), wide(w[:, :, 0, 0])) + wide(b)[:, None, None]
    more = {"activation": name, "activation_params": parameters or [0.0]} if name else {}
    compare(
        "FusedConv",
        [x, w, b] + [z] * with_residual,
        formula(v + wide(z) if with_residual else v),
        "float32",
        domain="com.microsoft",
        constants=(1, 2),
        **more,
    )
