#include "dns/geo/prefix_table.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "base/random.hpp"
#include "dns/limits.hpp"

namespace meridian::dns {
namespace {

IpPrefix P(std::string_view text) { return *IpPrefix::Parse(text); }

PrefixTable Table(const std::vector<std::string_view>& prefixes) {
  std::vector<PrefixEntry> entries;
  entries.reserve(prefixes.size());
  for (std::string_view text : prefixes) {
    entries.push_back({P(text), static_cast<uint32_t>(entries.size())});
  }
  return *PrefixTable::Build(entries);
}

PrefixMatch Find(const PrefixTable& table, std::string_view block) {
  IpPrefix prefix = P(block);
  return table.Find(prefix.address, prefix.length);
}

TEST(PrefixTable, LongestPrefixWins) {
  PrefixTable table = Table({"10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24", "0.0.0.0/0"});
  EXPECT_EQ(Find(table, "10.1.2.3").value, 2U);
  EXPECT_EQ(Find(table, "10.1.3.3").value, 1U);
  EXPECT_EQ(Find(table, "10.2.0.1").value, 0U);
  EXPECT_EQ(Find(table, "11.0.0.1").value, 3U);
}

TEST(PrefixTable, FamiliesAreApart) {
  PrefixTable table = Table({"0.0.0.0/0", "2001:db8::/32"});
  EXPECT_EQ(Find(table, "2001:db8::1").value, 1U);
  EXPECT_FALSE(Find(table, "2001:db9::1").value);
  EXPECT_EQ(Find(table, "32.1.13.184").value, 0U);
}

TEST(PrefixTable, EmptyTableMatchesNothingForEveryone) {
  EXPECT_FALSE(Find(PrefixTable(), "10.0.0.1").value);
  EXPECT_EQ(Find(PrefixTable(), "10.0.0.1").scope_bits, 0);
}

TEST(PrefixTable, ScopeIsThePrefixWhenNothingLiesInside) {
  PrefixTable table = Table({"198.51.100.0/24", "203.0.113.0/24"});
  EXPECT_EQ(Find(table, "198.51.100.77").scope_bits, 24);
}

TEST(PrefixTable, ScopeIsNarrowedWhereALongerPrefixLiesInside) {
  PrefixTable table = Table({"10.0.0.0/8", "10.128.0.0/24"});
  EXPECT_EQ(Find(table, "10.1.0.1").scope_bits, 9);     // the other half has the /24
  EXPECT_EQ(Find(table, "10.192.0.1").scope_bits, 10);  // and so on down to it
  EXPECT_EQ(Find(table, "10.128.1.1").scope_bits, 24);
  EXPECT_EQ(Find(table, "10.128.0.1").scope_bits, 24);
}

TEST(PrefixTable, ScopeOfAMissReachesToTheNextPrefix) {
  PrefixTable table = Table({"128.0.0.0/8"});
  EXPECT_EQ(Find(table, "1.2.3.4").scope_bits, 1);
  EXPECT_EQ(Find(table, "129.2.3.4").scope_bits, 8);
}

TEST(PrefixTable, BlockIsNotMatchedByAPrefixThatHoldsOnlyAPartOfIt) {
  PrefixTable table = Table({"10.0.0.0/8", "10.0.0.0/24"});
  EXPECT_EQ(Find(table, "10.0.0.0/16").value, 0U);
  EXPECT_EQ(Find(table, "10.0.0.0/16").scope_bits, 24);  // asking with more bits gets more
  EXPECT_EQ(Find(table, "10.0.0.0/24").value, 1U);
}

TEST(PrefixTable, DefaultRoutesAndWholeAddressesAreExact) {
  PrefixTable table = Table({"::/0", "2001:db8::1/128", "10.0.0.1/32"});
  EXPECT_EQ(Find(table, "2001:db8::1").value, 1U);
  EXPECT_EQ(Find(table, "2001:db8::1").scope_bits, 128);
  EXPECT_EQ(Find(table, "2001:db8::").value, 0U);
  EXPECT_EQ(Find(table, "2001:db8::").scope_bits, 128);
  EXPECT_EQ(Find(table, "10.0.0.1").value, 2U);
  EXPECT_FALSE(Find(table, "10.0.0.0").value);
  EXPECT_EQ(Find(table, "10.0.0.0").scope_bits, 32);
}

TEST(PrefixTable, RefusesAPrefixThatStandsTwice) {
  Result<PrefixTable> table = PrefixTable::Build({{P("10.0.0.0/8"), 1}, {P("10.0.0.0/8"), 2}});
  ASSERT_FALSE(table);
  EXPECT_EQ(table.error().code, Errc::kExists);
  EXPECT_NE(table.error().message.find("10.0.0.0/8"), std::string::npos);
}

TEST(PrefixTable, HoldsAtMostSoManyPrefixes) {
  std::vector<PrefixEntry> entries;
  for (size_t i = 0; i < kMaxPrefixes; ++i) {
    auto byte = [i](int shift) { return static_cast<uint8_t>(i >> shift); };
    entries.push_back({{IpAddress::V4(1, byte(16), byte(8), byte(0)), 32}, 0});
  }
  EXPECT_TRUE(PrefixTable::Build(entries));
  entries.push_back({P("2.0.0.0/8"), 0});
  EXPECT_EQ(PrefixTable::Build(entries).error().code, Errc::kTooLarge);
}

// Compares with the definition: tries every prefix; and every address inside a scope has the same
// match.
TEST(PrefixTable, AgreesWithTryingEveryPrefix) {
  Random random(7);
  auto random_prefix = [&random](int least) {
    IpAddress address = IpAddress::V4(10, static_cast<uint8_t>(random.Below(4)),
                                      static_cast<uint8_t>(random.Below(4)),
                                      static_cast<uint8_t>(random.Below(256)));
    int length = least + static_cast<int>(random.Below(static_cast<uint64_t>(33 - least)));
    return IpPrefix{address.Masked(length), length};
  };
  std::vector<PrefixEntry> entries;
  for (int i = 0; i < 60; ++i) {
    IpPrefix prefix = random_prefix(6);
    auto same = [&prefix](const PrefixEntry& entry) { return entry.prefix == prefix; };
    if (!std::ranges::any_of(entries, same)) entries.push_back({prefix, static_cast<uint32_t>(i)});
  }
  PrefixTable table = *PrefixTable::Build(entries);
  auto expected = [&entries](const IpAddress& address) {
    const PrefixEntry* longest = nullptr;
    for (const PrefixEntry& entry : entries) {
      bool longer = longest == nullptr || entry.prefix.length > longest->prefix.length;
      if (longer && entry.prefix.Contains(address)) longest = &entry;
    }
    return longest == nullptr ? std::nullopt : std::optional(longest->value);
  };
  for (int i = 0; i < 2000; ++i) {
    IpAddress address = random_prefix(32).address;
    PrefixMatch match = table.Find(address, 32);
    EXPECT_EQ(match.value, expected(address)) << address.ToString();
    IpPrefix scope{address.Masked(match.scope_bits), match.scope_bits};
    IpAddress other = random_prefix(32).address;
    if (scope.Contains(other)) EXPECT_EQ(expected(other), match.value) << scope.ToString();
  }
}

}  // namespace
}  // namespace meridian::dns
