// SPDX-License-Identifier: Apache-2.0
// A Pad with zeros before a Conv becomes the convolution's own padding.
#include "core/optimizer/passes.h"

namespace ortrun {

namespace {

std::optional<std::vector<int64_t>> ZeroPads(const Node& pad) {
  if (pad.String("mode", "constant") != "constant" || Input(&pad, 3) != nullptr) return std::nullopt;
  if (pad.since_version < 11) {
    if (pad.Float("value", 0) != 0) return std::nullopt;
    return pad.Ints("pads");
  }
  if (Input(&pad, 2) != nullptr && !IsScalarOf(pad.inputs[2], 0)) return std::nullopt;
  return IntsOf(Input(&pad, 1));
}

bool Rewrite(Rewriter& rewriter, Node& conv) {
  if (!conv.Is("Conv") || conv.String("auto_pad", "NOTSET") != "NOTSET") return false;
  Node* pad = MadeBy(Input(&conv, 0), "Pad");
  if (pad == nullptr) return false;
  const auto pads = ZeroPads(*pad);
  const int64_t rank = RankOf(pad->inputs[0]);
  if (!pads || rank < 3 || pads->size() != static_cast<size_t>(2 * rank)) return false;
  const size_t spatial = static_cast<size_t>(rank) - 2;
  for (size_t i = 0; i < pads->size(); ++i) {
    const bool batch_or_channel = i % static_cast<size_t>(rank) < 2;
    if ((*pads)[i] < 0 || (*pads)[i] > 1 << 20 || (batch_or_channel && (*pads)[i] != 0)) return false;
  }
  std::vector<int64_t> sum = conv.Ints("pads");
  if (sum.empty()) sum.assign(2 * spatial, 0);
  if (sum.size() != 2 * spatial) return false;
  for (size_t i = 0; i < spatial; ++i) {
    sum[i] += (*pads)[i + 2];
    sum[i + spatial] += (*pads)[i + 2 + static_cast<size_t>(rank)];
  }
  Patch patch = rewriter.Start(conv);
  patch.Take(&conv);
  Node* made = patch.Copy(conv);
  patch.SetInput(made, 0, pad->inputs[0]);
  SetAttribute(made, "pads", sum);
  patch.SetOutput(made, 0, conv.outputs[0]);
  return rewriter.Apply(patch);
}

void Run(Rewriter& rewriter) {
  rewriter.ForEach([&](Node& node) { return Rewrite(rewriter, node); });
}

}  // namespace

std::unique_ptr<Pass> MakePadIntoConvolution() {
  return MakePass("pad_into_convolution", PassStage::kPortable, ORT_ENABLE_BASIC, Run);
}

}  // namespace ortrun
