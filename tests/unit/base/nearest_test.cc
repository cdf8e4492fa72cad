// SPDX-License-Identifier: Apache-2.0
#include "core/base/nearest.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <random>

namespace ortrun {
namespace {

const std::vector<std::string> kNames{"pixel_values", "attention_mask", "input_ids"};

TEST(Nearest, FindsSlipsOfTheKeyboard) {
  EXPECT_EQ(Nearest("pixel_value", kNames), "pixel_values");
  EXPECT_EQ(Nearest("Input_IDs", kNames), "input_ids");
  EXPECT_EQ(Nearest("atention_maks", kNames), "attention_mask");
  EXPECT_EQ(Nearest("input_ids", kNames), "input_ids");
}

TEST(Nearest, AnswersNothingForWhatIsFarOff) {
  EXPECT_EQ(Nearest("labels", kNames), "");
  EXPECT_EQ(Nearest("x", kNames), "");
  EXPECT_EQ(Nearest("", {}), "");
}

TEST(Nearest, ShortNamesMayDifferByTwo) {
  EXPECT_EQ(Nearest("Relo", {"Relu", "Gelu"}), "Relu");
  EXPECT_EQ(Nearest("abc", {"xyz"}), "");
}

TEST(Nearest, LongNamesAreComparedAsFarAsTheyDiffer) {
  const std::string common(5000, 'x');
  EXPECT_EQ(Nearest(common + "weigth", {common + "bias", common + "weight"}), common + "weight");
  EXPECT_EQ(Nearest(std::string(1000, 'z'), {std::string(1000, 'x')}), "");
  EXPECT_EQ(Nearest(std::string(3000, 'A'), {std::string(3000, 'a')}), std::string(3000, 'a'));
  EXPECT_EQ(Nearest(common, {std::string(4990, 'x')}), std::string(4990, 'x'));
  EXPECT_EQ(Nearest(common, {std::string(4900, 'x')}), "");
}

/// The plain table of all prefixes, for comparison.
size_t PlainDistance(const std::string& a, const std::string& b) {
  std::vector<std::vector<size_t>> table(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i)
    for (size_t j = 0; j <= b.size(); ++j)
      table[i][j] = i == 0   ? j
                    : j == 0 ? i
                             : std::min({table[i - 1][j] + 1, table[i][j - 1] + 1,
                                         table[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
  return table[a.size()][b.size()];
}

TEST(Nearest, AgreesWithThePlainEditDistance) {
  std::mt19937 random(1);
  const auto word = [&] {
    std::string letters(random() % 14, 'a');
    for (char& letter : letters) letter = static_cast<char>('a' + random() % 3);
    return letters;
  };
  for (int i = 0; i < 3000; ++i) {
    const std::string a = word();
    const std::string b = word();
    const size_t most = std::max<size_t>(2, a.size() / 3);
    EXPECT_EQ(Nearest(a, {b}) == b && !(b.empty() && PlainDistance(a, b) > most), PlainDistance(a, b) <= most)
        << a << " " << b;
  }
}

TEST(Nearest, CostsTimeInProportionToTheNames) {
  std::vector<std::string> names;
  for (int i = 0; i < 100'000; ++i) names.push_back("model.layers." + std::to_string(i) + ".self_attn.q_proj.weight");
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(Nearest("model.layers.99999.self_attn.q_prod.weight", names), names.back());
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
}

TEST(Shortened, KeepsWhatIsReadable) {
  EXPECT_EQ(Shortened("name"), "name");
  const std::string shown = Shortened(std::string(100'000, 'Q'));
  EXPECT_LT(shown.size(), 300U);
  EXPECT_NE(shown.find("(100000 bytes)"), std::string::npos);
  std::string letters;
  for (int i = 0; i < 1000; ++i) letters += "\xC3\xA4";
  const std::string half = Shortened("x" + letters);
  for (size_t i = 0; i < half.size(); ++i) {  // no letter is cut in two
    if (half[i] == '\xC3') {
      EXPECT_EQ(half.at(i + 1), '\xA4');
    }
  }
}

TEST(DidYouMean, IsASentenceOrNothing) {
  EXPECT_EQ(DidYouMean("Rellu", {"Relu"}), " Did you mean 'Relu'?");
  EXPECT_EQ(DidYouMean("Convolution", {"Relu"}), "");
}

TEST(Join, ListsOrSaysNone) {
  EXPECT_EQ(Join({"a", "b"}), "a, b");
  EXPECT_EQ(Join({}), "none");
  EXPECT_TRUE(Join(std::vector<std::string>(1000, "a")).ends_with(" and 936 more"));
}

}  // namespace
}  // namespace ortrun
