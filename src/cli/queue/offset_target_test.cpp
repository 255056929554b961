#include "cli/queue/offset_target.hpp"

#include <chrono>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace meridian::cli {
namespace {

using testing::HasSubstr;
using Kind = OffsetTarget::Kind;

// 2026-11-30T10:00:00Z.
constexpr int64_t kTenMs = 1'796'032'800'000;
const WallTime kNow{std::chrono::milliseconds{kTenMs}};

OffsetTarget Parsed(std::string_view text) {
  auto target = ParseOffsetTarget(text, kNow);
  EXPECT_TRUE(target) << text;
  return target ? *target : OffsetTarget{};
}

TEST(OffsetTarget, WordsNumbersTimesAndDurations) {
  EXPECT_EQ(Parsed("beginning").kind, Kind::kBeginning);
  EXPECT_EQ(Parsed("earliest").kind, Kind::kBeginning);
  EXPECT_EQ(Parsed("end").kind, Kind::kEnd);
  EXPECT_EQ(Parsed("latest").kind, Kind::kEnd);
  EXPECT_EQ(Parsed("42"), (OffsetTarget{.kind = Kind::kOffset, .number = 42}));
  EXPECT_EQ(Parsed("2026-11-30T10:00:00Z"), (OffsetTarget{.kind = Kind::kTime, .number = kTenMs}));
  EXPECT_EQ(Parsed("15m"), (OffsetTarget{.kind = Kind::kTime, .number = kTenMs - 900'000}));
}

TEST(OffsetTarget, AnythingElseIsRefusedWithWhatIsExpected) {
  for (std::string_view text :
       {"", "-1", "newest", "15 m", "1.5h", "2026-13-01", "+3", "99999999999999999999"}) {
    auto target = ParseOffsetTarget(text, kNow);
    ASSERT_FALSE(target) << text;
    EXPECT_THAT(target.error().message, HasSubstr("an offset such as 42"));
  }
}

TEST(OffsetTarget, TimesMayLackTheirSmallParts) {
  EXPECT_EQ(*ParseTime("2026-11-30T10:00:00.250Z"), kTenMs + 250);
  EXPECT_EQ(*ParseTime("2026-11-30T10:00:00"), kTenMs);
  EXPECT_EQ(*ParseTime("2026-11-30T10:00Z"), kTenMs);
  EXPECT_EQ(*ParseTime("2026-11-30"), kTenMs - 10 * 3'600'000);
  EXPECT_EQ(*ParseTime("1970-01-01"), 0);
  EXPECT_EQ(*ParseTime("2024-02-29T23:59:59.999Z"), 1'709'251'199'999);
}

TEST(OffsetTarget, TimesThatDoNotExistAreRefused) {
  for (std::string_view text :
       {"2026-11-31", "2025-02-29", "2026-11-30T24:00Z", "2026-11-30T10:60Z", "2026-11-30T10",
        "2026-11-30T10:00:00.2Z", "2026-11-30T10:00:61Z", "2026-11-30 10:00", "1969-12-31",
        "2026-11-30T", "2026-11-30Z", "2026-11-30T10:00:", "2026-11-30T10:00:00.2500Z", "26-11-30",
        "2026-1-30"}) {
    EXPECT_FALSE(ParseTime(text)) << text;
  }
}

TEST(OffsetTarget, ATimeIsWrittenAsItIsRead) {
  EXPECT_EQ(TimeText(kTenMs + 7), "2026-11-30T10:00:00.007Z");
  EXPECT_EQ(*ParseTime(TimeText(1'709'251'199'999)), 1'709'251'199'999);
  EXPECT_EQ(TimeText(-1), "-");
}

}  // namespace
}  // namespace meridian::cli
