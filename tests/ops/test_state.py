# SPDX-License-Identifier: Apache-2.0
"""Operators that carry a state from call to call, against their recurrences."""

import numpy as np
import pytest
from reference import check, refused, run

RNG = np.random.default_rng(37)
TOLERANCE = {"float32": 1e-4, "float16": 1e-2}


def normal(*shape, dtype="float32"):
    return (RNG.standard_normal(shape) / 2).astype(dtype)


def attend(query, key, value, past, decay, beta, heads, kv_heads, scale):
    """One row after the other, in double."""
    batch, rows, _ = query.shape
    q = query.astype(np.float64).reshape(batch, rows, heads, -1)
    k = key.astype(np.float64).reshape(batch, rows, kv_heads, -1)
    v = value.astype(np.float64).reshape(batch, rows, kv_heads, -1)
    state = np.zeros((batch, kv_heads, k.shape[-1], v.shape[-1])) if past is None else past.astype(np.float64)
    out = np.zeros((batch, rows, heads, v.shape[-1]))
    for b, t, h in np.ndindex(batch, rows, kv_heads):
        if decay is not None:
            state[b, h] *= np.exp(decay.astype(np.float64).reshape(batch, rows, kv_heads, -1)[b, t, h])[:, None]
        fresh = v[b, t, h]
        if beta is not None:
            fresh = (fresh - k[b, t, h] @ state[b, h]) * beta[b, t, min(h, beta.shape[2] - 1)]
        state[b, h] += np.outer(k[b, t, h], fresh)
        for g in range(heads // kv_heads):
            reader = h * (heads // kv_heads) + g
            out[b, t, reader] = q[b, t, reader] @ state[b, h] * scale
    return out.reshape(batch, rows, -1), state


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("rule", ["linear", "gated", "delta", "gated_delta"])
@pytest.mark.parametrize(("heads", "kv_heads"), [(2, 2), (4, 2), (3, 1)])
@pytest.mark.parametrize(("per_head_decay", "one_beta", "has_past"), [(True, False, True), (False, True, False)])
def test_linear_attention(dtype, rule, heads, kv_heads, per_head_decay, one_beta, has_past):
    key_size, value_size, rows = 5, 37, 4
    query, key = normal(2, rows, heads * key_size, dtype=dtype), normal(2, rows, kv_heads * key_size, dtype=dtype)
    value = normal(2, rows, kv_heads * value_size, dtype=dtype)
    past = normal(2, kv_heads, key_size, value_size, dtype=dtype) if has_past else None
    decays = kv_heads * (1 if per_head_decay else key_size)
    decay = -np.abs(normal(2, rows, decays, dtype=dtype)) if rule.startswith("gated") else None
    beta = np.abs(normal(2, rows, 1 if one_beta else kv_heads, dtype=dtype)) if rule.endswith("delta") else None
    inputs = [query, key, value, past, decay, beta]
    want = attend(*inputs, heads, kv_heads, key_size**-0.5)
    while inputs[-1] is None:
        inputs.pop()
    check(
        "LinearAttention",
        inputs,
        outputs=2,
        opset=27,
        expected=[w.astype(dtype) for w in want],
        rtol=TOLERANCE[dtype],
        atol=TOLERANCE[dtype],
        q_num_heads=heads,
        kv_num_heads=kv_heads,
        update_rule=rule,
    )


def test_linear_attention_row_by_row():
    """The state of one call is the past of the next."""
    query, key, value = normal(1, 6, 8), normal(1, 6, 8), normal(1, 6, 10)
    attributes = {"outputs": 2, "opset": 27, "q_num_heads": 2, "kv_num_heads": 2, "update_rule": "linear", "scale": 1.0}
    whole, last = run("LinearAttention", [query, key, value], **attributes)
    state, outs = np.zeros((1, 2, 4, 5), np.float32), []
    for t in range(6):
        row = [v[:, t : t + 1] for v in (query, key, value)]
        out, state = run("LinearAttention", [*row, state], **attributes)
        outs.append(out)
    np.testing.assert_allclose(np.concatenate(outs, 1), whole, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(state, last, rtol=1e-5, atol=1e-6)


def test_linear_attention_refuses():
    query, key, value, beta = normal(1, 2, 8), normal(1, 2, 8), normal(1, 2, 8), normal(1, 2, 2)
    given = {"outputs": 2, "opset": 27, "q_num_heads": 2, "kv_num_heads": 2}
    refused("LinearAttention", [query, key, value], "decay", **given)
    refused("LinearAttention", [query, key, value, None, None, beta], "beta", update_rule="linear", **given)
    refused("LinearAttention", [query, key[..., :6], value], "heads|kv|numbers", update_rule="linear", **given)
    refused("LinearAttention", [query, key, value], "update_rule", update_rule="fast", **given)
    refused("LinearAttention", [query, key, value, normal(1, 2, 4, 3)], "past_state", update_rule="linear", **given)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize(("length", "taps"), [(1, 4), (7, 4), (2, 5), (50, 1), (3000, 3)])
@pytest.mark.parametrize("activation", ["none", "silu", "swish"])
@pytest.mark.parametrize(("has_bias", "has_past"), [(True, True), (False, True), (True, False), (False, False)])
def test_causal_conv(dtype, length, taps, activation, has_bias, has_past):
    x, w = normal(2, 3, length, dtype=dtype), normal(3, 1, taps, dtype=dtype)
    bias = normal(3, dtype=dtype) if has_bias else None
    past = normal(2, 3, taps - 1, dtype=dtype) if has_past else None
    line = np.concatenate([np.zeros((2, 3, taps - 1), dtype) if past is None else past, x], 2)
    wide = np.lib.stride_tricks.sliding_window_view(line.astype(np.float64), taps, 2)
    y = (wide * w.astype(np.float64)).sum(-1) + (0 if bias is None else bias.astype(np.float64)[:, None])
    if activation != "none":
        y = y / (1 + np.exp(-y))
    inputs = [x, w, bias, past]
    while inputs[-1] is None:
        inputs.pop()
    check(
        "CausalConvWithState",
        inputs,
        outputs=2,
        opset=27,
        expected=[y.astype(dtype), line[:, :, length:]],
        rtol=TOLERANCE[dtype],
        atol=TOLERANCE[dtype],
        activation=activation,
    )


def test_causal_conv_refuses():
    x, w = normal(2, 3, 5), normal(3, 1, 4)
    refused("CausalConvWithState", [x, w[:2]], "channels", outputs=2, opset=27)
    refused("CausalConvWithState", [x, w, None, normal(2, 3, 4)], "past_state", outputs=2, opset=27)
    refused("CausalConvWithState", [x, w], "silu", outputs=2, opset=27, activation="relu")
