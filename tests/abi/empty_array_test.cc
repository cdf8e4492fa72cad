// SPDX-License-Identifier: Apache-2.0
// Arrays of no elements may be null, as an empty std::vector gives them; arrays of some may not.
#include <gtest/gtest.h>

#include "tests/abi/model_bytes.h"
#include "tests/abi/testing.h"

namespace ortrun::abi_testing {
namespace {

TEST(EmptyArrays, OfStrings) {
  const Value none = StringTensor({});
  EXPECT_TRUE(Ok(api.FillStringTensor(none.get(), nullptr, 0)));
  EXPECT_TRUE(Ok(api.GetStringTensorContent(none.get(), nullptr, 0, nullptr, 0)));
  const Value one = StringTensor({""});
  EXPECT_TRUE(Ok(api.GetStringTensorElement(one.get(), 0, 0, nullptr)));
  EXPECT_TRUE(Fails(api.FillStringTensor(one.get(), nullptr, 1), ORT_INVALID_ARGUMENT, "'s'"));
  EXPECT_TRUE(Fails(api.FillStringTensor(one.get(), nullptr, 0), ORT_INVALID_ARGUMENT, "tensor size"));
}

TEST(EmptyArrays, OfShapesAndData) {
  float number = 3;
  const auto scalar = Made<Value>(api.CreateTensorWithDataAsOrtValue, CpuMemory(), &number, sizeof(number), nullptr,
                                  size_t{0}, kTypeOf<float>);
  EXPECT_EQ(*static_cast<float*>(Get<void*>(api.TensorAt, scalar.get(), nullptr, size_t{0})), 3);
  const int64_t shape[] = {0, 2};
  const auto empty = Made<Value>(api.CreateTensorWithDataAsOrtValue, CpuMemory(), nullptr, size_t{0}, shape, size_t{2},
                                 kTypeOf<float>);
  EXPECT_EQ(ShapeOf(empty.get()), (std::vector<int64_t>{0, 2}));
  EXPECT_TRUE(Fails(api.TensorAt(empty.get(), nullptr, 2, nullptr), ORT_INVALID_ARGUMENT));
}

TEST(EmptyArrays, OfOptions) {
  const auto options = Made<SessionOptions>(api.CreateSessionOptions);
  EXPECT_TRUE(Ok(api.AddExternalInitializers(options.get(), nullptr, nullptr, 0)));
  EXPECT_TRUE(Ok(api.AddExternalInitializersFromFilesInMemory(options.get(), nullptr, nullptr, nullptr, 0)));
  EXPECT_TRUE(
      Ok(api.SessionOptionsAppendExecutionProvider(options.get(), "CPUExecutionProvider", nullptr, nullptr, 0)));
  EXPECT_TRUE(Fails(api.AddExternalInitializers(options.get(), nullptr, nullptr, 1), ORT_INVALID_ARGUMENT));
}

TEST(EmptyArrays, OfTensorsToCopy) {
  EXPECT_TRUE(Ok(api.CopyTensors(Env(), nullptr, nullptr, nullptr, 0)));
  EXPECT_TRUE(Fails(api.CopyTensors(Env(), nullptr, nullptr, nullptr, 1), ORT_INVALID_ARGUMENT, "src_tensors"));
}

TEST(EmptyArrays, OfInputsAndOutputs) {
  const Message type = TensorType(kFloat, {2});
  const std::string model =
      ModelBytes({{Node("Neg", {"w"}, {"y"})}, {}, {ValueInfo("y", type)}, {FloatTensor("w", {2}, {1, 2})}});
  const Session session = SessionFrom(model);
  const char* names[] = {"y"};
  OrtValue* outputs[] = {nullptr};
  ASSERT_TRUE(Ok(api.Run(session.get(), nullptr, nullptr, nullptr, 0, names, 1, outputs)));
  const Value y(outputs[0]);
  EXPECT_EQ(DataOf<float>(y.get()), (std::vector<float>{-1, -2}));
  EXPECT_TRUE(Ok(api.Run(session.get(), nullptr, nullptr, nullptr, 0, nullptr, 0, nullptr)));
  EXPECT_TRUE(Ok(api.SessionGetMemoryInfoForInputs(session.get(), nullptr, 0)));
  EXPECT_TRUE(Ok(api.SessionGetEpDeviceForInputs(session.get(), nullptr, 0)));
  EXPECT_TRUE(Fails(api.SessionGetMemoryInfoForOutputs(session.get(), nullptr, 1), ORT_INVALID_ARGUMENT));
  EXPECT_TRUE(Fails(api.SetEpDynamicOptions(session.get(), nullptr, nullptr, 1), ORT_INVALID_ARGUMENT));
}

TEST(PrepackedWeights, SessionsShareAContainer) {
  using Container = Handle<OrtPrepackedWeightsContainer, &OrtApi::ReleasePrepackedWeightsContainer>;
  constexpr int64_t kSize = 64;
  std::vector<float> weights(kSize * kSize);
  for (size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<float>(i % 7);
  const std::string model = ModelBytes({{Node("MatMul", {"x", "w"}, {"y"})},
                                        {ValueInfo("x", TensorType(kFloat, {"N", kSize}))},
                                        {ValueInfo("y", TensorType(kFloat, {"N", kSize}))},
                                        {FloatTensor("w", {kSize, kSize}, weights)}});
  auto container = Made<Container>(api.CreatePrepackedWeightsContainer);
  std::vector<Session> sessions;
  for (int i = 0; i < 3; ++i)
    sessions.push_back(Made<Session>(api.CreateSessionFromArrayWithPrepackedWeightsContainer, Env(), model.data(),
                                     model.size(), nullptr, container.get()));
  sessions[0].reset();
  container.reset();  // those who took weights keep them
  std::vector<float> ones(kSize, 1);
  const Value x = TensorOver(ones, {1, kSize});
  for (size_t i = 1; i < sessions.size(); ++i) {
    const char* in[] = {"x"};
    const char* out[] = {"y"};
    const OrtValue* inputs[] = {x.get()};
    OrtValue* outputs[] = {nullptr};
    ASSERT_TRUE(Ok(api.Run(sessions[i].get(), nullptr, in, inputs, 1, out, 1, outputs)));
    const Value y(outputs[0]);
    const std::vector<float> got = DataOf<float>(y.get());
    for (size_t column = 0; column < got.size(); ++column) {
      float sum = 0;
      for (size_t row = 0; row < kSize; ++row) sum += weights[row * kSize + column];
      ASSERT_EQ(got[column], sum) << "column " << column;
    }
  }
}

}  // namespace
}  // namespace ortrun::abi_testing
