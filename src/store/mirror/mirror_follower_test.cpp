#include "store/mirror/mirror_follower.hpp"

#include <gtest/gtest.h>

#include "store/log/record_fixture.hpp"

namespace meridian::store {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class MirrorFollowerTest : public testing::Test {
 protected:
  static std::optional<RefusalReason> Reason(const std::optional<Refusal>& refusal) {
    if (!refusal) return std::nullopt;
    return refusal->reason;
  }
  HybridTime Ahead(Duration by) { return HybridTime::FromWall(wall_.Wall() + by); }
  std::optional<RefusalReason> Take(const std::vector<TestRecord>& records) {
    return Reason(session_.TakeRecords(*RecordBatch::Parse(Encoded(records))));
  }

  ManualClock wall_;
  HybridClock clock_{wall_, seconds{10}};
  MirrorFollower session_{clock_, {.log_id = 7, .next_offset = 50, .newest_epoch = 2}, 3};
  StreamOpened opened_{.log_id = 7, .epoch = 3, .end_offset = 60};
};

TEST_F(MirrorFollowerTest, StreamAsksForTheNextRecord) {
  OpenStream open = session_.MakeOpenStream("session");
  EXPECT_EQ(open.next_offset, 50U);
  EXPECT_EQ(open.newest_epoch, 2U);
  EXPECT_EQ(open.min_epoch, 3U);
  EXPECT_EQ(open.log_id, 7U);
}

TEST_F(MirrorFollowerTest, SourceOfAnotherNameOrClockIsRefused) {
  Welcome welcome{.data_center = "us-east", .now = Ahead(seconds{10})};
  EXPECT_EQ(CheckWelcome(welcome, "us-east", clock_), std::nullopt);
  EXPECT_EQ(Reason(CheckWelcome(welcome, "eu-west", clock_)), RefusalReason::kNotAllowed);
  welcome.now = Ahead(seconds{10} + milliseconds{1});
  EXPECT_EQ(Reason(CheckWelcome(welcome, "us-east", clock_)), RefusalReason::kClockAhead);
}

TEST_F(MirrorFollowerTest, OtherLogOfThatNameIsRefused) {
  EXPECT_EQ(session_.TakeOpened(opened_), std::nullopt);
  opened_.log_id = 8;
  EXPECT_EQ(Reason(session_.TakeOpened(opened_)), RefusalReason::kOtherLog);
}

TEST_F(MirrorFollowerTest, SourceOfAnOlderEpochIsRefusedAlsoWhenItsEpochEndsMeanwhile) {
  opened_.epoch = 2;
  EXPECT_EQ(Reason(session_.TakeOpened(opened_)), RefusalReason::kStaleEpoch);
  EXPECT_EQ(session_.TakeState({.epoch = 3}), std::nullopt);
  session_.RaiseLeastEpoch(4);
  EXPECT_EQ(Reason(session_.TakeState({.epoch = 3})), RefusalReason::kStaleEpoch);
}

TEST_F(MirrorFollowerTest, RecordsMustBeTheNextOnes) {
  EXPECT_EQ(Take({{.offset = 51, .epoch = 2}}), RefusalReason::kProtocol);
  EXPECT_EQ(Take({{.offset = 49, .epoch = 2}}), RefusalReason::kProtocol);
  EXPECT_EQ(Take({}), RefusalReason::kProtocol);
  EXPECT_EQ(Take({{.offset = 50, .epoch = 2}, {.offset = 51, .epoch = 3}}), std::nullopt);
  EXPECT_EQ(session_.next_offset(), 52U);
  EXPECT_EQ(Take({{.offset = 52, .epoch = 2}}), RefusalReason::kDiverged);
}

TEST_F(MirrorFollowerTest, StampFromTheFutureIsRefusedWhereverItComes) {
  HybridTime most = Ahead(seconds{10});
  HybridTime more = Ahead(seconds{10} + milliseconds{1});
  EXPECT_EQ(session_.TakeState({.epoch = 3, .now = most}), std::nullopt);
  EXPECT_EQ(Reason(session_.TakeState({.epoch = 3, .now = more})), RefusalReason::kClockAhead);
  // The newest is not the last one.
  EXPECT_EQ(Take({{.offset = 50, .time = more, .epoch = 2}, {.offset = 51, .epoch = 2}}),
            RefusalReason::kClockAhead);
  EXPECT_EQ(Take({{.offset = 50, .time = most, .epoch = 2}}), std::nullopt);
  EXPECT_EQ(
      Reason(session_.TakeSnapshot({.log_id = 7, .end_offset = 90, .time = more, .epoch = 2})),
      RefusalReason::kClockAhead);
}

TEST_F(MirrorFollowerTest, SnapshotMustReachFurtherThanTheCopy) {
  EXPECT_EQ(Reason(session_.TakeSnapshot({.log_id = 7, .end_offset = 50, .epoch = 2})),
            RefusalReason::kProtocol);
  EXPECT_EQ(Reason(session_.TakeSnapshot({.log_id = 8, .end_offset = 90, .epoch = 2})),
            RefusalReason::kProtocol);
  EXPECT_EQ(Reason(session_.TakeSnapshot({.log_id = 7, .end_offset = 90, .epoch = 1})),
            RefusalReason::kDiverged);
  EXPECT_EQ(session_.TakeSnapshot({.log_id = 7, .end_offset = 90, .epoch = 2}), std::nullopt);
  EXPECT_EQ(Take({{.offset = 90, .epoch = 2}}), std::nullopt);
}

}  // namespace
}  // namespace meridian::store
