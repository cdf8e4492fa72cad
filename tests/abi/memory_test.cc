// SPDX-License-Identifier: Apache-2.0
// Memory infos and allocators.

#include <cstdlib>
#include <cstring>

#include "tests/abi/model_bytes.h"
#include "tests/abi/testing.h"

namespace ortrun::abi_testing {
namespace {

TEST(MemoryInfo, TellsWhatItWasMadeFrom) {
  const auto cpu = Made<MemoryInfo>(api.CreateMemoryInfo, "Cpu", OrtArenaAllocator, 0, OrtMemTypeCPUOutput);
  EXPECT_STREQ(Get<const char*>(api.MemoryInfoGetName, cpu.get()), "Cpu");
  EXPECT_EQ(Get<int>(api.MemoryInfoGetId, cpu.get()), 0);
  EXPECT_EQ(Get<OrtAllocatorType>(api.MemoryInfoGetType, cpu.get()), OrtArenaAllocator);
  EXPECT_EQ(Get<OrtMemType>(api.MemoryInfoGetMemType, cpu.get()), OrtMemTypeCPUOutput);
  OrtMemoryInfoDeviceType type = OrtMemoryInfoDeviceType_GPU;
  api.MemoryInfoGetDeviceType(cpu.get(), &type);
  EXPECT_EQ(type, OrtMemoryInfoDeviceType_CPU);
}

TEST(MemoryInfo, OfAnyDevice) {
  const auto memory = Made<MemoryInfo>(api.CreateMemoryInfo_V2, "Mine", OrtMemoryInfoDeviceType_NPU, 0x1234u, 2,
                                       OrtDeviceMemoryType_HOST_ACCESSIBLE, 64u, OrtDeviceAllocator);
  EXPECT_STREQ(Get<const char*>(api.MemoryInfoGetName, memory.get()), "Mine");
  EXPECT_EQ(Get<int>(api.MemoryInfoGetId, memory.get()), 2);
  EXPECT_EQ(api.MemoryInfoGetVendorId(memory.get()), 0x1234u);
  EXPECT_EQ(api.MemoryInfoGetDeviceMemType(memory.get()), OrtDeviceMemoryType_HOST_ACCESSIBLE);
}

TEST(MemoryInfo, Compares) {
  const auto same = Made<MemoryInfo>(api.CreateCpuMemoryInfo, OrtDeviceAllocator, OrtMemTypeDefault);
  const auto other = Made<MemoryInfo>(api.CreateMemoryInfo, "Cuda", OrtDeviceAllocator, 1, OrtMemTypeDefault);
  EXPECT_EQ(Get<int>(api.CompareMemoryInfo, CpuMemory(), same.get()), 0);
  EXPECT_NE(Get<int>(api.CompareMemoryInfo, CpuMemory(), other.get()), 0);
}

TEST(MemoryInfo, RefusesUnknownNames) {
  OrtMemoryInfo* made = nullptr;
  EXPECT_TRUE(Fails(api.CreateMemoryInfo("Nowhere", OrtDeviceAllocator, 0, OrtMemTypeDefault, &made),
                    ORT_INVALID_ARGUMENT, "'Nowhere'"));
  EXPECT_TRUE(Fails(api.CreateMemoryInfo_V2("x", OrtMemoryInfoDeviceType_CPU, 0, 0, OrtDeviceMemoryType_DEFAULT, 3,
                                            OrtDeviceAllocator, &made),
                    ORT_INVALID_ARGUMENT, "alignment 3"));
}

TEST(Allocator, OfTheProcessGivesAlignedMemory) {
  OrtAllocator* allocator = DefaultAllocator();
  for (const size_t bytes : {size_t{1}, size_t{100}, size_t{1} << 20}) {
    void* memory = Get<void*>(api.AllocatorAlloc, allocator, bytes);
    ASSERT_NE(memory, nullptr);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(memory) % 64, 0u);  // NOLINT: the address as a number
    std::memset(memory, 1, bytes);
    EXPECT_TRUE(Ok(api.AllocatorFree(allocator, memory)));
  }
  EXPECT_EQ(Get<int>(api.CompareMemoryInfo, Get<const OrtMemoryInfo*>(api.AllocatorGetInfo, allocator), CpuMemory()),
            0);
  EXPECT_TRUE(Ok(api.AllocatorFree(allocator, nullptr)));
}

TEST(Allocator, OfASession) {
  const Session session = SessionFrom(AddModel());
  const auto allocator = Made<Allocator>(api.CreateAllocator, session.get(), CpuMemory());
  ASSERT_NE(allocator, nullptr);
  void* memory = Get<void*>(api.AllocatorAlloc, allocator.get(), 256u);
  EXPECT_NE(memory, nullptr);
  EXPECT_TRUE(Ok(api.AllocatorFree(allocator.get(), memory)));
  EXPECT_NE(Made<KeyValuePairs>(api.AllocatorGetStats, allocator.get()), nullptr);
  const auto elsewhere = Made<MemoryInfo>(api.CreateMemoryInfo_V2, "Mine", OrtMemoryInfoDeviceType_NPU, 7u, 0,
                                          OrtDeviceMemoryType_DEFAULT, 0u, OrtDeviceAllocator);
  OrtAllocator* none = nullptr;
  EXPECT_TRUE(Fails(api.CreateAllocator(session.get(), elsewhere.get(), &none), ORT_INVALID_ARGUMENT));
}

/// An allocator of a program, which counts what is out.
struct Counting : OrtAllocator {
  Counting() : OrtAllocator{} {
    version = ORT_API_VERSION;
    Alloc = [](OrtAllocator* self, size_t size) {
      ++static_cast<Counting*>(self)->out;
      return std::malloc(size);  // NOLINT: memory as C programs have it
    };
    Free = [](OrtAllocator* self, void* memory) {
      if (memory != nullptr) --static_cast<Counting*>(self)->out;
      std::free(memory);  // NOLINT: as above
    };
    Info = [](const OrtAllocator*) { return CpuMemory(); };
  }
  int out = 0;
};

TEST(Allocator, OfAProgramHoldsTensorsAndNames) {
  Counting counting;
  const int64_t shape[] = {2, 3};
  Value value = Made<Value>(api.CreateTensorAsOrtValue, &counting, shape, 2u, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT);
  EXPECT_EQ(counting.out, 1);
  value.reset();
  EXPECT_EQ(counting.out, 0);
  const Session session = SessionFrom(AddModel());
  char* name = nullptr;
  ASSERT_TRUE(Ok(api.SessionGetInputName(session.get(), 0, &counting, &name)));
  EXPECT_EQ(counting.out, 1);
  EXPECT_STREQ(name, "x");
  counting.Free(&counting, name);
}

TEST(Allocator, OfAProgramFreesDataThatATensorTakesOver) {
  Counting counting;
  const int64_t shape[] = {4};
  void* data = counting.Alloc(&counting, 4 * sizeof(float));
  OrtValue* none = nullptr;
  EXPECT_TRUE(Fails(api.CreateTensorWithDataAndDeleterAsOrtValue(&counting, data, 8, shape, 1,
                                                                 ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &none),
                    ORT_INVALID_ARGUMENT, "not enough space"));
  EXPECT_EQ(counting.out, 1) << "data of a refused tensor stay the caller's";
  Made<Value>(api.CreateTensorWithDataAndDeleterAsOrtValue, &counting, data, 16u, shape, 1u,
              ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT)
      .reset();
  EXPECT_EQ(counting.out, 0);
}

TEST(Allocator, IsSharedThroughTheEnvironment) {
  Counting counting;
  ASSERT_TRUE(Ok(api.RegisterAllocator(Env(), &counting)));
  EXPECT_NE(Get<OrtAllocator*>(api.GetSharedAllocator, Env(), CpuMemory()), nullptr);
  ASSERT_TRUE(Ok(api.UnregisterAllocator(Env(), CpuMemory())));
  EXPECT_EQ(counting.out, 0);
}

TEST(ArenaCfg, KnowsItsKeys) {
  const char* keys[] = {"max_mem", "no_such_key"};
  const size_t values[] = {1024, 1};
  OrtArenaCfg* config = nullptr;
  ASSERT_TRUE(Ok(api.CreateArenaCfgV2(keys, values, 1, &config)));
  api.ReleaseArenaCfg(config);
  EXPECT_TRUE(Fails(api.CreateArenaCfgV2(keys, values, 2, &config), ORT_INVALID_ARGUMENT, "no_such_key"));
}

}  // namespace
}  // namespace ortrun::abi_testing
