#include "edge/cache/freshness.hpp"

#include <chrono>
#include <cstdint>
#include <optional>

#include <gtest/gtest.h>

#include "edge/cache/limits.hpp"
#include "edge/cache/message_fixture.hpp"
#include "wire/http/fields/date.hpp"

namespace meridian::edge {
namespace {

using namespace std::chrono_literals;
using wire::http::HeaderField;

constexpr std::string_view kDate = "Sat, 21 Nov 2026 10:00:00 GMT";
const WallTime kNow = *wire::http::ParseDate(kDate, WallTime{}) + 500ms;

std::optional<Duration> Lifetime(std::initializer_list<HeaderField> list, bool heuristics = false,
                                 int status = 200) {
  wire::http::HeaderFields fields = Fields(list);
  return FreshnessLifetime(DirectivesOf(fields), fields, status, kNow, heuristics);
}

TEST(Freshness, IfTheCacheIsSharedAndSMaxageIsPresentItsValueIsUsed) {
  EXPECT_EQ(Lifetime({{"Cache-Control", "max-age=60, s-maxage=90"}}), 90s);
}

TEST(Freshness, IfMaxAgeIsPresentItsValueIsUsed) {
  EXPECT_EQ(Lifetime({{"Cache-Control", "max-age=60"}, {"Expires", "0"}}), 60s);
}

TEST(Freshness, IfExpiresIsPresentItsValueMinusDateIsUsed) {
  EXPECT_EQ(Lifetime({{"Date", kDate}, {"Expires", "Sat, 21 Nov 2026 10:05:00 GMT"}}), 300s);
  EXPECT_EQ(Lifetime({{"Expires", "Sat, 21 Nov 2026 10:05:00 GMT"}}), 300s);
  EXPECT_EQ(Lifetime({{"Date", kDate}, {"Expires", "Sat, 21 Nov 2026 09:00:00 GMT"}}), 0s);
}

TEST(Freshness, InvalidExpiresEspeciallyZeroIsInThePast) {
  EXPECT_EQ(Lifetime({{"Expires", "0"}}), 0s);
  EXPECT_EQ(Lifetime({{"Expires", "-1"}}), 0s);
  EXPECT_EQ(Lifetime({{"Expires", "Sat, 21 Nov 2026 10:05:00 GMT"}, {"Expires", "0"}}), 0s);
}

TEST(Freshness, OtherwiseNoExplicitExpirationTimeIsPresent) {
  EXPECT_EQ(Lifetime({{"ETag", "\"a\""}}), std::nullopt);
  EXPECT_EQ(Lifetime({{"Last-Modified", "Sat, 21 Nov 2026 09:50:00 GMT"}}), std::nullopt);
}

TEST(Freshness, HeuristicsAreATenthOfTheTimeSinceLastModifiedWhereAllowed) {
  constexpr HeaderField kModified = {"Last-Modified", "Sat, 21 Nov 2026 09:50:00 GMT"};
  EXPECT_EQ(Lifetime({kModified}, true), 60s);
  EXPECT_EQ(Lifetime({kModified}, true, 302), std::nullopt);
  EXPECT_EQ(Lifetime({kModified, {"Cache-Control", "public"}}, true, 302), 60s);
  EXPECT_EQ(Lifetime({{"Last-Modified", "Sat, 21 Nov 2020 09:50:00 GMT"}}, true),
            kMaxHeuristicLifetime);
  EXPECT_EQ(Lifetime({{"Last-Modified", "Sat, 21 Nov 2027 09:50:00 GMT"}}, true), std::nullopt);
  EXPECT_EQ(Lifetime({{"ETag", "\"a\""}}, true), std::nullopt);
}

TEST(Freshness, AnExpiryInTheYear9999WasNeverFresh) {
  EXPECT_EQ(Lifetime({{"Expires", "Fri, 31 Dec 9999 23:59:59 GMT"}}), wire::http::kMaxDeltaSeconds);
}

TEST(Freshness, AValidTargetedFieldReplacesCacheControlAndExpires) {
  EXPECT_EQ(Lifetime({{"CDN-Cache-Control", "max-age=600"}, {"Cache-Control", "max-age=1"}}), 600s);
  EXPECT_EQ(Lifetime({{"CDN-Cache-Control", "public"},
                      {"Cache-Control", "max-age=1"},
                      {"Expires", "Sat, 21 Nov 2026 10:05:00 GMT"}}),
            std::nullopt);
}

TEST(Freshness, AnInvalidOrEmptyTargetedFieldIsIgnored) {
  EXPECT_EQ(Lifetime({{"CDN-Cache-Control", "max-age=\"600\""}, {"Cache-Control", "max-age=1"}}),
            1s);
  EXPECT_EQ(Lifetime({{"CDN-Cache-Control", ""}, {"Cache-Control", "max-age=1"}}), 1s);
}

TEST(Age, IsTheLargerOfAgePlusDelayAndTheApparentAge) {
  EXPECT_EQ(InitialAge(Fields({{"Date", kDate}}), kNow, 2s), 2s);
  EXPECT_EQ(InitialAge(Fields({{"Date", kDate}, {"Age", "10"}}), kNow, 2s), 12s);
  EXPECT_EQ(InitialAge(Fields({{"Date", "Sat, 21 Nov 2026 09:59:00 GMT"}}), kNow, 2s), 60s);
  EXPECT_EQ(InitialAge(Fields({{"Date", "Sat, 21 Nov 2026 11:00:00 GMT"}}), kNow, 0s), 0s);
}

TEST(Age, AnInvalidAgeIsIgnoredAndAnOverflowIsTheGreatestAge) {
  EXPECT_EQ(InitialAge(Fields({{"Age", "-5"}}), kNow, 0s), 0s);
  EXPECT_EQ(InitialAge(Fields({{"Age", "abc"}}), kNow, 0s), 0s);
  EXPECT_EQ(InitialAge(Fields({{"Age", "7, 9"}}), kNow, 0s), 7s);
  EXPECT_EQ(InitialAge(Fields({{"Age", "99999999999999999999"}}), kNow, 0s),
            wire::http::kMaxDeltaSeconds);
}

TEST(Age, GrowsWhileTheResponseIsStored) {
  TimePoint received{1h};
  Freshness freshness{.received = received, .initial_age = 5s, .lifetime = 60s};
  EXPECT_EQ(freshness.Age(received + 10s), 15s);
  EXPECT_EQ(freshness.Left(received + 10s), 45s);
  EXPECT_EQ(freshness.Left(received + 100s), -45s);
}

TEST(Freshness, WhatIsMadeStaleIsStaleForALoopWhoseClockLags) {
  const TimePoint received{1h};
  for (Duration age : {Duration{0ms}, Duration{10s}}) {
    SharedFreshness freshness({.received = received, .lifetime = 60s});
    EXPECT_TRUE(freshness.MakeStale(received + age));
    for (Duration lag : {0ms, 8ms, 20'000ms}) {
      EXPECT_LE(freshness.Left(received + age - lag), 0s);
      EXPECT_FALSE(freshness.MakeStale(received + age - lag));
    }
    // How long it has been stale counts from then on, and it had a lifetime.
    EXPECT_EQ(freshness.Left(received + age + 5s), age == 0s ? Duration{1} - 5s : Duration{-5s});
    EXPECT_GT(freshness.Read().lifetime, 0s);
  }
}

TEST(Freshness, AValidationMakesAStaleResponseFresh) {
  const TimePoint received{1h};
  SharedFreshness freshness({.received = received, .lifetime = 60s});
  EXPECT_TRUE(freshness.MakeStale(received + 1s));
  freshness = Freshness{.received = received + 2s, .lifetime = 60s};
  EXPECT_EQ(freshness.Left(received + 2s), 60s);
}

TEST(Freshness, JitterOnlyShortensAndByNoMoreThanATwentieth) {
  for (uint64_t random : {uint64_t{0}, uint64_t{12345678901}, ~uint64_t{0}}) {
    Duration lifetime = Jittered(100s, random);
    EXPECT_LE(lifetime, 100s);
    EXPECT_GE(lifetime, 95s);
  }
  EXPECT_EQ(Jittered(9s, ~uint64_t{0}), 9s);
}

}  // namespace
}  // namespace meridian::edge
