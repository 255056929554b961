#include "site/load/reference.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "site/key_description.hpp"
#include "site/load/table_reader.hpp"
#include "site/section.hpp"
#include "site/site.hpp"
#include "site/tier_description.hpp"

namespace meridian::site {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

struct Cheese {};

Cheese ParseCheese(TableReader& reader, const Site& /*site*/) {
  reader.Integer("holes", {.min = 0, .max = 99, .fallback = 7});
  if (reader.Has("age")) reader.Duration("age", {.min = 1h, .max = 720h});
  for (TableReader& rind : reader.Tables("rind", {.max = 3})) rind.Text("colour");
  TableReader prices = reader.Table("prices");
  for (const std::string& name : prices.Names()) {
    prices.Number(name, {.min = 0, .max = 10, .fallback = 1.5});
  }
  return {};
}

constexpr KeyDescription kKeys[] = {
    {.table = "cheese", .sentence = "A cheese."},
    {.table = "cheese", .key = "holes", .sentence = "Its holes."},
    {.table = "cheese", .key = "age", .sentence = "Its age.", .fallback = "young"},
    {.table = "cheese.rind", .sentence = "A rind."},
    {.table = "cheese.rind", .key = "colour", .sentence = "Its colour."},
    {.table = "cheese.prices", .sentence = "Prices."},
    {.table = "cheese.prices", .key = kAnyName, .sentence = "The price in NAME."},
};

Reference DescribeCheese(std::span<const KeyDescription> keys) {
  std::vector<TierDescription> tiers = {
      {.name = "cheese", .section = Section::Of<Cheese>("cheese", &ParseCheese, keys)}};
  return Describe(tiers);
}

std::vector<std::string> RowsOf(const Reference& reference, std::string_view title) {
  auto table = std::ranges::find(reference.tables, title, &TableReference::title);
  std::vector<std::string> rows;
  if (table == reference.tables.end()) return rows;
  for (const KeyReference& key : table->keys) {
    rows.push_back(key.read.key + "|" + key.read.type + "|" + key.read.limits + "|" +
                   key.read.fallback.value_or("required") + "|" + std::string(key.sentence));
  }
  return rows;
}

TEST(Reference, HasTheTypeTheLimitsAndTheDefaultThatTheReaderWasGiven) {
  Reference reference = DescribeCheese(kKeys);
  EXPECT_THAT(reference.problems, IsEmpty());
  EXPECT_THAT(RowsOf(reference, "[cheese]"), ElementsAre("holes|integer|0 to 99|7|Its holes.",
                                                         "age|duration|1h to 30d|young|Its age."));
  EXPECT_THAT(RowsOf(reference, "[[cheese.rind]]"),
              ElementsAre("colour|string|at most 1024 bytes|required|Its colour."));
  EXPECT_THAT(RowsOf(reference, "[cheese.prices]"),
              ElementsAre("NAME|number|0 to 10|1.5|The price in NAME."));
}

TEST(Reference, AKeyThatIsReadAndNotDescribedIsAProblem) {
  std::vector<KeyDescription> keys(std::begin(kKeys), std::end(kKeys));
  std::erase_if(keys, [](const KeyDescription& each) { return each.key == "holes"; });
  EXPECT_THAT(DescribeCheese(keys).problems,
              ElementsAre("cheese.holes is read, but not described"));
}

TEST(Reference, AKeyThatIsDescribedAndNotReadIsAProblem) {
  std::vector<KeyDescription> keys(std::begin(kKeys), std::end(kKeys));
  keys.push_back({.table = "cheese", .key = "smell", .sentence = "Its smell."});
  EXPECT_THAT(DescribeCheese(keys).problems,
              ElementsAre("cheese.smell is described, but not read"));
}

TEST(Reference, ATableThatIsNotDescribedIsAProblem) {
  std::vector<KeyDescription> keys(std::begin(kKeys), std::end(kKeys));
  std::erase_if(keys, [](const KeyDescription& each) {
    return each.table == "cheese.rind" && each.key.empty();
  });
  EXPECT_THAT(DescribeCheese(keys).problems,
              ElementsAre("cheese.rind is a table without a description"));
}

}  // namespace
}  // namespace meridian::site
