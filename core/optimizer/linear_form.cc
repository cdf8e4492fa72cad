// SPDX-License-Identifier: Apache-2.0
#include "core/optimizer/linear_form.h"

#include <algorithm>

namespace ortrun {

namespace {

/// sum += factor * number, unless that overflows.
bool AddProduct(int64_t& sum, int64_t factor, int64_t number) {
  int64_t product = 0;
  return !__builtin_mul_overflow(factor, number, &product) && !__builtin_add_overflow(sum, product, &sum);
}

}  // namespace

Dim LinearForms::Fresh() {
  const int symbol = static_cast<int>(forms_.size()) + 1;
  return Interned({0, {{symbol, 1}}});
}

Dim LinearForms::Interned(Form form) {
  if (form.terms.empty()) return {form.constant, 0};
  const auto [place, added] = symbols_.emplace(form, static_cast<int>(forms_.size()) + 1);
  if (added) forms_.push_back(std::move(form));
  return {0, place->second};
}

std::optional<Dim> LinearForms::Combined(Dim a, int64_t a_factor, Dim b, int64_t b_factor) {
  Form result;
  std::map<int, int64_t> terms;
  const std::pair<Dim, int64_t> parts[] = {{a, a_factor}, {b, b_factor}};
  for (const auto& [dim, factor] : parts) {
    const Form form = FormOf(dim);
    if (!AddProduct(result.constant, factor, form.constant)) return std::nullopt;
    for (const auto& [symbol, coefficient] : form.terms) {
      if (!AddProduct(terms[symbol], factor, coefficient)) return std::nullopt;
    }
  }
  for (const auto& term : terms) {
    if (term.second != 0) result.terms.emplace_back(term);
  }
  return Interned(std::move(result));
}

std::optional<Dim> LinearForms::Quotient(Dim a, int64_t divisor) {
  if (divisor <= 0) return std::nullopt;
  Form form = FormOf(a);
  const auto divide = [divisor](int64_t& number) {
    const bool exact = number % divisor == 0;
    number /= divisor;
    return exact;
  };
  bool exact = divide(form.constant);
  for (auto& term : form.terms) exact = exact && divide(term.second);
  return exact ? std::optional(Interned(std::move(form))) : std::nullopt;
}

bool LinearForms::NeverNegative(Dim a) const {
  const Form form = FormOf(a);
  return form.constant >= 0 &&
         std::all_of(form.terms.begin(), form.terms.end(), [](const auto& term) { return term.second > 0; });
}

bool LinearForms::AtMost(Dim a, Dim b) {
  const auto difference = Difference(b, a);
  return difference && NeverNegative(*difference);
}

}  // namespace ortrun
