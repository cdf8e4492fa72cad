# SPDX-License-Identifier: Apache-2.0
"""Attention and rotary embeddings over shapes that exercise every path of the loops."""

import numpy as np
import pytest
from reference import check, refused, run

RNG = np.random.default_rng(7)
MICROSOFT = "com.microsoft"


def normal(*shape, dtype=np.float32):
    return RNG.standard_normal(shape).astype(dtype)


def operands(batch, heads, kv_heads, queries, keys, size, value_size=None, dtype=np.float32):
    return [
        normal(batch, heads, queries, size, dtype=dtype),
        normal(batch, kv_heads, keys, size, dtype=dtype),
        normal(batch, kv_heads, keys, value_size or size, dtype=dtype),
    ]


def flat(x):
    """[batch, heads, rows, size] as [batch, rows, heads * size]."""
    return x.transpose(0, 2, 1, 3).reshape(x.shape[0], x.shape[2], -1).copy()


def softmax(x):
    largest = x.max(-1, keepdims=True)
    weights = np.exp(x - np.where(np.isneginf(largest), 0, largest))
    total = weights.sum(-1, keepdims=True)
    return weights / np.where(total == 0, 1, total)


def attention(q, k, v, bias=0.0, scale=None, softcap=0.0):
    """The formula in double, for heads that are laid out [batch, heads, rows, size]."""
    q, k, v = (x.astype(np.float64) for x in (q, k, v))
    group = q.shape[1] // k.shape[1]
    k, v = np.repeat(k, group, 1), np.repeat(v, group, 1)
    scale = 1 / np.sqrt(q.shape[-1]) if scale is None else scale
    scores = scale * q @ k.swapaxes(-1, -2)
    if softcap:
        scores = softcap * np.tanh(scores / softcap)
    return (softmax(scores + bias) @ v).astype(np.float32)


def causal(queries, keys, past=0):
    return np.where(np.arange(keys) <= np.arange(queries)[:, None] + past, 0.0, -np.inf)


LENGTHS = [
    (1, 1),
    (1, 130),
    (1, 900),
    (6, 200),
    (7, 7),
    (64, 64),
    (130, 33),
    (130, 130),
    (200, 200),
    (9, 1000),
    (80, 401),
]


@pytest.mark.parametrize(("queries", "keys"), LENGTHS)
@pytest.mark.parametrize(("size", "value_size"), [(8, 8), (64, 64), (80, 48), (3, 5)])
@pytest.mark.parametrize(("heads", "kv_heads"), [(3, 3), (4, 2)])
def test_lengths(queries, keys, size, value_size, heads, kv_heads):
    inputs = operands(2, heads, kv_heads, queries, keys, size, value_size)
    want = attention(*inputs)
    check("Attention", inputs, opset=23, rtol=1e-4, atol=1e-5, expected=[want])
    check(
        "Attention",
        [flat(x) for x in inputs],
        opset=23,
        q_num_heads=heads,
        kv_num_heads=kv_heads,
        rtol=1e-4,
        atol=1e-5,
        expected=[flat(want)],
    )


@pytest.mark.parametrize(("queries", "keys"), LENGTHS)
@pytest.mark.parametrize(("heads", "kv_heads"), [(2, 2), (6, 2)])
def test_causal(queries, keys, heads, kv_heads):
    inputs = operands(1, heads, kv_heads, queries, keys, 16)
    check("Attention", inputs, opset=23, is_causal=1, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "shape",
    [(200,), (90, 200), (1, 200), (3, 90, 200), (3, 1, 200), (2, 1, 1, 200), (1, 3, 90, 200), (2, 3, 90, 200)],
    ids=str,
)
@pytest.mark.parametrize("boolean", [False, True])
@pytest.mark.parametrize("is_causal", [0, 1])
@pytest.mark.parametrize("softcap", [0.0, 3.0])
def test_masks(shape, boolean, is_causal, softcap):
    mask = RNG.random(shape) > 0.3 if boolean else normal(*shape)
    if not boolean:
        mask[RNG.random(shape) < 0.2] = -np.inf
    q, k, v = operands(2, 3, 3, 90, 200, 24)
    added = np.where(mask, 0, -np.inf) if boolean else mask
    want = attention(q, k, v, added + (causal(90, 200) if is_causal else 0), softcap=softcap)
    check(
        "Attention",
        [q, k, v, mask],
        opset=23,
        is_causal=is_causal,
        softcap=softcap,
        rtol=1e-4,
        atol=1e-5,
        expected=[want],
    )


def test_mask_of_one_key_repeats_or_ends():
    inputs = operands(1, 2, 2, 9, 20, 8)
    column = normal(9, 1)
    check("Attention", [*inputs, column], opset=23, rtol=1e-4, atol=1e-5, expected=[attention(*inputs)])
    first = np.repeat(inputs[2][:, :, :1], 9, axis=2)
    check("Attention", [*inputs, column], opset=24, rtol=1e-4, atol=1e-5, expected=[first])


@pytest.mark.parametrize("boolean", [False, True])
def test_shorter_mask(boolean):
    mask = RNG.random((9, 13)) > 0.2 if boolean else normal(9, 13)
    check("Attention", [*operands(2, 2, 2, 9, 20, 8), mask], opset=24, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("queries", "keys"), [(5, 11), (80, 500)])
@pytest.mark.parametrize("boolean", [False, True])
def test_masked_rows_are_zeros(queries, keys, boolean):
    mask = np.ones((queries, keys), bool)
    mask[1] = mask[queries - 1] = False
    mask[2, : keys - 3] = False
    if not boolean:
        mask = np.where(mask, np.float32(0), np.float32(-np.inf))
    inputs = [*operands(1, 2, 2, queries, keys, 8), mask]
    got = run("Attention", inputs, opset=23)[0]
    assert not got[:, :, [1, queries - 1]].any()
    check("Attention", inputs, opset=23, rtol=1e-4, atol=1e-5)


def test_large_scores_do_not_overflow():
    q, k, v = operands(1, 2, 2, 70, 800, 16)
    check("Attention", [q * 60, k * 60, v], opset=23, rtol=1e-2, atol=5e-3, expected=[attention(q * 60, k * 60, v)])


def test_nan_reaches_only_its_rows():
    q, k, v = operands(1, 1, 1, 10, 20, 8)
    q[0, 0, 3] = np.nan
    got = run("Attention", [q, k, v], opset=23)[0]
    assert np.isnan(got[0, 0, 3]).all() and not np.isnan(np.delete(got, 3, axis=2)).any()


@pytest.mark.parametrize(("queries", "past"), [(1, 0), (1, 37), (1, 500), (4, 100), (70, 390)])
@pytest.mark.parametrize(("heads", "kv_heads"), [(2, 2), (8, 2)])
@pytest.mark.parametrize("three", [False, True])
def test_past(queries, past, heads, kv_heads, three):
    q, k, v = operands(2, heads, kv_heads, queries, queries, 16, 24)
    past_key, past_value = normal(2, kv_heads, past, 16), normal(2, kv_heads, past, 24)
    keys, values = np.concatenate((past_key, k), 2), np.concatenate((past_value, v), 2)
    want = attention(q, keys, values, causal(queries, past + queries, past))
    attributes = {"q_num_heads": heads, "kv_num_heads": kv_heads} if three else {}
    fresh = [flat(x) for x in (q, k, v)] if three else [q, k, v]
    expected = [flat(want) if three else want, keys, values]
    for outputs in (1, 3):
        check(
            "Attention",
            [*fresh, None, past_key, past_value],
            outputs=outputs,
            opset=23,
            is_causal=1,
            rtol=1e-4,
            atol=1e-5,
            expected=expected[:outputs],
            **attributes,
        )


def test_past_of_half_and_double():
    for dtype, tolerance in [(np.float16, 2e-3), (np.float64, 1e-6)]:
        q, k, v = operands(2, 4, 2, 3, 3, 16, dtype=dtype)
        past = [normal(2, 2, 20, 16, dtype=dtype), normal(2, 2, 20, 16, dtype=dtype)]
        keys, values = np.concatenate((past[0], k), 2), np.concatenate((past[1], v), 2)
        got = run("Attention", [q, k, v, None, *past], outputs=3, opset=23)
        np.testing.assert_allclose(got[0], attention(q, keys, values), rtol=tolerance, atol=tolerance)
        assert (got[1] == keys).all() and (got[2] == values).all()


@pytest.mark.parametrize("queries", [1, 6, 40])
@pytest.mark.parametrize("is_causal", [0, 1])
@pytest.mark.parametrize("masked", [False, True])
def test_nonpad(queries, is_causal, masked):
    mask = normal(queries, 60) if masked else None
    valid = np.array([60, 13, 0], np.int64)
    inputs = [*operands(3, 4, 2, queries, 60, 8), mask, None, None, valid]
    check("Attention", inputs, opset=24, is_causal=is_causal, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("left", "right"), [(0, 0), (5, -1), (-1, 7), (20, 3), (2**62, 2**62)])
@pytest.mark.parametrize(("queries", "keys", "past"), [(40, 40, 0), (90, 900, 0), (3, 3, 500), (100, 100, 700)])
@pytest.mark.parametrize("is_causal", [0, 1])
def test_windows(left, right, queries, keys, past, is_causal):
    q, k, v = operands(1, 4, 2, queries, keys, 8)
    cache = [normal(1, 2, past, 8), normal(1, 2, past, 8)] if past else [None, None]
    check(
        "Attention",
        [q, k, v, None, *cache],
        opset=25,
        left_window_size=left,
        right_window_size=right,
        is_causal=is_causal,
        rtol=1e-4,
        atol=1e-5,
    )


@pytest.mark.parametrize("mode", [0, 1, 2, 3])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_scores(mode, dtype):
    q, k, v = operands(2, 4, 2, 9, 21, 8, dtype=dtype)
    mask = np.where(RNG.random((9, 21)) > 0.3, normal(9, 21), -np.inf).astype(dtype)
    product = np.repeat(k, 2, 1).swapaxes(-1, -2)
    product = q @ product / np.sqrt(8).astype(dtype)
    capped = 2 * np.tanh(product / 2)
    stages = [product, capped, capped + mask, softmax(capped + mask)]
    want = stages[3] @ np.repeat(v, 2, 1)
    results = run("Attention", [q, k, v, mask], outputs=4, opset=23, softcap=2.0, qk_matmul_output_mode=mode)
    for expected, got in zip([want, k, v, stages[mode]], results):
        assert got.dtype == dtype
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("queries", "keys"), [(1, 1), (1, 90), (70, 130)])
def test_types(queries, keys):
    wide = operands(1, 4, 2, queries, keys, 32, dtype=np.float64)
    check("Attention", wide, opset=23, is_causal=1, rtol=1e-6, atol=1e-9)
    half = [x.astype(np.float16) for x in wide]
    want = attention(*half, causal(queries, keys)).astype(np.float16)
    check("Attention", half, opset=23, is_causal=1, rtol=2e-3, atol=2e-3, expected=[want])
    for precision in (1, 10, 11):
        check(
            "Attention", half, opset=23, is_causal=1, softmax_precision=precision, rtol=2e-3, atol=2e-3, expected=[want]
        )


def test_empty():
    past = [normal(2, 2, 3, 8), normal(2, 2, 3, 8)]
    got = run("Attention", [*operands(2, 2, 2, 0, 4, 8), None, *past], opset=23, outputs=3)
    assert (got[1][:, :, :3] == past[0]).all() and (got[2][:, :, :3] == past[1]).all()
    for batch, queries, keys in [(0, 3, 4), (1, 0, 4)]:
        inputs = operands(batch, 2, 2, queries, keys, 8)
        assert run("Attention", inputs, opset=23)[0].shape == (batch, 2, queries, 8)
    got = run("Attention", operands(1, 2, 2, 3, 0, 8), opset=23)[0]
    assert got.shape == (1, 2, 3, 8) and not got.any()


def test_attention_refuses():
    q, k, v = operands(2, 4, 2, 5, 6, 8)
    refused("Attention", [q, k[:1], v], "different batches", opset=23)
    refused("Attention", [q, normal(2, 3, 6, 8), normal(2, 3, 6, 8)], "no multiple", opset=23)
    refused("Attention", [q, normal(2, 2, 6, 7), v], "head size", opset=23)
    refused("Attention", [q, k, normal(2, 2, 7, 8)], "rows", opset=23)
    refused("Attention", [q, k, normal(2, 4, 6, 8)], "heads", opset=23)
    refused("Attention", [flat(q), flat(k), flat(v)], "q_num_heads", opset=23)
    refused(
        "Attention", [flat(q), flat(k), flat(v)], "no multiple of q_num_heads", opset=23, q_num_heads=5, kv_num_heads=2
    )
    refused("Attention", [flat(q), k, v], "3 or all have 4", opset=23, q_num_heads=4, kv_num_heads=2)
    refused("Attention", [q, k, v, normal(4, 6)], "does not broadcast", opset=23)
    refused("Attention", [q, k, v, normal(5, 7)], "covers 7 keys", opset=23)
    refused("Attention", [q, k, v, None, normal(2, 2, 3, 8)], "together", opset=23)
    refused("Attention", [q, k, v, None, normal(2, 2, 3, 8), normal(2, 2, 4, 8)], "past_value must have", opset=23)
    refused("Attention", [q, k, v, None, None, None, np.array([3, 7], np.int64)], "outside", opset=24)
    refused("Attention", [q, k, v, None, None, None, np.array([-1, 6], np.int64)], "outside", opset=24)
    refused("Attention", [q, k, v, None, None, None, np.array([3], np.int64)], "nonpad_kv_seqlen must have", opset=24)
    refused("Attention", [q, k, v], "qk_matmul_output_mode", opset=23, qk_matmul_output_mode=4)
    refused("Attention", [q, k, v], "softcap", opset=23, softcap=-1.0)


def multi_head(inputs, heads, bias=0.0, scale=None):
    """The formula on queries, keys and values that are [batch, rows, heads * size]."""
    split = [x.reshape(x.shape[0], x.shape[1], heads, -1).transpose(0, 2, 1, 3) for x in inputs]
    return flat(attention(*split, bias, scale))


@pytest.mark.parametrize(("queries", "keys"), [(1, 1), (1, 40), (50, 50), (7, 300)])
@pytest.mark.parametrize("options", ["", "bias", "scale", "unidirectional", "attention_bias", "padding"])
def test_multi_head_attention(queries, keys, options):
    heads, q, k, v = 4, normal(2, queries, 64), normal(2, keys, 64), normal(2, keys, 32)
    inputs, attributes, added, scale = [q, k, v], {"num_heads": heads}, 0.0, None
    if options == "bias":
        inputs.append(normal(160))
        q, k, v = (x + b for x, b in zip((q, k, v), np.split(inputs[3], [64, 128])))
    if options == "scale":
        attributes["scale"] = scale = 0.3
    if options == "unidirectional":
        attributes["unidirectional"], added = 1, causal(queries, keys)
    if options == "attention_bias":
        added = normal(1, 4, queries, keys)
        inputs += [None, None, added]
    want = lambda more=0.0: [multi_head((q, k, v), heads, added + more, scale)]  # noqa: E731
    if options == "padding":
        lengths = np.array([keys, (keys + 1) // 2], np.int32)
        kept = np.arange(keys) < lengths[:, None]
        by_query = np.repeat(kept[:, None], queries, 1)
        for mask in (lengths, kept.astype(np.int32), by_query.astype(np.int32)):
            check(
                "MultiHeadAttention",
                [*inputs, None, mask],
                domain=MICROSOFT,
                rtol=1e-4,
                atol=1e-5,
                expected=want(np.where(kept, 0, -1e4)[:, None, None]),
                **attributes,
            )
        return
    check("MultiHeadAttention", inputs, domain=MICROSOFT, rtol=1e-4, atol=1e-5, expected=want(), **attributes)


@pytest.mark.parametrize(("queries", "past"), [(1, 60), (20, 33)])
def test_multi_head_attention_past(queries, past):
    q, k, v = normal(2, queries, 48), normal(2, queries, 48), normal(2, queries, 48)
    past_key, past_value = normal(2, 3, past, 16), normal(2, 3, past, 16)
    heads = [x.reshape(2, queries, 3, 16).transpose(0, 2, 1, 3) for x in (q, k, v)]
    keys, values = np.concatenate((past_key, heads[1]), 2), np.concatenate((past_value, heads[2]), 2)
    want = flat(attention(heads[0], keys, values, causal(queries, past + queries, past)))
    check(
        "MultiHeadAttention",
        [q, k, v, None, None, None, past_key, past_value],
        outputs=3,
        domain=MICROSOFT,
        num_heads=3,
        unidirectional=1,
        rtol=1e-4,
        atol=1e-5,
        expected=[want, keys, values],
    )


@pytest.mark.parametrize("biased", [False, True])
def test_multi_head_attention_packed(biased):
    q, k, v = normal(2, 9, 3, 16), normal(2, 9, 3, 16), normal(2, 9, 3, 16)
    bias = normal(3, 3, 16) if biased else np.zeros((3, 3, 16), np.float32)
    want = multi_head([(x + b).reshape(2, 9, 48) for x, b in zip((q, k, v), bias)], 3)
    rest = [bias.reshape(-1)] if biased else []
    common = {"domain": MICROSOFT, "num_heads": 3, "rtol": 1e-4, "atol": 1e-5, "expected": [want]}
    check("MultiHeadAttention", [np.stack((q, k, v), 3), None, None, *rest], **common)
    check("MultiHeadAttention", [q.reshape(2, 9, 48), np.stack((k, v), 3), None, *rest], **common)
    by_head = [(x + b).transpose(0, 2, 1, 3).copy() for x, b in zip((k, v), bias[1:])]
    check("MultiHeadAttention", [q.reshape(2, 9, 48), *by_head, *rest], **common)


def test_multi_head_attention_refuses():
    q, k, v = normal(2, 5, 48), normal(2, 6, 48), normal(2, 6, 48)
    options = {"domain": MICROSOFT, "num_heads": 3}
    refused("MultiHeadAttention", [q, k, v], "no multiple of num_heads", domain=MICROSOFT, num_heads=5)
    refused("MultiHeadAttention", [q, k, v], "num_heads must be positive", domain=MICROSOFT, num_heads=0)
    refused("MultiHeadAttention", [q, k], "value may be omitted", **options)
    refused("MultiHeadAttention", [q], "key may be omitted", **options)
    refused("MultiHeadAttention", [q, k[:1], v], "different batches", **options)
    refused("MultiHeadAttention", [q, k, v[:, :5].copy()], "rows", **options)
    refused("MultiHeadAttention", [q, k, v, normal(48)], "bias must have 144", **options)
    refused("MultiHeadAttention", [q, k, v, None, np.ones((2, 7), np.int32)], "key_padding_mask must", **options)
    refused("MultiHeadAttention", [q, k, v, None, None, normal(1, 1, 5, 7)], "attention_bias must", **options)
    refused("MultiHeadAttention", [q, k, v, None, None, None, normal(2, 3, 4, 16)], "together", **options)
    refused(
        "MultiHeadAttention",
        [q, k, v, None, None, None, normal(2, 3, 4, 16), normal(2, 3, 5, 16)],
        "past_key and",
        **options,
    )


@pytest.mark.parametrize("interleaved", [0, 1])
@pytest.mark.parametrize("turned", [0, 8])
@pytest.mark.parametrize("flat_input", [False, True])
@pytest.mark.parametrize("positions", [False, True])
def test_rotary_embedding(interleaved, turned, flat_input, positions):
    x, half = normal(2, 3, 70, 16), (turned or 16) // 2
    caches = [normal(100, half), normal(100, half)] if positions else [normal(2, 70, half), normal(2, 70, half)]
    ids = [RNG.integers(0, 100, (2, 70))] if positions else []
    attributes = {"num_heads": 3} if flat_input else {}
    check(
        "RotaryEmbedding",
        [flat(x) if flat_input else x, *caches, *ids],
        opset=23,
        interleaved=interleaved,
        rotary_embedding_dim=turned,
        **attributes,
    )


def test_rotary_embedding_refuses():
    x, cache, ids = normal(1, 2, 3, 8), normal(10, 4), np.array([[0, 1, 2]], np.int64)
    refused("RotaryEmbedding", [x, cache, cache, ids + 8], "position 10 is outside", opset=23)
    refused("RotaryEmbedding", [x, cache, cache, ids - 1], "position -1 is outside", opset=23)
    refused("RotaryEmbedding", [x, cache, cache], "3 dimensions without position_ids", opset=23)
    refused("RotaryEmbedding", [x, cache, normal(9, 4), ids], "different shapes", opset=23)
    refused("RotaryEmbedding", [x, normal(10, 3), normal(10, 3), ids], "last dimension of cos_cache", opset=23)
    refused("RotaryEmbedding", [x, cache, cache, ids], "cannot turn 12", opset=23, rotary_embedding_dim=12)
    refused("RotaryEmbedding", [flat(x), cache, cache, ids], "num_heads", opset=23)
