// SPDX-License-Identifier: Apache-2.0
// The tables as a whole: versions, and every slot called with nothing, which must neither be empty nor crash.

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <set>

#include "tests/abi/testing.h"

namespace ortrun::abi_testing {
namespace {

template <typename Table>
const Table& TableOf();
template <>
const OrtApi& TableOf<OrtApi>() {
  return api;
}
template <>
const OrtEpApi& TableOf<OrtEpApi>() {
  return *api.GetEpApi();
}
template <>
const OrtModelEditorApi& TableOf<OrtModelEditorApi>() {
  return *api.GetModelEditorApi();
}
template <>
const OrtCompileApi& TableOf<OrtCompileApi>() {
  return *api.GetCompileApi();
}
template <>
const OrtInteropApi& TableOf<OrtInteropApi>() {
  return *api.GetInteropApi();
}

/// How a slot answers when every argument is null, zero or false.
struct Answer {
  bool has_status = false;
  bool takes_pointers = false;
  OrtErrorCode code = ORT_OK;
  std::string message = "";
};

template <typename Result, typename... Parameters>
Answer CallWithNothing(Result (*slot)(Parameters...)) {
  Answer answer{.takes_pointers = (std::is_pointer_v<Parameters> || ...)};
  if constexpr (std::is_same_v<Result, OrtStatus*>) {
    const Handle<OrtStatus, &OrtApi::ReleaseStatus> status(slot(Parameters{}...));
    answer.has_status = true;
    answer.code = api.GetErrorCode(status.get());
    answer.message = api.GetErrorMessage(status.get());
  } else {
    static_cast<void>(slot(Parameters{}...));
  }
  return answer;
}

struct Slot {
  std::string table;
  std::string name;
  size_t offset;
  bool (*is_empty)();
  Answer (*call)();
};

std::vector<Slot> Slots() {
#define SLOT(table, name)                                                                 \
  {#table, #name, offsetof(table, name), [] { return TableOf<table>().name == nullptr; }, \
   [] { return CallWithNothing(TableOf<table>().name); }},
  return {
#include "slots.inc"
  };
#undef SLOT
}

class Tables : public testing::TestWithParam<std::pair<const char*, size_t>> {};

TEST_P(Tables, EverySlotWorksOrSaysByNameThatItDoesNot) {
  const auto& [table, size] = GetParam();
  // What has a meaning without arguments: nothing to do, or a reason to decline that comes first.
  const std::set<std::string> fine_with_nothing = {"CreateStatus", "EnableTelemetryEvents", "DisableTelemetryEvents",
                                                   "SetLanguageProjection", "ReleaseAvailableProviders"};
  size_t working = 0;
  size_t not_implemented = 0;
  size_t next = 0;
  for (const Slot& slot : Slots()) {
    if (slot.table != table) continue;
    SCOPED_TRACE(slot.table + "::" + slot.name);
    EXPECT_EQ(slot.offset, next) << "a slot before this one is not in the list";
    next = slot.offset + sizeof(void*);
    ASSERT_FALSE(slot.is_empty());
    const Answer answer = slot.call();
    if (answer.code == ORT_NOT_IMPLEMENTED) {
      ++not_implemented;
      EXPECT_NE(answer.message.find(slot.table + "::" + slot.name + " "), std::string::npos) << answer.message;
      continue;
    }
    ++working;
    if (answer.has_status && answer.takes_pointers && !fine_with_nothing.contains(slot.name)) {
      EXPECT_EQ(answer.code, ORT_INVALID_ARGUMENT) << answer.message;
      EXPECT_NE(answer.message, "");
    }
  }
  EXPECT_EQ(next, size);
  std::printf("%s: %zu slots work, %zu answer ORT_NOT_IMPLEMENTED by name\n", table, working, not_implemented);
}

INSTANTIATE_TEST_SUITE_P(All, Tables,
                         testing::Values(std::pair("OrtApi", sizeof(OrtApi)), std::pair("OrtEpApi", sizeof(OrtEpApi)),
                                         std::pair("OrtModelEditorApi", sizeof(OrtModelEditorApi)),
                                         std::pair("OrtCompileApi", sizeof(OrtCompileApi)),
                                         std::pair("OrtInteropApi", sizeof(OrtInteropApi))),
                         [](const auto& instance) { return std::string(instance.param.first); });

TEST(Versions, AreServedFromOneToThirty) {
  const OrtApiBase* base = OrtGetApiBase();
  ASSERT_EQ(base, OrtGetApiBase());
  for (uint32_t version = 1; version <= 30; ++version) EXPECT_EQ(base->GetApi(version), &api) << version;
  EXPECT_EQ(base->GetApi(0), nullptr);
  EXPECT_EQ(base->GetApi(31), nullptr);
  EXPECT_EQ(base->GetApi(UINT32_MAX), nullptr);
}

TEST(Versions, TheSecondNumberIsTheApiVersion) {
  const std::string version = OrtGetApiBase()->GetVersionString();
  EXPECT_EQ(version.rfind("1.30.", 0), 0u) << version;
  EXPECT_GT(version.size(), std::strlen("1.30."));
  EXPECT_TRUE(std::all_of(version.begin(), version.end(), [](char c) { return c == '.' || (c >= '0' && c <= '9'); }));
  const std::string build = api.GetBuildInfoString();
  EXPECT_EQ(build.rfind("ORT Build Info: ", 0), 0u) << build;
  EXPECT_NE(build.find(version), std::string::npos) << build;
}

TEST(Versions, TablesStayWhereTheyAre) {
  EXPECT_EQ(api.GetEpApi(), api.GetEpApi());
  EXPECT_EQ(api.GetModelEditorApi(), api.GetModelEditorApi());
  EXPECT_EQ(api.GetCompileApi(), api.GetCompileApi());
  EXPECT_EQ(api.GetInteropApi(), api.GetInteropApi());
}

TEST(Versions, ThereIsNoTraining) {
  for (const uint32_t version : {1u, 30u}) EXPECT_EQ(api.GetTrainingApi(version), nullptr);
}

TEST(Versions, AnUnknownExperimentalFunctionIsNull) {
  EXPECT_EQ(api.GetExperimentalFunction("no.such.function"), nullptr);
}

}  // namespace
}  // namespace ortrun::abi_testing
