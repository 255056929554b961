#include "edge/cache/stale.hpp"

#include <chrono>

#include <gtest/gtest.h>

#include "edge/cache/message_fixture.hpp"

namespace meridian::edge {
namespace {

using namespace std::chrono_literals;
using wire::http::CacheControl;

CacheControl Control(std::string_view value) {
  return wire::http::ParseCacheControl(Fields({{"Cache-Control", value}}));
}

constexpr TimePoint kReceived{1h};
constexpr Freshness kMinute{.received = kReceived, .initial_age = 0s, .lifetime = 60s};

Use Judge(Duration age, std::string_view response, std::string_view request = "") {
  return JudgeUse(kMinute, Control(response), Control(request), kReceived + age);
}

TEST(Stale, AFreshResponseIsUsedAndAStaleOneIsNot) {
  EXPECT_EQ(Judge(59s, ""), Use::kFresh);
  EXPECT_EQ(Judge(60s, ""), Use::kRevalidate);
  EXPECT_EQ(Judge(1s, "no-cache"), Use::kRevalidate);
}

TEST(Stale, RequestMaxAgeNoCacheAndMinFreshRefuseIt) {
  EXPECT_EQ(Judge(10s, "", "max-age=10"), Use::kFresh);
  EXPECT_EQ(Judge(11s, "", "max-age=10"), Use::kRevalidate);
  EXPECT_EQ(Judge(10s, "", "no-cache"), Use::kRevalidate);
  EXPECT_EQ(Judge(10s, "", "min-fresh=50"), Use::kFresh);
  EXPECT_EQ(Judge(11s, "", "min-fresh=50"), Use::kRevalidate);
}

TEST(Stale, RequestMaxStaleAllowsStaleUnlessTheResponseForbidsIt) {
  EXPECT_EQ(Judge(70s, "", "max-stale=10"), Use::kStale);
  EXPECT_EQ(Judge(71s, "", "max-stale=10"), Use::kRevalidate);
  EXPECT_EQ(Judge(999s, "", "max-stale"), Use::kStale);
  for (const char* forbids : {"must-revalidate", "proxy-revalidate", "s-maxage=60", "no-cache"}) {
    EXPECT_EQ(Judge(61s, forbids, "max-stale"), Use::kRevalidate) << forbids;
  }
}

TEST(Stale, StaleWhileRevalidateAllowsStaleForItsTime) {
  EXPECT_EQ(Judge(61s, "stale-while-revalidate=30"), Use::kWhileRevalidating);
  EXPECT_EQ(Judge(90s, "stale-while-revalidate=30"), Use::kWhileRevalidating);
  EXPECT_EQ(Judge(91s, "stale-while-revalidate=30"), Use::kRevalidate);
  EXPECT_EQ(Judge(61s, "stale-while-revalidate=30, must-revalidate"), Use::kRevalidate);
  EXPECT_EQ(Judge(61s, "stale-while-revalidate=30", "no-cache"), Use::kRevalidate);
}

TEST(Stale, AFreshImmutableResponseIsNotValidated) {
  EXPECT_EQ(Judge(10s, "immutable", "max-age=0"), Use::kFresh);
  EXPECT_EQ(Judge(60s, "immutable", "max-age=60"), Use::kRevalidate);
}

TEST(Stale, ImmutableHidItselfFromAReloadThatTheVisitorForced) {
  EXPECT_EQ(Judge(10s, "immutable", "no-cache"), Use::kRevalidate);
  EXPECT_EQ(Judge(10s, "immutable", "min-fresh=51"), Use::kRevalidate);
  EXPECT_EQ(Judge(60s, "immutable", "no-cache"), Use::kRevalidate);
}

TEST(Stale, NoCacheAndZeroLifetimeNeedValidationEachTime) {
  constexpr Freshness kNever{.received = kReceived, .initial_age = 0s, .lifetime = 0s};
  EXPECT_TRUE(NeedsValidationEachTime(kMinute, Control("no-cache")));
  EXPECT_FALSE(NeedsValidationEachTime(kMinute, Control("must-revalidate")));
  EXPECT_TRUE(NeedsValidationEachTime(kNever, Control("")));
  EXPECT_FALSE(NeedsValidationEachTime(kNever, Control("stale-if-error=9")));
  EXPECT_TRUE(NeedsValidationEachTime(kNever, Control("no-cache, stale-while-revalidate=9")));
}

TEST(Stale, StaleIsServedForAnUnreachableOriginUnlessTheResponseForbidsIt) {
  auto may = [](Duration age, std::string_view control, Duration limit = 30s) {
    return MayServeOnFailure(kMinute, Control(control), kReceived + age, limit);
  };
  EXPECT_TRUE(may(90s, ""));
  EXPECT_FALSE(may(91s, ""));
  EXPECT_FALSE(may(61s, "", 0s));
  for (const char* forbids : {"must-revalidate", "proxy-revalidate", "s-maxage=60", "no-cache"}) {
    EXPECT_FALSE(may(61s, forbids)) << forbids;
  }
  EXPECT_FALSE(may(61s, "stale-if-error=0"));  // the response's own limit applies
  for (int status : {502, 503, 504}) EXPECT_TRUE(IsGatewayFailure(status));
  for (int status : {200, 404, 500, 501, 505}) EXPECT_FALSE(IsGatewayFailure(status));
}

TEST(Stale, ANeverFreshPrivateResponseIsServedStaleOnlyByItsOwnDirectives) {
  constexpr Freshness kNever{.received = kReceived, .initial_age = 0s, .lifetime = 0s};
  constexpr TimePoint kNow = kReceived + 5s;
  auto serves_stale = [&](std::string_view control) {
    return MayServeOnFailure(kNever, Control(control), kNow, 30s);
  };
  EXPECT_FALSE(serves_stale("max-age=0"));
  EXPECT_FALSE(serves_stale("max-age=0, stale-while-revalidate=9"));
  EXPECT_TRUE(serves_stale("public, max-age=0"));
  EXPECT_FALSE(serves_stale("public, no-cache"));
  auto on_error = [&](std::string_view control, std::string_view request) {
    return MayServeOnError(kNever, Control(control), Control(request), kNow);
  };
  EXPECT_FALSE(on_error("max-age=0", "stale-if-error=30"));
  EXPECT_TRUE(on_error("public, max-age=0", "stale-if-error=30"));
  EXPECT_TRUE(on_error("max-age=0, stale-if-error=9", ""));
  auto use = [&](std::string_view control) {
    return JudgeUse(kNever, Control(control), Control("max-stale"), kNow);
  };
  EXPECT_EQ(use("max-age=0"), Use::kRevalidate);
  EXPECT_EQ(use("public, max-age=0"), Use::kStale);
  EXPECT_EQ(use("max-age=0, stale-while-revalidate=9"), Use::kWhileRevalidating);
}

TEST(Stale, StaleIfErrorAllowsStaleForAFailingOrigin) {
  auto may = [](Duration age, std::string_view control) {
    return MayServeOnError(kMinute, Control(control), {}, kReceived + age);
  };
  EXPECT_TRUE(may(10s, ""));
  EXPECT_FALSE(may(61s, ""));
  EXPECT_TRUE(may(90s, "stale-if-error=30"));
  EXPECT_FALSE(may(91s, "stale-if-error=30"));
  EXPECT_FALSE(may(61s, "stale-if-error=30, must-revalidate"));
  EXPECT_FALSE(may(10s, "no-cache"));
  auto request = [](Duration age, std::string_view control) {
    return MayServeOnError(kMinute, Control(control), Control("stale-if-error=30"),
                           kReceived + age);
  };
  EXPECT_TRUE(request(90s, ""));
  EXPECT_FALSE(request(91s, ""));
  for (const char* forbids : {"must-revalidate", "proxy-revalidate", "s-maxage=60", "no-cache"}) {
    EXPECT_FALSE(request(61s, forbids)) << forbids;
  }
  for (int status : {500, 502, 503, 504}) EXPECT_TRUE(IsErrorForStale(status));
  for (int status : {200, 404, 501, 505}) EXPECT_FALSE(IsErrorForStale(status));
}

}  // namespace
}  // namespace meridian::edge
