// SPDX-License-Identifier: Apache-2.0
// The providers that session options choose. They are kept until a session is made, since a session may be given
// others.
#include <algorithm>

#include "python/src/devices.h"
#include "python/src/errors.h"
#include "python/src/gil.h"
#include "python/src/options.h"

namespace py = pybind11;

namespace ortrun::python {
namespace {

struct Pointers {
  std::vector<const char*> keys;
  std::vector<const char*> values;
};

Pointers PointersTo(const StringMap& map) {
  Pointers pointers;
  for (const auto& [key, value] : map) {
    pointers.keys.push_back(key.c_str());
    pointers.values.push_back(value.c_str());
  }
  return pointers;
}

Owned<OrtSessionOptions> Scratch(const OrtSessionOptions* options) {
  return Make<OrtSessionOptions>(Api().CloneSessionOptions, options);
}

void AppendDevices(OrtSessionOptions* options, const std::vector<const OrtEpDevice*>& devices,
                   const StringMap& device_options) {
  const Pointers pointers = PointersTo(device_options);
  Check(Api().SessionOptionsAppendExecutionProvider_V2(options, Environment(), devices.data(), devices.size(),
                                                       pointers.keys.data(), pointers.values.data(),
                                                       device_options.size()));
}

// A device ends with the library that offers it.
void CheckDevices(const ProviderChoice& choice) {
  const auto present = EpDevices();
  for (const OrtEpDevice* device : choice.devices) {
    if (std::find(present.begin(), present.end(), device) == present.end()) {
      throw std::runtime_error("a device of provider " + choice.name +
                               " in these SessionOptions has ended: its library was unregistered");
    }
  }
}

// By name; by its devices where the runtime knows the provider only so.
void AppendProvider(OrtSessionOptions* options, const ProviderChoice& choice) {
  if (!choice.devices.empty()) {
    CheckDevices(choice);
    return AppendDevices(options, choice.devices, choice.options);
  }
  const Pointers pointers = PointersTo(choice.options);
  OrtStatus* by_name = Api().SessionOptionsAppendExecutionProvider(options, choice.name.c_str(), pointers.keys.data(),
                                                                   pointers.values.data(), choice.options.size());
  if (by_name == nullptr) return;
  const Owned<OrtStatus> refusal(by_name);
  std::vector<const OrtEpDevice*> devices;
  for (const OrtEpDevice* device : EpDevices()) {
    if (choice.name == Api().EpDevice_EpName(device)) devices.push_back(device);
  }
  if (devices.empty()) throw StatusError(Api().GetErrorCode(by_name), Api().GetErrorMessage(by_name));
  AppendDevices(options, devices, choice.options);
}

// C calls this while it makes a session, with the GIL released.
OrtStatus* CallDelegate(const OrtEpDevice** devices, size_t num_devices, const OrtKeyValuePairs* model_metadata,
                        const OrtKeyValuePairs* runtime_metadata, const OrtEpDevice** selected, size_t max_selected,
                        size_t* num_selected, void* state) {
  const HoldGil held;
  *num_selected = 0;
  try {
    py::list offered;
    for (size_t i = 0; i < num_devices; ++i) offered.append(EpDevice(devices[i]));
    const py::handle delegate(static_cast<PyObject*>(state));
    const py::object chosen = delegate(offered, ToDict(model_metadata), ToDict(runtime_metadata), max_selected);
    for (const py::handle device : chosen) {
      if (*num_selected == max_selected) {
        return Api().CreateStatus(ORT_INVALID_ARGUMENT, "the selection delegate chose more devices than it may");
      }
      selected[(*num_selected)++] = device.cast<const EpDevice&>().get();
    }
    return nullptr;
  } catch (const std::exception& error) {
    return Api().CreateStatus(ORT_FAIL, (std::string("the selection delegate failed: ") + error.what()).c_str());
  }
}

}  // namespace

void SessionOptions::AddProvider(const std::string& name, const StringMap& options) {
  const auto scratch = Scratch(handle_.get());
  const ProviderChoice choice{name, options, {}};
  try {
    AppendProvider(scratch.get(), choice);
  } catch (const StatusError& error) {
    throw std::runtime_error("provider " + name + " cannot be used: " + error.what());
  }
  providers_.push_back(choice);
}

void SessionOptions::AddProviderForDevices(const std::vector<const OrtEpDevice*>& devices, const StringMap& options) {
  const auto scratch = Scratch(handle_.get());
  AppendDevices(scratch.get(), devices, options);
  providers_.push_back({Api().EpDevice_EpName(devices.front()), options, devices});
  survives_pickling_ = false;
}

void SessionOptions::SetSelectionPolicy(OrtExecutionProviderDevicePolicy policy) {
  policy_ = policy;
  delegate_ = py::object();
  survives_pickling_ = false;
}

void SessionOptions::SetSelectionDelegate(py::function delegate) {
  delegate_ = std::move(delegate);
  policy_.reset();
  survives_pickling_ = false;
}

void SessionOptions::ApplyProviders(OrtSessionOptions* options, const std::vector<ProviderChoice>& providers) const {
  for (const ProviderChoice& choice : providers.empty() ? providers_ : providers) AppendProvider(options, choice);
  if (!providers.empty()) return;
  if (policy_) Check(Api().SessionOptionsSetEpSelectionPolicy(options, *policy_));
  if (delegate_) Check(Api().SessionOptionsSetEpSelectionPolicyDelegate(options, &CallDelegate, delegate_.ptr()));
}

}  // namespace ortrun::python
