// SPDX-License-Identifier: Apache-2.0
// Session options and run options.

#include "tests/abi/model_bytes.h"
#include "tests/abi/testing.h"

namespace ortrun::abi_testing {
namespace {

std::string ConfigOf(const OrtSessionOptions* options, const char* key) {
  size_t size = 0;
  EXPECT_TRUE(Ok(api.GetSessionConfigEntry(options, key, nullptr, &size)));
  std::string text(size, '\0');
  EXPECT_TRUE(Ok(api.GetSessionConfigEntry(options, key, text.data(), &size)));
  text.resize(size - 1);  // without the final zero
  return text;
}

TEST(SessionOptions, TakesEveryOption) {
  const auto held = Made<SessionOptions>(api.CreateSessionOptions);
  OrtSessionOptions* options = held.get();
  EXPECT_TRUE(Ok(api.SetSessionExecutionMode(options, ORT_PARALLEL)));
  EXPECT_EQ(Get<ExecutionMode>(api.GetSessionExecutionMode, options), ORT_PARALLEL);
  EXPECT_TRUE(Ok(api.DisableMemPattern(options)));
  EXPECT_EQ(Get<int>(api.GetMemPatternEnabled, options), 0);
  EXPECT_TRUE(Ok(api.EnableMemPattern(options)));
  EXPECT_EQ(Get<int>(api.GetMemPatternEnabled, options), 1);
  EXPECT_TRUE(Ok(api.DisableCpuMemArena(options)));
  EXPECT_TRUE(Ok(api.EnableCpuMemArena(options)));
  EXPECT_TRUE(Ok(api.SetSessionLogId(options, "an id")));
  EXPECT_TRUE(Ok(api.SetSessionLogVerbosityLevel(options, 0)));
  EXPECT_TRUE(Ok(api.SetSessionLogSeverityLevel(options, ORT_LOGGING_LEVEL_ERROR)));
  EXPECT_TRUE(Ok(api.SetIntraOpNumThreads(options, 2)));
  EXPECT_TRUE(Ok(api.SetInterOpNumThreads(options, 1)));
  EXPECT_TRUE(Ok(api.SetDeterministicCompute(options, true)));
  EXPECT_TRUE(Ok(api.AddFreeDimensionOverrideByName(options, "N", 3)));
  EXPECT_TRUE(Ok(api.AddFreeDimensionOverride(options, "DATA_BATCH", 1)));
  for (const auto level : {ORT_DISABLE_ALL, ORT_ENABLE_BASIC, ORT_ENABLE_EXTENDED, ORT_ENABLE_LAYOUT, ORT_ENABLE_ALL})
    EXPECT_TRUE(Ok(api.SetSessionGraphOptimizationLevel(options, level)));
  EXPECT_TRUE(Fails(api.SetSessionGraphOptimizationLevel(options, static_cast<GraphOptimizationLevel>(50)),
                    ORT_INVALID_ARGUMENT, "graph_optimization_level"));
  EXPECT_TRUE(Ok(OrtSessionOptionsAppendExecutionProvider_CPU(options, 1)));
  EXPECT_NE(SessionFrom(AddModel(), options), nullptr);
}

TEST(SessionOptions, ConfigEntriesAreReadBack) {
  const auto options = Made<SessionOptions>(api.CreateSessionOptions);
  EXPECT_EQ(Get<int>(api.HasSessionConfigEntry, options.get(), "a.key"), 0);
  ASSERT_TRUE(Ok(api.AddSessionConfigEntry(options.get(), "a.key", "a value")));
  EXPECT_EQ(Get<int>(api.HasSessionConfigEntry, options.get(), "a.key"), 1);
  EXPECT_EQ(ConfigOf(options.get(), "a.key"), "a value");
  const auto entries = Made<KeyValuePairs>(api.GetSessionOptionsConfigEntries, options.get());
  EXPECT_STREQ(api.GetKeyValue(entries.get(), "a.key"), "a value");
  char small[3];
  size_t size = sizeof(small);
  EXPECT_TRUE(Fails(api.GetSessionConfigEntry(options.get(), "a.key", small, &size), ORT_INVALID_ARGUMENT));
  EXPECT_EQ(size, sizeof("a value"));
  EXPECT_TRUE(Fails(api.AddSessionConfigEntry(options.get(), "", "x"), ORT_INVALID_ARGUMENT, "key"));
  EXPECT_TRUE(Fails(api.AddSessionConfigEntry(options.get(), std::string(2000, 'k').c_str(), "x"), ORT_INVALID_ARGUMENT,
                    "1024"));
}

TEST(SessionOptions, ACloneGoesItsOwnWay) {
  const auto first = Made<SessionOptions>(api.CreateSessionOptions);
  ASSERT_TRUE(Ok(api.AddSessionConfigEntry(first.get(), "shared", "1")));
  const auto second = Made<SessionOptions>(api.CloneSessionOptions, first.get());
  ASSERT_TRUE(Ok(api.AddSessionConfigEntry(second.get(), "shared", "2")));
  EXPECT_EQ(ConfigOf(first.get(), "shared"), "1");
  EXPECT_EQ(ConfigOf(second.get(), "shared"), "2");
}

TEST(SessionOptions, AProviderIsAskedForByName) {
  const auto options = Made<SessionOptions>(api.CreateSessionOptions);
  EXPECT_TRUE(Fails(api.SessionOptionsAppendExecutionProvider(options.get(), "NoSuch", nullptr, nullptr, 0),
                    ORT_INVALID_ARGUMENT, "NoSuch"));
}

TEST(SessionOptions, AnInitializerOfTheCallerTakesThePlaceOfTheModels) {
  const Message type = TensorType(kFloat, {2});
  const std::string model = ModelBytes({.nodes = {Node("Add", {"x", "w"}, {"y"})},
                                        .inputs = {ValueInfo("x", type)},
                                        .outputs = {ValueInfo("y", type)},
                                        .initializers = {FloatTensor("w", {2}, {1, 2})}});
  const auto options = Made<SessionOptions>(api.CreateSessionOptions);
  std::vector<float> weights = {10, 20};
  const Value value = TensorOver(weights, {2});
  ASSERT_TRUE(Ok(api.AddInitializer(options.get(), "w", value.get())));
  EXPECT_TRUE(Fails(api.AddInitializer(options.get(), "w", value.get()), ORT_INVALID_ARGUMENT, "already"));
  const Session session = SessionFrom(model, options.get());
  std::vector<float> x = {1, 1};
  const Value input = TensorOver(x, {2});
  const char* input_name = "x";
  const char* output_name = "y";
  const OrtValue* in = input.get();
  const Value y = Made<Value>(api.Run, session.get(), nullptr, &input_name, &in, 1u, &output_name, 1u);
  EXPECT_EQ(DataOf<float>(y.get()), (std::vector<float>{11, 21}));
}

TEST(RunOptions, AreReadBack) {
  const auto options = Made<RunOptions>(api.CreateRunOptions);
  ASSERT_TRUE(Ok(api.RunOptionsSetRunTag(options.get(), "a tag")));
  EXPECT_STREQ(Get<const char*>(api.RunOptionsGetRunTag, options.get()), "a tag");
  ASSERT_TRUE(Ok(api.RunOptionsSetRunLogSeverityLevel(options.get(), 3)));
  EXPECT_EQ(Get<int>(api.RunOptionsGetRunLogSeverityLevel, options.get()), 3);
  ASSERT_TRUE(Ok(api.RunOptionsSetRunLogVerbosityLevel(options.get(), 1)));
  EXPECT_EQ(Get<int>(api.RunOptionsGetRunLogVerbosityLevel, options.get()), 1);
  ASSERT_TRUE(Ok(api.AddRunConfigEntry(options.get(), "run.key", "value")));
  EXPECT_STREQ(api.GetRunConfigEntry(options.get(), "run.key"), "value");
  EXPECT_EQ(api.GetRunConfigEntry(options.get(), "none"), nullptr);
}

}  // namespace
}  // namespace ortrun::abi_testing
