// SPDX-License-Identifier: Apache-2.0
#include "core/execution/packed_weights.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

#include "core/execution/session_state.h"
#include "ortrun/error.h"
#include "ortrun/packed_weights.h"

namespace ortrun {
namespace {

constexpr auto kFloat = ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;
const OrtApi& Api() { return *OrtGetApiBase()->GetApi(ORT_API_VERSION); }

Value WeightOf(float first) {
  const int64_t count = 4;
  Value value = Value::CpuTensor(kFloat, &count, 1);
  for (size_t i = 0; i < 4; ++i) static_cast<float*>(value.tensor().data)[i] = first + static_cast<float>(i);
  return value;
}

const OrtrunPackedWeightApi& Table() {
  const auto get =
      reinterpret_cast<OrtrunGetPackedWeightApiFn>(Api().GetExperimentalFunction(ORTRUN_PACKED_WEIGHT_API));
  return *get(1);
}

int times_filled = 0;

/// Packs through the named table: its form is the weight turned round.
struct FormKernel : OrtKernelImpl {
  std::string form = "turned";
  bool fails = false;
  const float* packed = nullptr;

  FormKernel() : OrtKernelImpl{} {
    ort_version_supported = ORT_API_VERSION;
    OrtKernelImpl::PrePackWeight = [](OrtKernelImpl* self, const OrtValue* tensor, int, OrtAllocator*,
                                      OrtSharedPrePackedWeightCache*, bool* is_packed) noexcept -> OrtStatus* {
      auto& kernel = *static_cast<FormKernel*>(self);
      struct Fill {
        const OrtValue* tensor;
        bool fails;
      } fill{tensor, kernel.fails};
      const void* data = nullptr;
      OrtStatus* status = Table().Pack(
          tensor, kernel.form.c_str(), 16,
          [](void* arg, void* to) {
            const auto& given = *static_cast<const Fill*>(arg);
            ++times_filled;
            const auto* from = static_cast<const float*>(given.tensor->tensor().data);
            std::reverse_copy(from, from + 4, static_cast<float*>(to));
            return given.fails ? 1 : 0;
          },
          &fill, &data);
      kernel.packed = static_cast<const float*>(data);
      *is_packed = status == nullptr && data != nullptr;
      return status;
    };
  }
};

/// Packs as the public table wants it: stores a buffer, and takes back what the host gives.
struct StoringKernel : OrtKernelImpl {
  const float* packed = nullptr;

  StoringKernel() : OrtKernelImpl{} {
    ort_version_supported = ORT_API_VERSION;
    OrtKernelImpl::PrePackWeight = [](OrtKernelImpl*, const OrtValue* tensor, int, OrtAllocator* allocator,
                                      OrtSharedPrePackedWeightCache* cache, bool* is_packed) noexcept -> OrtStatus* {
      void* buffer = allocator->Alloc(allocator, 16);
      std::memcpy(buffer, tensor->tensor().data, 16);
      size_t size = 16;
      *is_packed = true;
      return Api().GetEpApi()->SharedPrePackedWeightCache_StoreWeightData(cache, &buffer, &size, 1);
    };
    OrtKernelImpl::SetSharedPrePackedWeight = [](OrtKernelImpl* self, const void* const* buffers, const size_t* sizes,
                                                 size_t count, int input) noexcept -> OrtStatus* {
      EXPECT_TRUE(count == 1 && sizes[0] == 16 && input == 1);
      static_cast<StoringKernel*>(self)->packed = static_cast<const float*>(buffers[0]);
      return nullptr;
    };
  }
};

class PackedWeightsTest : public testing::Test {
 protected:
  void SetUp() override { times_filled = 0; }
  bool Pack(PackedWeights& weights, OrtKernelImpl& kernel, const Value& weight) {
    return weights.Pack(kernel, nullptr, weight, 1, memory_);
  }
  SessionMemory memory_{CpuMemoryInfo(), std::shared_ptr<OrtAllocator>(&CpuAllocator(), [](OrtAllocator*) {}), nullptr};
};

TEST_F(PackedWeightsTest, OneFormOfOneMemoryIsMadeOnce) {
  PackedWeights weights;
  const Value weight = WeightOf(1);
  const Value alias = weight;
  FormKernel first;
  FormKernel second;
  EXPECT_TRUE(Pack(weights, first, weight));
  EXPECT_TRUE(Pack(weights, second, alias));
  EXPECT_EQ(first.packed, second.packed);
  EXPECT_EQ(times_filled, 1);
  EXPECT_EQ(first.packed[0], 4);

  FormKernel other_form;
  other_form.form = "another";
  EXPECT_TRUE(Pack(weights, other_form, weight));
  FormKernel other_weight;
  EXPECT_TRUE(Pack(weights, other_weight, WeightOf(1)));
  EXPECT_NE(other_form.packed, first.packed);
  EXPECT_NE(other_weight.packed, first.packed);
  EXPECT_EQ(times_filled, 3);
}

TEST_F(PackedWeightsTest, AFormThatCouldNotBeMadeIsNotKept) {
  PackedWeights weights;
  const Value weight = WeightOf(1);
  FormKernel failing;
  failing.fails = true;
  EXPECT_THROW(Pack(weights, failing, weight), Error);
  FormKernel good;
  EXPECT_TRUE(Pack(weights, good, weight));
  EXPECT_EQ(times_filled, 2);
}

TEST_F(PackedWeightsTest, OutsideOfACallThereIsNothingToShare) {
  const Value weight = WeightOf(1);
  const void* data = &weight;
  EXPECT_EQ(Table().Pack(
                &weight, "turned", 16, [](void*, void*) { return 0; }, nullptr, &data),
            nullptr);
  EXPECT_EQ(data, nullptr);
}

TEST_F(PackedWeightsTest, EqualStoredBuffersBecomeOne) {
  PackedWeights weights;
  StoringKernel first;
  StoringKernel second;
  StoringKernel other;
  EXPECT_TRUE(Pack(weights, first, WeightOf(1)));
  EXPECT_TRUE(Pack(weights, second, WeightOf(1)));
  EXPECT_TRUE(Pack(weights, other, WeightOf(2)));
  EXPECT_EQ(first.packed, second.packed);
  EXPECT_NE(first.packed, other.packed);
  EXPECT_EQ(first.packed[3], 4);
}

TEST_F(PackedWeightsTest, SessionsShareThroughAContainerByContent) {
  auto container = std::make_unique<OrtPrepackedWeightsContainer>();
  PackedWeights one;
  PackedWeights two;
  one.UseContainer(container.get());
  two.UseContainer(container.get());
  FormKernel first;
  FormKernel second;
  FormKernel other;
  EXPECT_TRUE(Pack(one, first, WeightOf(1)));
  EXPECT_TRUE(Pack(two, second, WeightOf(1)));
  EXPECT_TRUE(Pack(two, other, WeightOf(2)));
  EXPECT_EQ(first.packed, second.packed);
  EXPECT_NE(first.packed, other.packed);
  one.DoneMaking();
  two.DoneMaking();
  container.reset();
  EXPECT_EQ(second.packed[0], 4);  // what a session took is its own
}

}  // namespace
}  // namespace ortrun
