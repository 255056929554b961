#include "session/data/merge.hpp"

#include <cstdint>
#include <string>

#include <gtest/gtest.h>

#include "base/random.hpp"

namespace meridian::session {
namespace {

// Few of each, so that they meet.
HybridTime RandomTime(Random& random) { return {random.Below(6)}; }
Stamp RandomStamp(Random& random) {
  return {RandomTime(random), static_cast<uint8_t>(random.Below(3))};
}
std::string RandomText(Random& random) { return std::string(1, "abc"[random.Below(3)]); }
Expiry RandomExpiry(Random& random) {
  return {.at_ms = static_cast<int64_t>(random.Below(3)), .stamp = RandomStamp(random)};
}
Register RandomRegister(Random& random) {
  return {RandomText(random), random.Chance(0.7), RandomStamp(random)};
}
Contribution RandomContribution(Random& random) {
  return {RandomTime(random), RandomTime(random), static_cast<int64_t>(random.Below(3))};
}
MemberTag RandomTag(Random& random) { return {RandomTime(random), RandomTime(random)}; }

KeyState RandomState(Random& random) {
  KeyState state;
  if (random.Chance(0.5)) state.delete_stamp = RandomStamp(random);
  if (random.Chance(0.5)) state.expiry = RandomExpiry(random);
  if (random.Chance(0.3)) state.text = RandomRegister(random);
  for (uint8_t replica_id = 0; replica_id < 3; ++replica_id) {
    if (random.Chance(0.3)) state.counts[replica_id] = RandomContribution(random);
    if (random.Chance(0.3)) state.fields[RandomText(random)] = RandomRegister(random);
    if (random.Chance(0.3)) state.members[RandomText(random)][replica_id] = RandomTag(random);
  }
  DropDeleted(&state);
  return state;
}

template <class T>
void ExpectSemilattice(T (*make)(Random&)) {
  for (uint64_t seed = 0; seed < 20000; ++seed) {
    Random random(seed);
    T a = make(random);
    T b = make(random);
    T c = make(random);
    ASSERT_EQ(Merge(a, b), Merge(b, a)) << "not commutative, seed " << seed;
    ASSERT_EQ(Merge(Merge(a, b), c), Merge(a, Merge(b, c))) << "not associative, seed " << seed;
    ASSERT_EQ(Merge(a, a), a) << "not idempotent, seed " << seed;
    ASSERT_EQ(Merge(Merge(a, b), b), Merge(a, b)) << "not absorbing, seed " << seed;
  }
}

TEST(Merge, ExpiryIsASemilattice) { ExpectSemilattice(&RandomExpiry); }
TEST(Merge, RegisterIsASemilattice) { ExpectSemilattice(&RandomRegister); }
TEST(Merge, ContributionIsASemilattice) { ExpectSemilattice(&RandomContribution); }
TEST(Merge, MemberTagIsASemilattice) { ExpectSemilattice(&RandomTag); }
TEST(Merge, KeyStateIsASemilattice) { ExpectSemilattice(&RandomState); }

Stamp At(uint64_t time, uint8_t replica_id = 0) { return {{time}, replica_id}; }

TEST(Merge, LastWriterOfAStringWins) {
  KeyState east{.delete_stamp = At(5), .text = Register{"east", true, At(5)}};
  KeyState west{.delete_stamp = At(5, 1), .text = Register{"west", true, At(5, 1)}};
  EXPECT_EQ(Merge(east, west).text->value, "west");
}

TEST(Merge, DeletionWinsOverAConcurrentTouch) {
  KeyState session{.delete_stamp = At(1), .text = Register{"user", true, At(1)}};
  KeyState destroyed = Merge(session, {.delete_stamp = At(2)});
  KeyState touched = Merge(session, {.expiry = {.at_ms = 9, .stamp = At(3, 1)}});
  EXPECT_FALSE(Merge(destroyed, touched).text.has_value());
}

TEST(Merge, TouchAndSetBothCount) {
  KeyState set{.delete_stamp = At(2), .text = Register{"new", true, At(2)}};
  KeyState touch{.expiry = {.at_ms = 9, .stamp = At(3, 1)}};
  KeyState both = Merge(set, touch);
  EXPECT_EQ(both.text->value, "new");
  EXPECT_EQ(both.expiry.at_ms, 9);
}

TEST(Merge, CountsOfDataCentersStandSideBySide) {
  KeyState east;
  east.counts[0] = {.since = {1}, .updated = {4}, .sum = 3};
  KeyState west;
  west.counts[1] = {.since = {2}, .updated = {2}, .sum = 5};
  KeyState both = Merge(east, west);
  EXPECT_EQ(both.counts[0].sum + both.counts[1].sum, 8);
}

TEST(Merge, AdditionThatARemovalHasNotObservedStays) {
  KeyState east;
  east.members["x"][0] = {.added = {1}, .removed = {1}};
  KeyState west;
  west.members["x"][1] = {.added = {1}};
  KeyState both = Merge(east, west);
  EXPECT_FALSE(both.members["x"][0].present());
  EXPECT_TRUE(both.members["x"][1].present());
}

}  // namespace
}  // namespace meridian::session
