// SPDX-License-Identifier: Apache-2.0
#include "tests/abi/model_bytes.h"
#include "tests/abi/testing.h"

namespace ortrun::abi_testing {
namespace {

class Binding : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(Ok(api.BindInput(binding.get(), "x", x.get())));
    ASSERT_TRUE(Ok(api.BindInput(binding.get(), "y", y.get())));
  }
  std::vector<Value> Outputs() const {
    OrtValue** values = nullptr;
    size_t count = 0;
    EXPECT_TRUE(Ok(api.GetBoundOutputValues(binding.get(), DefaultAllocator(), &values, &count)));
    std::vector<Value> outputs;
    for (size_t i = 0; i < count; ++i) outputs.emplace_back(values[i]);
    EXPECT_TRUE(Ok(api.AllocatorFree(DefaultAllocator(), values)));
    return outputs;
  }

  const Session session = SessionFrom(AddModel());
  const IoBinding binding = Made<IoBinding>(api.CreateIoBinding, session.get());
  std::vector<float> x_data = {1, 2};
  std::vector<float> y_data = {10, 20};
  const Value x = TensorOver(x_data, {1, 2});
  const Value y = TensorOver(y_data, {1, 2});
};

TEST_F(Binding, FillsABoundOutput) {
  std::vector<float> z(2);
  const Value output = TensorOver(z, {1, 2});
  ASSERT_TRUE(Ok(api.BindOutput(binding.get(), "z", output.get())));
  ASSERT_TRUE(Ok(api.SynchronizeBoundInputs(binding.get())));
  ASSERT_TRUE(Ok(api.RunWithBinding(session.get(), nullptr, binding.get())));
  ASSERT_TRUE(Ok(api.SynchronizeBoundOutputs(binding.get())));
  EXPECT_EQ(z, (std::vector<float>{11, 22}));
  x_data = {3, 4};
  ASSERT_TRUE(Ok(api.RunWithBinding(session.get(), nullptr, binding.get())));
  EXPECT_EQ(z, (std::vector<float>{13, 24})) << "a second run reads the inputs anew";
}

TEST_F(Binding, MakesAnOutputOnADevice) {
  ASSERT_TRUE(Ok(api.BindOutputToDevice(binding.get(), "z", CpuMemory())));
  ASSERT_TRUE(Ok(api.RunWithBinding(session.get(), nullptr, binding.get())));
  const std::vector<Value> outputs = Outputs();
  ASSERT_EQ(outputs.size(), 1u);
  EXPECT_EQ(DataOf<float>(outputs[0].get()), (std::vector<float>{11, 22}));
}

TEST_F(Binding, NamesItsOutputs) {
  char* names = nullptr;
  size_t* lengths = nullptr;
  size_t count = 1;
  ASSERT_TRUE(Ok(api.GetBoundOutputNames(binding.get(), DefaultAllocator(), &names, &lengths, &count)));
  EXPECT_EQ(count, 0u);
  ASSERT_TRUE(Ok(api.BindOutputToDevice(binding.get(), "z", CpuMemory())));
  ASSERT_TRUE(Ok(api.GetBoundOutputNames(binding.get(), DefaultAllocator(), &names, &lengths, &count)));
  ASSERT_EQ(count, 1u);
  EXPECT_EQ(std::string(names, lengths[0]), "z");
  EXPECT_TRUE(Ok(api.AllocatorFree(DefaultAllocator(), names)));
  EXPECT_TRUE(Ok(api.AllocatorFree(DefaultAllocator(), lengths)));
}

TEST_F(Binding, NeedsAnOutput) {
  EXPECT_TRUE(Fails(api.RunWithBinding(session.get(), nullptr, binding.get()), ORT_INVALID_ARGUMENT, "output"));
}

TEST_F(Binding, IsCleared) {
  ASSERT_TRUE(Ok(api.BindOutputToDevice(binding.get(), "z", CpuMemory())));
  api.ClearBoundOutputs(binding.get());
  EXPECT_TRUE(Outputs().empty());
  api.ClearBoundInputs(binding.get());
  ASSERT_TRUE(Ok(api.BindOutputToDevice(binding.get(), "z", CpuMemory())));
  EXPECT_TRUE(Fails(api.RunWithBinding(session.get(), nullptr, binding.get()), ORT_INVALID_ARGUMENT));
}

TEST_F(Binding, RefusesNamesThatTheModelLacks) {
  EXPECT_TRUE(Fails(api.BindInput(binding.get(), "w", x.get()), ORT_INVALID_ARGUMENT, "'w'"));
  EXPECT_TRUE(Fails(api.BindOutput(binding.get(), "x", x.get()), ORT_INVALID_ARGUMENT, "'x'"));
  EXPECT_TRUE(Fails(api.BindOutputToDevice(binding.get(), "w", CpuMemory()), ORT_INVALID_ARGUMENT, "'w'"));
  EXPECT_TRUE(Fails(api.BindInput(binding.get(), "x", nullptr), ORT_INVALID_ARGUMENT, "val_ptr"));
}

}  // namespace
}  // namespace ortrun::abi_testing
