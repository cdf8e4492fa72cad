// SPDX-License-Identifier: Apache-2.0
#pragma once

// Numbers that are known before a run only as sums of dimensions: constant + sum of coefficient * dimension. Equal
// forms are one symbol, so that whether two numbers agree in every run is a comparison of two symbols.

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace ortrun {

/// A dimension or an element of a shape tensor: a number, or a symbol. Equal symbols are equal numbers in every run.
struct Dim {
  int64_t value = 0;
  int symbol = 0;  ///< 0: `value` is the number

  bool known() const { return symbol == 0; }
  bool Is(int64_t number) const { return known() && value == number; }
  bool operator==(const Dim&) const = default;
  auto operator<=>(const Dim&) const = default;
};

class LinearForms {
 public:
  /// A dimension that nothing is known of but that it is never negative.
  Dim Fresh();

  /// Nothing where a coefficient would overflow.
  std::optional<Dim> Sum(Dim a, Dim b) { return Combined(a, 1, b, 1); }
  std::optional<Dim> Difference(Dim a, Dim b) { return Combined(a, 1, b, -1); }
  std::optional<Dim> Product(Dim a, int64_t factor) { return Combined(a, factor, {}, 0); }
  /// Nothing unless the positive `divisor` divides the number in every run.
  std::optional<Dim> Quotient(Dim a, int64_t divisor);

  /// Whether the number is 0 or more in every run, as far as the form tells.
  bool NeverNegative(Dim a) const;
  /// Whether a <= b in every run, as far as the forms tell.
  bool AtMost(Dim a, Dim b);

 private:
  struct Form {
    int64_t constant = 0;
    std::vector<std::pair<int, int64_t>> terms;  ///< symbols of Fresh with coefficients other than 0, ascending
    auto operator<=>(const Form&) const = default;
  };

  Form FormOf(Dim a) const { return a.known() ? Form{a.value, {}} : forms_[static_cast<size_t>(a.symbol) - 1]; }
  std::optional<Dim> Combined(Dim a, int64_t a_factor, Dim b, int64_t b_factor);
  Dim Interned(Form form);

  std::vector<Form> forms_;  ///< of symbol i at i - 1
  std::map<Form, int> symbols_;
};

}  // namespace ortrun
