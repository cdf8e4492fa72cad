// SPDX-License-Identifier: Apache-2.0
#include "core/abi/profiling_events.h"
#include "core/abi/array_argument.h"

#include <memory>

#include "core/abi/fill.h"
#include "core/abi/guard.h"

namespace ortrun::abi {
namespace {

OrtStatus* CreateProfilingEvent(OrtProfilingEventCategory category, int32_t process_id, int32_t thread_id,
                                const char* event_name, int64_t timestamp_us, int64_t duration_us,
                                const char* const* arg_keys, const char* const* arg_values, size_t num_args,
                                OrtProfilingEvent** out) {
  return Guard({{"event_name", event_name}, {"out", out}}, [&] {
    CheckPairs(arg_keys, arg_values, num_args);
    auto event = std::make_unique<OrtProfilingEvent>();
    event->category = category;
    event->process_id = process_id;
    event->thread_id = thread_id;
    event->name = event_name;
    event->timestamp_us = timestamp_us;
    event->duration_us = duration_us;
    for (size_t i = 0; i < num_args; ++i) event->args.Set(arg_keys[i], arg_values[i]);
    *out = event.release();
  });
}

OrtStatus* ProfilingEvent_GetCategory(const OrtProfilingEvent* event, OrtProfilingEventCategory* out) {
  return Guard({{"event", event}, {"out", out}}, [&] { *out = event->category; });
}

OrtStatus* ProfilingEvent_GetName(const OrtProfilingEvent* event, const char** out) {
  return Guard({{"event", event}, {"out", out}}, [&] { *out = event->name.c_str(); });
}

OrtStatus* ProfilingEvent_GetTimestampUs(const OrtProfilingEvent* event, int64_t* out) {
  return Guard({{"event", event}, {"out", out}}, [&] { *out = event->timestamp_us; });
}

OrtStatus* ProfilingEvent_GetDurationUs(const OrtProfilingEvent* event, int64_t* out) {
  return Guard({{"event", event}, {"out", out}}, [&] { *out = event->duration_us; });
}

OrtStatus* ProfilingEvent_GetArgValue(const OrtProfilingEvent* event, const char* key, const char** out) {
  return Guard({{"event", event}, {"key", key}, {"out", out}}, [&] {
    const std::string* value = event->args.Find(key);
    *out = value == nullptr ? nullptr : value->c_str();
  });
}

OrtStatus* ProfilingEventsContainer_AddEvents(OrtProfilingEventsContainer* events_container,
                                              const OrtProfilingEvent* const* events, size_t num_events) {
  return Guard({{"events_container", events_container}, Array("events", events, num_events)}, [&] {
    for (size_t i = 0; i < num_events; ++i)
      Require(events[i] != nullptr, "ProfilingEventsContainer_AddEvents: event ", i, " is null");
    for (size_t i = 0; i < num_events; ++i) events_container->events.push_back(*events[i]);
  });
}

}  // namespace

void FillProfilingEvents(OrtEpApi& api) {
  api.CreateProfilingEvent = CreateProfilingEvent;
  api.ReleaseProfilingEvent = Delete<OrtProfilingEvent>;
  api.ProfilingEvent_GetCategory = ProfilingEvent_GetCategory;
  api.ProfilingEvent_GetName = ProfilingEvent_GetName;
  api.ProfilingEvent_GetTimestampUs = ProfilingEvent_GetTimestampUs;
  api.ProfilingEvent_GetDurationUs = ProfilingEvent_GetDurationUs;
  api.ProfilingEvent_GetArgValue = ProfilingEvent_GetArgValue;
  api.ProfilingEventsContainer_AddEvents = ProfilingEventsContainer_AddEvents;
}

}  // namespace ortrun::abi
