# SPDX-License-Identifier: Apache-2.0
"""OrtValue: numpy, memory, types, DLPack."""

import gc

import numpy as np
import onnxruntime as ort
import pytest
from onnx import TensorProto
from onnxruntime.capi import onnxruntime_pybind11_state as C


@pytest.fixture
def array() -> np.ndarray:
    return np.arange(6, dtype=np.float32).reshape(2, 3)


def test_facts(array):
    value = ort.OrtValue.ortvalue_from_numpy(array)
    assert value.shape() == [2, 3]
    assert value.data_type() == "tensor(float)"
    assert value.element_type() == TensorProto.FLOAT
    assert value.device_name() == "cpu"
    assert value.tensor_size_in_bytes() == 24
    assert value.has_value() and value.is_tensor()
    assert not value.is_sparse_tensor() and not value.is_tensor_sequence()


def test_memory_is_shared_on_the_cpu(array):
    value = ort.OrtValue.ortvalue_from_numpy(array)
    assert value.data_ptr() == array.ctypes.data
    assert value.numpy().ctypes.data == array.ctypes.data
    assert np.asarray(value).ctypes.data == array.ctypes.data


def test_value_keeps_its_array_and_array_keeps_its_value(array):
    want = array.copy()
    value = ort.OrtValue.ortvalue_from_numpy(array.copy())
    gc.collect()
    back = value.numpy()
    del value
    gc.collect()
    np.testing.assert_array_equal(back, want)


def test_new_memory():
    for element in (np.float16, "float16", np.dtype(np.float16), int(TensorProto.FLOAT16)):
        value = ort.OrtValue.ortvalue_from_shape_and_type([2, 3], element)
        assert value.shape() == [2, 3] and value.data_type() == "tensor(float16)"
    assert ort.OrtValue.ortvalue_from_shape_and_type((4,), np.int64).numpy().dtype == np.int64
    assert ort.OrtValue.ortvalue_from_shape_and_type([], np.int64).shape() == []
    with pytest.raises(RuntimeError):
        ort.OrtValue.ortvalue_from_shape_and_type([-1], np.float32)


def test_update_inplace(array):
    value = ort.OrtValue.ortvalue_from_shape_and_type([2, 3], np.float32)
    pointer = value.data_ptr()
    value.update_inplace(array)
    np.testing.assert_array_equal(value.numpy(), array)
    value.update_inplace(ort.OrtValue.ortvalue_from_numpy(array + 1))
    np.testing.assert_array_equal(value.numpy(), array + 1)
    assert value.data_ptr() == pointer
    with pytest.raises(RuntimeError):
        value.update_inplace(array[0])


def test_bytes_taken_as_another_type():
    value = ort.OrtValue.ortvalue_from_numpy_with_onnx_type(np.zeros(4, np.uint16), int(TensorProto.BFLOAT16))
    assert value.data_type() == "tensor(bfloat16)" and value.shape() == [4]
    with pytest.raises(RuntimeError):
        ort.OrtValue.ortvalue_from_numpy_with_onnx_type(np.zeros(4, np.uint8), int(TensorProto.BFLOAT16))


@pytest.mark.ours
def test_strings_and_strides(array):
    text = ort.OrtValue.ortvalue_from_numpy(np.array(["a", "bé"]))
    assert text.data_type() == "tensor(string)" and text.numpy().tolist() == ["a", "bé"]
    np.testing.assert_array_equal(ort.OrtValue.ortvalue_from_numpy(array.T).numpy(), array.T)


@pytest.mark.ours
def test_sub_byte_types_are_packed():
    ml_dtypes = pytest.importorskip("ml_dtypes")
    for dtype, numbers in ((ml_dtypes.int4, [-8, 7, -1]), (ml_dtypes.uint4, [0, 15, 3])):
        array = np.array(numbers, dtype)
        value = ort.OrtValue.ortvalue_from_numpy(array)
        assert value.shape() == [3] and value.tensor_size_in_bytes() == 2
        back = value.numpy()
        assert back.dtype == array.dtype and back.astype(int).tolist() == numbers


@pytest.mark.parametrize("wrong", [[1, 2], np.float32(1), None])
def test_only_arrays(wrong):
    with pytest.raises((RuntimeError, TypeError, AttributeError)):
        ort.OrtValue.ortvalue_from_numpy(wrong)


def test_unknown_devices(array):
    with pytest.raises(Exception, match="Unsupported device type: abacus"):
        ort.OrtValue.ortvalue_from_numpy(array, "abacus")
    with pytest.raises(RuntimeError):
        ort.OrtValue.ortvalue_from_numpy(array, "npu", 7)


def test_constructor_checks_its_argument(array):
    with pytest.raises(ValueError):
        ort.OrtValue(array)


def test_dlpack_from_and_to(array):
    value = ort.OrtValue.from_dlpack(array)
    assert value.data_ptr() == array.ctypes.data and value.shape() == [2, 3]
    assert value.__dlpack_device__() == (1, 0)
    back = np.from_dlpack(value)
    assert back.ctypes.data == array.ctypes.data
    np.testing.assert_array_equal(back, array)
    assert ort.OrtValue.from_dlpack(np.array([True, False])).data_type() == "tensor(bool)"


def test_dlpack_keeps_memory_alive():
    value = ort.OrtValue.from_dlpack(np.full(1000, 3, np.float32))
    gc.collect()
    assert value.numpy().sum() == 3000


@pytest.mark.ours
def test_dlpack_keeps_the_value_alive():
    array = np.from_dlpack(ort.OrtValue.ortvalue_from_numpy(np.full(1000, 4, np.float32)))
    gc.collect()
    assert array.sum() == 4000


def test_dlpack_capsules(array):
    value = ort.OrtValue.ortvalue_from_numpy(array)
    capsule = value.__dlpack__()
    again = ort.OrtValue.from_dlpack(capsule)
    np.testing.assert_array_equal(again.numpy(), array)
    value.__dlpack__()  # one that nobody takes
    with pytest.raises(TypeError):
        ort.OrtValue.from_dlpack(3)


@pytest.mark.ours
def test_dlpack_capsule_can_be_taken_once(array):
    capsule = ort.OrtValue.ortvalue_from_numpy(array).__dlpack__()
    ort.OrtValue.from_dlpack(capsule)
    with pytest.raises(TypeError, match="only once"):
        ort.OrtValue.from_dlpack(capsule)


def test_dlpack_needs_contiguous_memory(array):
    with pytest.raises(RuntimeError):
        ort.OrtValue.from_dlpack(array.T)


def test_vectors(array):
    vector = C.OrtValueVector()
    vector.reserve(2)
    for _ in range(2):
        vector.push_back(ort.OrtValue.ortvalue_from_numpy(array)._ortvalue)
    vector.shrink_to_fit()
    assert len(vector) == 2
    assert [v.shape() for v in vector] == [[2, 3], [2, 3]]
    assert vector[1].numpy().sum() == 15
    assert np.from_dlpack(ort.OrtValue.from_dlpack(vector.dlpack_at(0))).sum() == 15
    assert len(vector.to_dlpacks(None)) == 2
    assert [v.shape() for v in vector.to_dlpacks(C.OrtValue.from_dlpack)] == [[2, 3], [2, 3]]
    with pytest.raises(IndexError):
        vector[2]


def test_vector_of_other_memory(array):
    vector = C.OrtValueVector()
    device = ort.OrtDevice.make("cpu", 0)._get_c_device()
    vector.push_back_batch([array], [array.ctypes.data], [np.float32], [[2, 3]], [device])
    np.testing.assert_array_equal(vector[0].numpy(), array)


@pytest.mark.ours
def test_copy_tensors_on_the_cpu(array):
    target = ort.OrtValue.ortvalue_from_shape_and_type([2, 3], np.float32)
    ort.copy_tensors([ort.OrtValue.ortvalue_from_numpy(array)], [target])
    np.testing.assert_array_equal(target.numpy(), array)
    with pytest.raises(RuntimeError):
        ort.copy_tensors([target], [])
