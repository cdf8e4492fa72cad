# SPDX-License-Identifier: Apache-2.0
"""Products, convolutions and pools over shapes that exercise every path of the inner loops."""

import numpy as np
import pytest
from onnx.reference import ReferenceEvaluator
from provider_under_test import NotRegistered, session
from reference import check, feeds_of, model_of, refused, run

RNG = np.random.default_rng(3)


def normal(*shape, dtype=np.float32):
    return RNG.standard_normal(shape).astype(dtype)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ((1, 1), (1, 1)),
        ((3, 5), (5, 7)),
        ((65, 130), (130, 33)),
        ((4,), (4,)),
        ((4,), (4, 6)),
        ((2, 3, 4), (4,)),
        ((2, 1, 3, 4), (5, 4, 2)),
        ((6, 7, 8), (8, 9)),
        ((3, 0), (0, 2)),
        ((1, 300), (300, 500)),
        ((0, 4), (4, 2)),
    ],
    ids=str,
)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32"])
@pytest.mark.parametrize("constant", [False, True])
def test_matmul(a, b, dtype, constant):
    x, y = (normal(*a) * 5).astype(dtype), (normal(*b) * 5).astype(dtype)
    check("MatMul", [x, y], constants=(1,) if constant else (), rtol=1e-4, atol=1e-3, expected=[np.matmul(x, y)])


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int32"])
@pytest.mark.parametrize("c", [(), (1,), (1, 1)], ids=str)
@pytest.mark.parametrize("constants", [(), (1,), (1, 2), (2,)], ids=str)
def test_gemm_of_one_column(dtype, c, constants):
    """A scalar C has as many elements as a row of one, and no dimensions to ask of."""
    a = np.array([[1, -2, 3, 0, 5]], dtype)
    inputs = [a, np.array([[2]], dtype), np.full(c, -3, dtype)]
    check("Gemm", inputs, transA=1, transB=1, constants=constants, expected=[(2 * a.T - 3).astype(dtype)])


@pytest.mark.parametrize("trans_a", [0, 1])
@pytest.mark.parametrize("trans_b", [0, 1])
@pytest.mark.parametrize("c", [None, (), (1,), (6,), (1, 6), (5, 1), (5, 6)], ids=str)
@pytest.mark.parametrize("beta", [1.0, 0.5])
def test_gemm(trans_a, trans_b, c, beta):
    a, b = normal(5, 9), normal(9, 6)
    inputs = [a.T.copy() if trans_a else a, b.T.copy() if trans_b else b] + ([] if c is None else [normal(*c)])
    want = 0.75 * (a @ b) + (beta * inputs[2] if c is not None else 0)
    for constants in ((), (1,)):
        check(
            "Gemm",
            inputs,
            transA=trans_a,
            transB=trans_b,
            alpha=0.75,
            beta=beta,
            constants=constants,
            rtol=1e-4,
            atol=1e-4,
            expected=[want.astype(np.float32)],
        )


CONVOLUTIONS = [
    # x, w, attributes
    ((1, 3, 17, 19), (8, 3, 3, 3), {"pads": [1, 1, 1, 1]}),
    ((2, 8, 9, 11), (16, 8, 1, 1), {}),
    ((1, 8, 9, 11), (16, 8, 1, 1), {"strides": [2, 2]}),
    ((1, 6, 14, 13), (6, 1, 3, 3), {"group": 6, "pads": [1, 1, 1, 1]}),
    ((2, 6, 14, 13), (6, 1, 5, 5), {"group": 6, "pads": [2, 1, 0, 3], "strides": [2, 2]}),
    ((1, 6, 14, 13), (12, 1, 3, 3), {"group": 6, "dilations": [2, 1]}),
    ((1, 8, 12, 12), (12, 4, 3, 3), {"group": 2, "strides": [2, 1], "dilations": [1, 2], "pads": [0, 1, 2, 3]}),
    ((2, 4, 30), (6, 4, 5), {"pads": [2, 2]}),
    ((1, 40, 64), (40, 1, 7), {"group": 40, "pads": [6, 0]}),
    ((1, 2, 6, 7, 8), (4, 2, 3, 3, 3), {"pads": [1, 1, 1, 1, 1, 1], "strides": [1, 2, 1]}),
    ((1, 3, 8, 8), (4, 3, 8, 8), {}),
    ((1, 3, 10, 10), (4, 3, 3, 3), {"auto_pad": "SAME_UPPER", "strides": [2, 2]}),
    ((1, 64, 28, 28), (64, 64, 3, 3), {"pads": [1, 1, 1, 1]}),
    ((1, 20, 13, 14), (24, 20, 3, 3), {"pads": [1, 1, 1, 1]}),
]


@pytest.mark.parametrize(("x", "w", "attributes"), CONVOLUTIONS, ids=lambda v: str(v))
@pytest.mark.parametrize("constant", [False, True])
def test_conv(x, w, attributes, constant):
    inputs = [normal(*x), normal(*w), normal(w[0])]
    check("Conv", inputs, constants=(1, 2) if constant else (), rtol=1e-4, atol=2e-4, **attributes)


def test_conv_refuses():
    refused("Conv", [normal(1, 3, 4, 4), normal(2, 2, 3, 3)], "")
    refused("Conv", [normal(1, 3, 2, 2), normal(2, 3, 3, 3)], "")
    refused("Conv", [normal(1, 3, 4, 4), normal(2, 3, 3, 3)], "", strides=[0, 1])
    refused("Conv", [normal(1, 3, 4, 4), normal(2, 3, 3, 3)], "", group=0)


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"strides": [2, 2], "pads": [1, 1, 1, 1], "output_padding": [1, 1]},
        {"group": 2, "strides": [3, 1]},
        {"dilations": [2, 2]},
        {"strides": [2, 2], "output_shape": [11, 13]},
    ],
    ids=str,
)
def test_conv_transpose(attributes):
    rest = dict(attributes)
    group = rest.pop("group", 1)
    x, w, bias = normal(2, 4, 5, 6), normal(4, 6 // group, 3, 3), normal(6)
    # The reference evaluator knows one group: each is computed by itself.
    parts = [
        ReferenceEvaluator(model_of("ConvTranspose", list(part), **rest)).run(None, feeds_of(part))[0]
        for part in zip(np.split(x, group, 1), np.split(w, group, 0), np.split(bias, group))
    ]
    check("ConvTranspose", [x, w, bias], rtol=1e-4, atol=1e-4, expected=[np.concatenate(parts, 1)], **attributes)


def pool_window(x, kernel, strides, pads, take):
    """take(window) over each window of a padded input; the end of a window may hang over (ceil mode)."""
    axes = len(kernel)
    wide = np.pad(x, [(0, 0), (0, 0)] + list(zip(pads[:axes], pads[axes:])), constant_values=np.nan)
    sizes = [(wide.shape[2 + i] - kernel[i]) // strides[i] + 1 for i in range(axes)]
    out = np.empty(x.shape[:2] + tuple(sizes), x.dtype)
    for place in np.ndindex(*sizes):
        window = wide[(slice(None),) * 2 + tuple(slice(p * s, p * s + k) for p, s, k in zip(place, strides, kernel))]
        out[(slice(None),) * 2 + place] = take(window, tuple(range(2, 2 + axes)))
    return out


@pytest.mark.parametrize(("op", "take"), [("MaxPool", np.nanmax), ("AveragePool", np.nanmean)])
@pytest.mark.parametrize(
    ("x", "kernel", "strides", "pads"),
    [
        ((2, 5, 13, 12), (3, 3), (2, 2), (1, 1, 1, 1)),
        ((1, 9, 20), (4,), (1,), (1, 2)),
        ((1, 2, 6, 6, 6), (2, 3, 2), (2, 1, 2), (0,) * 6),
        ((1, 17, 9, 9), (3, 2), (1, 3), (2, 0, 1, 1)),
        ((1, 33, 5, 5), (5, 5), (1, 1), (0,) * 4),
    ],
    ids=str,
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_pool(op, take, x, kernel, strides, pads, dtype):
    data = normal(*x, dtype=dtype)
    attributes = {"kernel_shape": kernel, "strides": strides, "pads": pads}
    want = pool_window(data, kernel, strides, pads, take)
    check(op, [data], rtol=1e-5, expected=[want], **attributes)
    if dtype == "float32":
        last = np.moveaxis(data, 1, -1).copy()
        check(
            op,
            [last],
            domain="com.ms.internal.nhwc",
            types=[1],
            rtol=1e-5,
            expected=[np.moveaxis(want, 1, -1)],
            **attributes,
        )


def test_pool_ceil_mode():
    x = normal(1, 3, 7, 7)
    for op in ("MaxPool", "AveragePool"):
        check(op, [x], kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1)


def test_pool_ceil_mode_windows_of_padding():
    """A window counts where it starts in the input or the padding before it."""
    x = np.array([[[1, 2, 3, 4]]], np.float32)
    for stride, pads, want in ((1, [1, 2], [2, 3, 4, 4, 4]), (2, [2, 2], [1, 3, 4])):
        expected = [np.array([[want]], np.float32)]
        check("MaxPool", [x], kernel_shape=[3], ceil_mode=1, pads=pads, strides=[stride], expected=expected)


@pytest.mark.parametrize(("op", "take"), [("GlobalAveragePool", np.mean), ("GlobalMaxPool", np.max)])
@pytest.mark.parametrize("shape", [(2, 3, 7, 7), (1, 70, 31), (1, 2, 3, 4, 5)], ids=str)
def test_global_pool(op, take, shape):
    x = normal(*shape)
    want = take(x, axis=tuple(range(2, x.ndim)), keepdims=True)
    check(op, [x], rtol=1e-4, atol=1e-6, expected=[want])
    check(
        op,
        [np.moveaxis(x, 1, -1).copy()],
        domain="com.ms.internal.nhwc",
        types=[1],
        rtol=1e-4,
        atol=1e-6,
        expected=[np.moveaxis(want, 1, -1)],
    )


@pytest.mark.parametrize(
    ("activation", "formula"),
    [
        ("Relu", lambda v: np.maximum(v, 0)),
        ("Clip", lambda v: np.clip(v, -0.5, 0.75)),
        ("Tanh", np.tanh),
        ("Silu", lambda v: v / (1 + np.exp(-v))),
    ],
)
def test_fused_matmul(activation, formula):
    a, b, bias, residual = normal(2, 5, 9), normal(9, 20), normal(20), normal(2, 5, 20)
    for after in (0, 1):
        product = a @ b + bias
        want = formula(product) + residual if after else formula(product + residual)
        for constants in ((), (1, 2)):
            check(
                "FusedMatMul",
                [a, b, bias, residual],
                domain="ortrun",
                activation=activation,
                activation_params=[-0.5, 0.75],
                residual_after=after,
                constants=constants,
                types=[1],
                rtol=1e-4,
                atol=1e-4,
                expected=[want.astype(np.float32)],
            )


@pytest.mark.parametrize(
    ("x", "w", "attributes"), [c for c in CONVOLUTIONS if "auto_pad" not in c[2]], ids=lambda v: str(v)
)
def test_channels_last_conv_agrees(x, w, attributes):
    """The channels-last form of our own domain against the standard's, with residual and activation."""
    data, weights, bias = normal(*x), normal(*w), normal(w[0])
    plain = run("Conv", [data, weights, bias], constants=(1, 2), **attributes)[0]
    extra = normal(*plain.shape)
    last = lambda v: np.moveaxis(v, 1, -1).copy()  # noqa: E731
    got = run(
        "FusedConv",
        [last(data), weights, bias, last(extra)],
        domain="com.ms.internal.nhwc",
        activation="Relu",
        constants=(1, 2),
        types=[1],
        **attributes,
    )[0]
    np.testing.assert_allclose(got, last(np.maximum(plain + extra, 0)), rtol=1e-4, atol=2e-4)


@pytest.mark.parametrize(
    ("equation", "shapes"),
    [
        ("ij,jk->ik", [(3, 4), (4, 5)]),
        ("ij->ji", [(3, 4)]),
        ("ij->", [(3, 4)]),
        ("ii->i", [(4, 4)]),
        ("ii", [(4, 4)]),
        ("bij,bjk->bik", [(2, 3, 4), (2, 4, 5)]),
        ("...ij,...jk->...ik", [(2, 1, 3, 4), (5, 4, 6)]),
        ("bhqd,bhkd->bhqk", [(2, 3, 4, 5), (2, 3, 6, 5)]),
        ("i,j->ij", [(3,), (4,)]),
        ("i,i", [(3,), (3,)]),
        ("ij,jk,kl->il", [(2, 3), (3, 4), (4, 5)]),
        ("ab,cb,db->acd", [(2, 7), (3, 7), (4, 7)]),
        ("...->...", [(2, 3)]),
        ("i...->...", [(2, 3)]),
        ("Ab , bA->A", [(2, 3), (3, 2)]),
        ("ij,jk", [(0, 3), (3, 2)]),
        ("ij,jk->ik", [(3, 0), (0, 2)]),
        ("iij,jk->ki", [(3, 3, 4), (4, 5)]),
        (",i->i", [(), (3,)]),
    ],
    ids=str,
)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
def test_einsum(equation, shapes, dtype):
    inputs = [(normal(*shape) * 4).astype(dtype) for shape in shapes]
    want = np.asarray(np.einsum(equation, *inputs)).astype(dtype)
    check("Einsum", inputs, equation=equation, rtol=1e-4, atol=1e-4, expected=[want])


def test_einsum_broadcasts_one():
    a, b = normal(1, 4), normal(3, 4)
    check("Einsum", [a, b], equation="ij,ij->ij", expected=[a * b])


def test_einsum_refuses():
    a, b = normal(3, 4), normal(4, 5)
    for equation, match in (
        ("ij->ij", "operand"),
        ("ij,ik->jk", "axis 0|dimension"),
        ("ij,jk->iz", "label|term"),
        ("ij,jk->ii", "twice|label"),
        ("i?,jk->ik", "letter|ellipsis|[?]"),
        ("ijk,jk->ik", "rank|label"),
    ):
        refused("Einsum", [a, b], match, equation=equation)


@pytest.mark.parametrize("shape", [(3, 3), (2, 4, 1, 1), (5, 6, 6), (2, 0, 0)], ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_det(shape, dtype):
    x = normal(*shape).astype(dtype)
    check("Det", [x], rtol=1e-4, atol=1e-5, expected=[np.linalg.det(x).astype(dtype)])


def test_det_refuses():
    refused("Det", [normal(3, 4)], "square")


def losses(log_prob, target, weight, ignored, reduction):
    factor = np.where(
        target == ignored, 0, 1.0 if weight is None else weight[np.clip(target, 0, log_prob.shape[1] - 1)]
    )
    chosen = np.take_along_axis(log_prob, np.expand_dims(np.clip(target, 0, log_prob.shape[1] - 1), 1), 1)[:, 0]
    loss = -chosen * factor
    return loss if reduction == "none" else loss.sum() if reduction == "sum" else loss.sum() / factor.sum()


@pytest.mark.parametrize("op", ["NegativeLogLikelihoodLoss", "SoftmaxCrossEntropyLoss"])
@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
@pytest.mark.parametrize("shape", [(4, 5), (2, 3, 7), (2, 3, 4, 5)], ids=str)
@pytest.mark.parametrize("weighted", [False, True])
def test_losses(op, reduction, shape, weighted):
    x = normal(*shape)
    target = RNG.integers(0, shape[1], (shape[0], *shape[2:]))
    target.flat[0] = -7
    weight = np.abs(normal(shape[1])) if weighted else None
    wide = x.astype(np.float64)
    log_prob = wide - np.log(np.exp(wide).sum(1, keepdims=True)) if op.startswith("Soft") else wide
    want = [np.float32(losses(log_prob, target, weight, -7, reduction)), log_prob.astype(np.float32)]
    outputs = 2 if op.startswith("Soft") else 1
    check(
        op,
        [x, target] + ([weight] if weighted else []),
        outputs=outputs,
        opset=13,
        reduction=reduction,
        ignore_index=-7,
        rtol=1e-4,
        atol=1e-5,
        expected=want[:outputs],
    )


@pytest.mark.parametrize("weights", [2, 3, 5])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_losses_with_weights_for_the_targets(weights, dtype):
    """Classes that no target names need no weight, and weights of no class are not read."""
    x, target = normal(3, 4).astype(dtype), np.array([1, 0, 3])
    weight = np.arange(2, 2 + weights).astype(dtype)
    want = -(x[0, 1] * weight[1] + x[1, 0] * weight[0]) / (weight[0] + weight[1])
    check(
        "NegativeLogLikelihoodLoss",
        [x, target, weight],
        ignore_index=3,
        rtol=1e-5,
        expected=[np.array(want, dtype)],
    )


def test_losses_refuse():
    x = normal(2, 3)
    refused("NegativeLogLikelihoodLoss", [x, np.array([0, 3])], "target 3 is none of the 3 classes")
    refused("NegativeLogLikelihoodLoss", [x, np.array([0, -1])], "target -1")
    refused("SoftmaxCrossEntropyLoss", [x, np.array([0, 2]), normal(2)], "target 2 has none of the 2 weights")
    refused("SoftmaxCrossEntropyLoss", [x, np.array([0, 1]), normal(3, 1)], "3 classes")
    refused("SoftmaxCrossEntropyLoss", [x, np.array([0, 1])], "most", reduction="most")


def test_max_unpool():
    x = np.array([[[[1, 2], [3, 4]]]], np.float32)
    indices = np.array([[[[5, 7], [13, 15]]]], np.int64)
    want = np.zeros((1, 1, 4, 4), np.float32)
    want.reshape(-1)[indices.reshape(-1)] = x.reshape(-1)
    check("MaxUnpool", [x, indices], kernel_shape=[2, 2], strides=[2, 2], expected=[want])
    wider = np.pad(want, ((0, 0), (0, 0), (0, 1), (0, 1)))
    check("MaxUnpool", [x, indices, np.array([1, 1, 5, 5])], kernel_shape=[2, 2], strides=[2, 2], expected=[wider])
    refused("MaxUnpool", [x, indices + 1], "index 16 lies outside", kernel_shape=[2, 2], strides=[2, 2])
    refused("MaxUnpool", [x, indices - 6], "index -1 lies outside", kernel_shape=[2, 2], strides=[2, 2])
    refused("MaxUnpool", [x, indices[..., :1]], "shape", kernel_shape=[2, 2], strides=[2, 2])


def test_max_roi_pool():
    x = normal(2, 3, 8, 9)
    rois = np.array([[0, 0, 0, 7, 7], [1, 2, 1, 5, 6]], np.float32)
    want = np.empty((2, 3, 2, 2), np.float32)
    for i, (image, x1, y1, x2, y2) in enumerate(rois.astype(int)):
        height, width = (y2 - y1 + 1) / 2, (x2 - x1 + 1) / 2
        for r, c in np.ndindex(2, 2):
            rows = slice(y1 + int(np.floor(r * height)), y1 + int(np.ceil((r + 1) * height)))
            columns = slice(x1 + int(np.floor(c * width)), x1 + int(np.ceil((c + 1) * width)))
            want[i, :, r, c] = x[image, :, rows, columns].max((1, 2))
    check("MaxRoiPool", [x, rois], pooled_shape=[2, 2], expected=[want])
    refused("MaxRoiPool", [x, rois + 1], "image 2 of 2", pooled_shape=[2, 2])
    refused("MaxRoiPool", [x, np.full((1, 5), np.nan, np.float32)], "region", pooled_shape=[2, 2])


def test_channels_last_conv_of_any_image_size():
    """One session meets images for which the inner loops want the weights in different forms."""
    weights, bias = normal(24, 20, 3, 3), normal(24)
    model = model_of(
        "Conv",
        [normal(1, 30, 30, 20), weights, bias],
        domain="com.ms.internal.nhwc",
        constants=(1, 2),
        types=[1],
        pads=[1, 1, 1, 1],
    )
    for axis, name in enumerate(["batch", "height", "width"]):
        model.graph.input[0].type.tensor_type.shape.dim[axis].dim_param = name
    try:
        runner = session(model.SerializeToString())
    except NotRegistered as reason:
        pytest.skip(f"not selected: {reason}")
    for batch, height, width in [(1, 30, 30), (1, 13, 14), (1, 3, 3), (5, 12, 9), (1, 30, 30)]:
        image = normal(batch, 20, height, width)
        plain = run("Conv", [image, weights, bias], constants=(1, 2), pads=[1, 1, 1, 1])[0]
        got = runner.run(None, {"x0": np.moveaxis(image, 1, -1).copy()})[0]
        np.testing.assert_allclose(got, np.moveaxis(plain, 1, -1), rtol=1e-4, atol=2e-4)
