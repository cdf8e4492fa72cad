// SPDX-License-Identifier: Apache-2.0
#include "core/graph/pinned_domain.h"

#include <charconv>
#include <string_view>

#include "ortrun/error.h"

namespace ortrun {
namespace {

constexpr std::string_view kPrefix = "ortrun.opset.";

}  // namespace

std::string PinnedDomain::Name() const { return Concat(kPrefix, opset, domain.empty() ? "" : ":", domain); }

std::optional<PinnedDomain> PinnedDomain::Parse(const std::string& name) {
  if (!name.starts_with(kPrefix)) return std::nullopt;
  PinnedDomain pinned;
  const char* const end = name.data() + name.size();
  const auto [rest, error] = std::from_chars(name.data() + kPrefix.size(), end, pinned.opset);
  if (error != std::errc() || pinned.opset < 1) return std::nullopt;
  if (rest == end) return pinned;
  if (*rest != ':' || rest + 1 == end) return std::nullopt;
  pinned.domain.assign(rest + 1, end);
  return pinned;
}

}  // namespace ortrun
