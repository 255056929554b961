#include "cli/logs/log_options.hpp"

#include <chrono>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace meridian::cli {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr WallTime kNow{std::chrono::sys_days(std::chrono::year{2026} / 11 / 30) + 10h};

std::string ErrorOf(const LogOptions& options) {
  auto query = QueryOf(options, kNow);
  return query ? "" : query.error().message;
}

TEST(LogOptions, WithoutAnyOptionEverythingIsAskedFor) {
  auto query = QueryOf({}, kNow);
  ASSERT_TRUE(query);
  EXPECT_TRUE(query->terms.empty());
  EXPECT_FALSE(query->from);
  EXPECT_FALSE(query->until);
  EXPECT_EQ(query->origin, watch::LogOrigin{});
  EXPECT_EQ(query->order, watch::LogOrder::kNewestFirst);
  EXPECT_EQ(query->at_least, watch::Severity::kTrace);
}

TEST(LogOptions, EachOptionNarrowsTheSearch) {
  auto query = QueryOf({.words = "Disk  full",
                        .tier = "app",
                        .instance = "us-east-1",
                        .since = "10m",
                        .until = "2026-11-30T09:59:30Z",
                        .level = "error",
                        .trace_id = "4bf92f"},
                       kNow);
  ASSERT_TRUE(query) << query.error().message;
  EXPECT_THAT(query->terms, ElementsAre("disk", "full"));
  EXPECT_EQ(query->origin.tier, "app");
  EXPECT_EQ(query->origin.instance, "us-east-1");
  EXPECT_EQ(query->from, watch::ToLogTime(kNow - 10min));
  EXPECT_EQ(query->until, watch::ToLogTime(kNow - 30s));
  EXPECT_EQ(query->at_least, watch::Severity::kError);
  EXPECT_EQ(query->trace_id, "4bf92f");
}

TEST(LogOptions, ErrorsNameTheirOption) {
  EXPECT_THAT(ErrorOf({.since = "yesterday"}), HasSubstr("--since: \"yesterday\""));
  EXPECT_THAT(ErrorOf({.until = "10"}), HasSubstr("--until"));
  EXPECT_THAT(ErrorOf({.since = "1m", .until = "2m"}), HasSubstr("--until"));
  EXPECT_THAT(ErrorOf({.tier = std::string(300, 'x')}), HasSubstr("--tier"));
  EXPECT_THAT(ErrorOf({.trace_id = std::string(100, 'x')}), HasSubstr("--trace"));
  EXPECT_THAT(ErrorOf({.words = std::string(300, 'x')}), HasSubstr("words"));
}

}  // namespace
}  // namespace meridian::cli
