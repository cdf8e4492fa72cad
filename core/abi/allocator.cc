// SPDX-License-Identifier: Apache-2.0
#include "core/abi/allocator.h"

#include <map>
#include <string>
#include <utility>

#include "core/abi/fill.h"
#include "core/abi/guard.h"
#include "core/base/key_value_pairs.h"
#include "core/execution/arena.h"
#include "core/execution/memory.h"
#include "core/execution/session.h"
#include "core/providers/environment.h"

/// How an arena grows. ortrun's arenas need no tuning: the values are kept for the caller who reads them back.
struct OrtArenaCfg {
  std::map<std::string, size_t> values;
};

namespace ortrun::abi {
namespace {

struct HeldAllocator : OrtAllocator {
  explicit HeldAllocator(std::shared_ptr<OrtAllocator> allocator) : OrtAllocator{}, held(std::move(allocator)) {
    version = ORT_API_VERSION;
    OrtAllocator::Alloc = &HeldAllocator::AllocHeld;
    OrtAllocator::Free = [](OrtAllocator* self, void* memory) { Inner(self).Free(&Inner(self), memory); };
    OrtAllocator::Info = [](const OrtAllocator* self) { return Inner(self).Info(&Inner(self)); };
    OrtAllocator::Reserve = [](OrtAllocator* self, size_t size) {
      OrtAllocator& inner = Inner(self);
      return inner.version >= 18 && inner.Reserve != nullptr ? inner.Reserve(&inner, size) : inner.Alloc(&inner, size);
    };
    OrtAllocator::GetStats = [](const OrtAllocator* self, OrtKeyValuePairs** out) -> OrtStatus* {
      return StatsOf(Inner(self), out);
    };
    OrtAllocator::AllocOnStream = [](OrtAllocator* self, size_t size, OrtSyncStream* stream) {
      OrtAllocator& inner = Inner(self);
      return inner.version >= 23 && inner.AllocOnStream != nullptr ? inner.AllocOnStream(&inner, size, stream)
                                                                   : inner.Alloc(&inner, size);
    };
    OrtAllocator::Shrink = [](OrtAllocator* self) -> OrtStatus* {
      OrtAllocator& inner = Inner(self);
      return inner.version >= 25 && inner.Shrink != nullptr ? inner.Shrink(&inner) : nullptr;
    };
  }

  static OrtAllocator& Inner(const OrtAllocator* self) { return *static_cast<const HeldAllocator*>(self)->held; }
  static void* AllocHeld(OrtAllocator* self, size_t size) { return Inner(self).Alloc(&Inner(self), size); }
  static bool Is(const OrtAllocator* allocator) { return allocator->Alloc == &HeldAllocator::AllocHeld; }

  static OrtStatus* StatsOf(const OrtAllocator& allocator, OrtKeyValuePairs** out) noexcept {
    if (allocator.version >= 23 && allocator.GetStats != nullptr) return allocator.GetStats(&allocator, out);
    return Guard({{"out", out}}, [&] { *out = new OrtKeyValuePairs(); });
  }

  std::shared_ptr<OrtAllocator> held;
};

OrtStatus* GetAllocatorWithDefaultOptions(OrtAllocator** out) {
  return Guard({{"out", out}}, [&] { *out = &CpuAllocator(); });
}

OrtStatus* AllocatorAlloc(OrtAllocator* ort_allocator, size_t size, void** out) {
  return Guard({{"ort_allocator", ort_allocator}, {"out", out}},
               [&] { *out = ort_allocator->Alloc(ort_allocator, size); });
}

OrtStatus* AllocatorFree(OrtAllocator* ort_allocator, void* p) {
  return Guard({{"ort_allocator", ort_allocator}}, [&] { ort_allocator->Free(ort_allocator, p); });
}

OrtStatus* AllocatorGetInfo(const OrtAllocator* ort_allocator, const OrtMemoryInfo** out) {
  return Guard({{"ort_allocator", ort_allocator}, {"out", out}}, [&] { *out = ort_allocator->Info(ort_allocator); });
}

OrtStatus* AllocatorGetStats(const OrtAllocator* ort_allocator, OrtKeyValuePairs** out) {
  return Guard({{"ort_allocator", ort_allocator}, {"out", out}},
               [&] { ThrowStatus(HeldAllocator::StatsOf(*ort_allocator, out)); });
}

OrtStatus* CreateAllocator(const OrtSession* session, const OrtMemoryInfo* mem_info, OrtAllocator** out) {
  return Guard({{"session", session}, {"mem_info", mem_info}, {"out", out}},
               [&] { *out = NewHeldAllocator(session->AllocatorFor(*mem_info)); });
}

void ReleaseAllocator(OrtAllocator* allocator) noexcept {
  // Allocators of the process, of providers and of the caller are not made by CreateAllocator and so not freed here.
  if (allocator != nullptr && HeldAllocator::Is(allocator)) delete static_cast<HeldAllocator*>(allocator);
}

OrtStatus* CreateArenaCfg(size_t max_mem, int arena_extend_strategy, int initial_chunk_size_bytes,
                          int max_dead_bytes_per_chunk, OrtArenaCfg** out) {
  return Guard({{"out", out}}, [&] {
    *out = new OrtArenaCfg{{{"max_mem", max_mem},
                            {"arena_extend_strategy", static_cast<size_t>(arena_extend_strategy)},
                            {"initial_chunk_size_bytes", static_cast<size_t>(initial_chunk_size_bytes)},
                            {"max_dead_bytes_per_chunk", static_cast<size_t>(max_dead_bytes_per_chunk)}}};
  });
}

OrtStatus* CreateArenaCfgV2(const char* const* arena_config_keys, const size_t* arena_config_values, size_t num_keys,
                            OrtArenaCfg** out) {
  return Guard({{"out", out}}, [&] {
    static constexpr const char* kKeys[] = {"max_mem",
                                            "arena_extend_strategy",
                                            "initial_chunk_size_bytes",
                                            "max_dead_bytes_per_chunk",
                                            "initial_growth_chunk_size_bytes",
                                            "max_power_of_two_extend_bytes"};
    Require(num_keys == 0 || (arena_config_keys != nullptr && arena_config_values != nullptr),
            "CreateArenaCfgV2: the arrays of keys and values must not be null");
    auto config = std::make_unique<OrtArenaCfg>();
    for (size_t i = 0; i < num_keys; ++i) {
      const std::string key = arena_config_keys[i] == nullptr ? "" : arena_config_keys[i];
      Require(std::find(std::begin(kKeys), std::end(kKeys), key) != std::end(kKeys), "Invalid key found: ", key);
      config->values[key] = arena_config_values[i];
    }
    *out = config.release();
  });
}

OrtStatus* RegisterAllocator(OrtEnv* env, OrtAllocator* allocator) {
  return Guard({{"env", env}, {"allocator", allocator}}, [&] {
    Require(allocator->Info(allocator) != nullptr, "the allocator names no memory (its Info answers null)");
    env->AddSharedAllocator(Share(allocator));
  });
}

OrtStatus* UnregisterAllocator(OrtEnv* env, const OrtMemoryInfo* mem_info) {
  return Guard({{"env", env}, {"mem_info", mem_info}}, [&] { env->RemoveSharedAllocator(*mem_info); });
}

void RegisterCpuArena(OrtEnv& env, const OrtMemoryInfo& memory) {
  Require(memory.device.type == OrtMemoryInfoDeviceType_CPU, "only CPU memory has an arena of the environment; for '",
          memory.name, "' use CreateSharedAllocator with the provider's device");
  env.AddSharedAllocator(Arena::Make(Share(&CpuAllocator())));
}

OrtStatus* CreateAndRegisterAllocator(OrtEnv* env, const OrtMemoryInfo* mem_info, const OrtArenaCfg*) {
  return Guard({{"env", env}, {"mem_info", mem_info}}, [&] { RegisterCpuArena(*env, *mem_info); });
}

OrtStatus* CreateAndRegisterAllocatorV2(OrtEnv* env, const char* provider_type, const OrtMemoryInfo* mem_info,
                                        const OrtArenaCfg*, const char* const* provider_options_keys,
                                        const char* const* provider_options_values, size_t num_keys) {
  return Guard({{"env", env}, {"provider_type", provider_type}, {"mem_info", mem_info}}, [&] {
    CheckPairs(provider_options_keys, provider_options_values, num_keys);
    RegisterCpuArena(*env, *mem_info);
  });
}

OrtStatus* CreateSharedAllocator(OrtEnv* env, const OrtEpDevice* ep_device, OrtDeviceMemoryType mem_type,
                                 OrtAllocatorType, const OrtKeyValuePairs* allocator_options,
                                 OrtAllocator** allocator) {
  return Guard({{"env", env}, {"ep_device", ep_device}}, [&] {
    const auto shared = env->CreateSharedAllocator(*ep_device, mem_type, allocator_options);
    if (allocator != nullptr) *allocator = shared.get();
  });
}

OrtStatus* GetSharedAllocator(OrtEnv* env, const OrtMemoryInfo* mem_info, OrtAllocator** allocator) {
  return Guard({{"env", env}, {"mem_info", mem_info}, {"allocator", allocator}},
               [&] { *allocator = env->SharedAllocator(*mem_info).get(); });
}

OrtStatus* ReleaseSharedAllocator(OrtEnv* env, const OrtEpDevice* ep_device, OrtDeviceMemoryType mem_type) {
  return Guard({{"env", env}, {"ep_device", ep_device}}, [&] { env->ReleaseSharedAllocator(*ep_device, mem_type); });
}

}  // namespace

OrtAllocator* NewHeldAllocator(std::shared_ptr<OrtAllocator> allocator) {
  return new HeldAllocator(std::move(allocator));
}

std::shared_ptr<OrtAllocator> Share(OrtAllocator* allocator) {
  if (HeldAllocator::Is(allocator)) return static_cast<HeldAllocator*>(allocator)->held;
  return {std::shared_ptr<void>(), allocator};
}

void FillAllocator(OrtApi& api) {
  api.GetAllocatorWithDefaultOptions = GetAllocatorWithDefaultOptions;
  api.AllocatorAlloc = AllocatorAlloc;
  api.AllocatorFree = AllocatorFree;
  api.AllocatorGetInfo = AllocatorGetInfo;
  api.AllocatorGetStats = AllocatorGetStats;
  api.CreateAllocator = CreateAllocator;
  api.ReleaseAllocator = ReleaseAllocator;
  api.CreateArenaCfg = CreateArenaCfg;
  api.CreateArenaCfgV2 = CreateArenaCfgV2;
  api.ReleaseArenaCfg = Delete<OrtArenaCfg>;
  api.RegisterAllocator = RegisterAllocator;
  api.UnregisterAllocator = UnregisterAllocator;
  api.CreateAndRegisterAllocator = CreateAndRegisterAllocator;
  api.CreateAndRegisterAllocatorV2 = CreateAndRegisterAllocatorV2;
  api.CreateSharedAllocator = CreateSharedAllocator;
  api.GetSharedAllocator = GetSharedAllocator;
  api.ReleaseSharedAllocator = ReleaseSharedAllocator;
}

}  // namespace ortrun::abi
