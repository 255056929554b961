#include "session/data/scan_table.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "base/random.hpp"

namespace meridian::session {
namespace {

struct Word {
  std::string text;
  int64_t due = ScanTable<Word>::kNeverDue;

  std::string_view key() const { return text; }
  static void Destroy(Word* word) { delete word; }
};
using Table = ScanTable<Word>;

void Add(Table& table, const std::string& text) {
  table.Insert(new Word{text}, table.HashOf(text));
}
void Erase(Table& table, const std::string& text) {
  Word* word = table.Find(text);
  ASSERT_NE(word, nullptr);
  table.Remove(word, table.HashOf(text));
  Word::Destroy(word);
}
std::string Numbered(uint64_t i) { return "key:" + std::to_string(i); }

TEST(ScanTable, HoldsWhatASetHolds) {
  Table table(7);
  std::set<std::string> expected;
  Random random(1);
  for (uint64_t i = 0; i < 200000; ++i) {
    // Grows, shrinks and grows again.
    bool growing = (i / 50000) % 2 == 0;
    std::string key = Numbered(random.Below(20000));
    if (random.Chance(growing ? 0.8 : 0.2)) {
      if (expected.insert(key).second) Add(table, key);
    } else if (expected.erase(key) != 0) {
      Erase(table, key);
    }
    ASSERT_EQ(table.size(), expected.size());
  }
  for (uint64_t i = 0; i < 20000; ++i) {
    ASSERT_EQ(table.Find(Numbered(i)) != nullptr, expected.contains(Numbered(i))) << i;
  }
}

TEST(ScanTable, WalkOfATableAtRestVisitsEachItemOnce) {
  for (size_t size : {0UL, 1UL, 5UL, 6UL, 7UL, 300UL, 385UL, 5000UL}) {
    Table table(size);
    for (size_t i = 0; i < size; ++i) Add(table, Numbered(i));
    std::map<std::string, int> seen;
    uint64_t cursor = 0;
    do {
      cursor = table.Scan(cursor, 10, [&](const Word& word) { ++seen[word.text]; });
      ASSERT_LT(cursor, uint64_t{1} << 38);
    } while (cursor != 0);
    EXPECT_EQ(seen.size(), size);
    for (const auto& [key, times] : seen) EXPECT_EQ(times, 1) << key;
  }
}

// What was there from the first step to the last is visited, however the table changes meanwhile.
void ExpectWalkSeesWhatStays(uint64_t seed) {
  Random random(seed);
  Table table(seed);
  std::set<std::string> staying;
  std::set<std::string> others;
  for (uint64_t i = 0; i < 3000; ++i) {
    Add(table, Numbered(i));
    (random.Chance(0.2) ? staying : others).insert(Numbered(i));
  }
  std::set<std::string> seen;
  uint64_t cursor = 0;
  uint64_t fresh = 10000;
  bool growing = random.Chance(0.5);
  do {
    cursor = table.Scan(cursor, 20, [&](const Word& word) { seen.insert(word.text); });
    if (random.Chance(0.02)) growing = !growing;
    for (uint64_t i = 0; i < 60; ++i) {
      if (growing && table.size() < 9000) {
        Add(table, Numbered(fresh));
        others.insert(Numbered(fresh++));
      } else if (!others.empty()) {
        Erase(table, *others.begin());
        others.erase(others.begin());
      }
    }
  } while (cursor != 0);
  for (const std::string& key : staying) EXPECT_TRUE(seen.contains(key)) << key << " " << seed;
}

TEST(ScanTable, WalkOfATableThatChangesMissesNothingThatStays) {
  for (uint64_t seed = 0; seed < 30; ++seed) ExpectWalkSeesWhatStays(seed);
}

TEST(ScanTable, AnyCursorIsSafe) {
  Table table(1);
  for (uint64_t i = 0; i < 2000; ++i) Add(table, Numbered(i));
  Random random(2);
  for (uint64_t i = 0; i < 2000; ++i) {
    uint64_t cursor = random.Next() >> random.Below(64);
    EXPECT_LT(table.Scan(cursor, 3, [](const Word&) {}), uint64_t{1} << 38);
  }
}

TEST(ScanTable, SweepVisitsWhatIsDueAndDropsIt) {
  Table table(3);
  for (uint64_t i = 0; i < 3000; ++i) {
    Add(table, Numbered(i));
    Word* word = table.Find(Numbered(i));
    word->due = i % 3 == 0 ? 100 : 200;
    table.NoteDue(table.HashOf(word->text), word->due);
  }
  auto sweep = [&](int64_t now) {
    uint64_t dropped = 0;
    uint64_t position = 0;
    do {
      Table::SweepLimits limits{.segments = 3, .due_segments = 2};
      position = table.Sweep(
          position, &limits, now,
          [&](const Word& word) { return word.due <= now ? Table::kDrop : word.due; },
          [&](Word* word) {
            ++dropped;
            Word::Destroy(word);
          });
    } while (position != 0);
    return dropped;
  };
  EXPECT_EQ(sweep(99), 0);
  EXPECT_EQ(sweep(100), 1000);
  EXPECT_EQ(sweep(100), 0);
  EXPECT_EQ(sweep(200), 2000);
  EXPECT_EQ(table.size(), 0);
}

TEST(ScanTable, MemoryComesBackWhenItemsGo) {
  Table table(3);
  for (uint64_t i = 0; i < 100000; ++i) Add(table, Numbered(i));
  size_t full = table.memory_bytes();
  EXPECT_LT(full / 100000, 24);  // bytes an item
  for (uint64_t i = 0; i < 100000; ++i) Erase(table, Numbered(i));
  EXPECT_LT(table.memory_bytes(), full / 8);
}

TEST(ScanTable, ReplacedItemIsFound) {
  Table table(3);
  Add(table, "a");
  Word* old = table.Find("a");
  auto* fresh = new Word{"a", 5};
  table.Replace(old, fresh, table.HashOf("a"));
  Word::Destroy(old);
  EXPECT_EQ(table.Find("a"), fresh);
  (void)table.TakeAll();
  EXPECT_EQ(table.Find("a"), nullptr);
}

}  // namespace
}  // namespace meridian::session
