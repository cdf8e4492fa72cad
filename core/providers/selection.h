// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "core/execution/options.h"
#include "core/graph/graph.h"
#include "core/providers/environment.h"

namespace ortrun {

/// The devices that the session's policy, or the caller's delegate, chooses among all of the environment: one request
/// a provider, in the order of choice. A policy chooses the devices of its kind that one provider has (the first that
/// was registered, one made by the device's vendor before others, a discrete device before an integrated one) and
/// nothing where the machine has none, so that the host's own providers run the model.
/// Throws Error(ORT_FAIL) when the delegate fails, chooses nothing, too much or what is no device.
std::vector<ProviderRequest> SelectProviders(Environment& env, const SessionOptions& options, const Model& model);

}  // namespace ortrun
