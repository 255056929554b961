#include "queue/partition/retention.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace meridian::queue {
namespace {

// Three segments of ten offsets and 100 bytes, with timestamps up to 1000, 2000 and 3000.
std::vector<SegmentPosition> Three() {
  std::vector<SegmentPosition> segments;
  for (int64_t i = 0; i < 3; ++i) {
    segments.push_back({.base_offset = i * 10,
                        .end_offset = i * 10 + 10,
                        .bytes = 100,
                        .max_timestamp_ms = i * 1000 + 1000});
  }
  return segments;
}

int64_t LogStart(RetentionLimits limits, int64_t now_ms, int64_t limit_offset = 30) {
  return LogStartAfterRetention(Three(),
                                {.limits = limits, .now_ms = now_ms, .limit_offset = limit_offset});
}

TEST(Retention, WithoutLimitsEverythingStays) { EXPECT_EQ(LogStart({}, 1'000'000), 0); }

TEST(Retention, SegmentsGoWhenTheirNewestRecordIsTooOld) {
  EXPECT_EQ(LogStart({.ms = 500}, 1500), 0);
  EXPECT_EQ(LogStart({.ms = 500}, 1501), 10);
  EXPECT_EQ(LogStart({.ms = 500}, 2501), 20);
  EXPECT_EQ(LogStart({.ms = 500}, 3501), 30);  // the last one too
}

TEST(Retention, ByBytesTheOldestGoWhileTheOthersHaveEnough) {
  EXPECT_EQ(LogStart({.bytes = 300}, 0), 0);
  EXPECT_EQ(LogStart({.bytes = 201}, 0), 0);
  EXPECT_EQ(LogStart({.bytes = 200}, 0), 10);
  EXPECT_EQ(LogStart({.bytes = 0}, 0), 20);  // the last one stays
}

TEST(Retention, NothingBeyondTheHighWatermarkGoes) {
  EXPECT_EQ(LogStart({.ms = 1}, 1'000'000, 25), 20);
  EXPECT_EQ(LogStart({.bytes = 0}, 0, 9), 0);
}

TEST(Retention, SegmentWithoutTimestampsDoesNotGoByTime) {
  std::vector<SegmentPosition> segments = Three();
  segments[1].max_timestamp_ms = -1;
  EXPECT_EQ(LogStartAfterRetention(segments,
                                   {.limits = {.ms = 1}, .now_ms = 1'000'000, .limit_offset = 30}),
            10);
}

TEST(Retention, LogStartNeverMovesBack) {
  EXPECT_EQ(LogStartAfterRetention(Three(), {.log_start_offset = 15, .limit_offset = 30}), 15);
}

}  // namespace
}  // namespace meridian::queue
