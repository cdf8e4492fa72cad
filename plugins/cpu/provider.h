// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "ortrun/host.h"
#include "ortrun/kernel.h"

namespace ortrun::cpu {

/// What all sessions of one host share: its tables and the registered kernels. Made once, when the host creates the
/// factory, and kept for the life of the process, since kernels of a session may outlive the factory.
class Provider {
 public:
  /// Throws when the host's tables cannot serve it.
  explicit Provider(const Host& host);

  const Host& host() const { return host_; }
  /// "CPUExecutionProvider" on a host that offers ortrun's tables; other hosts have a provider of that name themselves.
  const std::string& name() const { return name_; }
  const OrtKernelRegistry* registry() const { return registry_.get(); }
  /// Whether a channels-last form of the operator is registered.
  bool HasChannelsLast(const char* op) const;

 private:
  Host host_;
  std::string name_;
  KernelList kernels_;
  KernelList::Registry registry_;
};

}  // namespace ortrun::cpu
