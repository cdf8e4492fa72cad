// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <atomic>

#include "tests/abi/model_bytes.h"
#include "tests/abi/testing.h"

namespace ortrun::abi_testing {
namespace {

constexpr const char* kCpu = "CPUExecutionProvider";

TEST(Environment, IsOneForTheProcess) {
  const auto second = Made<Environment>(api.CreateEnv, ORT_LOGGING_LEVEL_ERROR, "second");
  EXPECT_EQ(second.get(), Env());
}

TEST(Environment, TakesOptions) {
  const OrtEnvCreationOptions options{.version = ORT_API_VERSION,
                                      .logging_severity_level = ORT_LOGGING_LEVEL_WARNING,
                                      .log_id = "with options",
                                      .custom_logging_function = nullptr,
                                      .custom_logging_param = nullptr,
                                      .threading_options = nullptr,
                                      .config_entries = nullptr};
  EXPECT_NE(Made<Environment>(api.CreateEnvWithOptions, &options), nullptr);
  OrtEnv* env = nullptr;
  const OrtEnvCreationOptions unversioned{};
  EXPECT_TRUE(Fails(api.CreateEnvWithOptions(&unversioned, &env), ORT_INVALID_ARGUMENT, "version"));
}

TEST(Environment, RefusesALevelThatIsNone) {
  OrtEnv* env = nullptr;
  EXPECT_TRUE(
      Fails(api.CreateEnv(static_cast<OrtLoggingLevel>(7), "id", &env), ORT_INVALID_ARGUMENT, "logging level 7"));
  EXPECT_TRUE(Fails(api.CreateEnv(ORT_LOGGING_LEVEL_INFO, nullptr, &env), ORT_INVALID_ARGUMENT, "logid"));
  EXPECT_EQ(env, nullptr);
}

TEST(Environment, ListsTheProviders) {
  char** names = nullptr;
  int count = 0;
  ASSERT_TRUE(Ok(api.GetAvailableProviders(&names, &count)));
  ASSERT_GT(count, 0);
  EXPECT_TRUE(std::any_of(names, names + count, [](const char* name) { return std::string(name) == kCpu; }));
  EXPECT_TRUE(Ok(api.ReleaseAvailableProviders(names, count)));
}

TEST(Environment, ListsDevices) {
  const OrtEpDevice* const* devices = nullptr;
  size_t count = 0;
  ASSERT_TRUE(Ok(api.GetEpDevices(Env(), &devices, &count)));
  const auto* cpu = std::find_if(devices, devices + count, [](const OrtEpDevice* device) {
    return std::string(api.EpDevice_EpName(device)) == kCpu;
  });
  ASSERT_NE(cpu, devices + count);
  const OrtHardwareDevice* hardware = api.EpDevice_Device(*cpu);
  ASSERT_NE(hardware, nullptr);
  EXPECT_EQ(api.HardwareDevice_Type(hardware), OrtHardwareDeviceType_CPU);
  EXPECT_NE(api.HardwareDevice_Vendor(hardware), nullptr);
  EXPECT_NE(api.HardwareDevice_Metadata(hardware), nullptr);
  EXPECT_NE(api.EpDevice_EpMetadata(*cpu), nullptr);
  EXPECT_NE(api.EpDevice_EpOptions(*cpu), nullptr);
}

TEST(Environment, AProviderLibraryThatIsNotThereSaysWhere) {
  EXPECT_TRUE(
      Fails(api.RegisterExecutionProviderLibrary(Env(), "none", "/no/such/library.so"), ORT_FAIL, "/no/such/library"));
  OrtStatus* status = api.UnregisterExecutionProviderLibrary(Env(), "never registered");
  EXPECT_TRUE(Fails(status, ORT_FAIL, "never registered"));
}

TEST(Environment, ASessionLogsThroughItsOwnFunction) {
  const auto options = Made<SessionOptions>(api.CreateSessionOptions);
  std::atomic<int> messages = 0;
  const OrtLoggingFunction count = [](void* param, OrtLoggingLevel, const char*, const char* logid, const char*,
                                      const char* message) {
    EXPECT_NE(logid, nullptr);
    EXPECT_STRNE(message, "");
    ++*static_cast<std::atomic<int>*>(param);
  };
  ASSERT_TRUE(Ok(api.SetUserLoggingFunction(options.get(), count, &messages)));
  ASSERT_TRUE(Ok(api.SetSessionLogSeverityLevel(options.get(), ORT_LOGGING_LEVEL_VERBOSE)));
  ASSERT_TRUE(Ok(api.SetSessionLogId(options.get(), "a log of its own")));
  EXPECT_NE(SessionFrom(AddModel(), options.get()), nullptr);
  EXPECT_GT(messages, 0);
}

TEST(Environment, CopiesTensors) {
  std::vector<float> from = {1, 2, 3};
  std::vector<float> to(3);
  const Value source = TensorOver(from, {3});
  const Value target = TensorOver(to, {3});
  const OrtValue* sources[] = {source.get()};
  OrtValue* targets[] = {target.get()};
  ASSERT_TRUE(Ok(api.CopyTensors(Env(), sources, targets, nullptr, 1)));
  EXPECT_EQ(to, from);
  std::vector<float> shorter(2);
  const Value other = TensorOver(shorter, {2});
  targets[0] = other.get();
  EXPECT_TRUE(Fails(api.CopyTensors(Env(), sources, targets, nullptr, 1), ORT_INVALID_ARGUMENT));
}

}  // namespace
}  // namespace ortrun::abi_testing
