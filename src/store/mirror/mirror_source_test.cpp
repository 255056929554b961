#include "store/mirror/mirror_source.hpp"

#include <gtest/gtest.h>

#include "store/limits.hpp"

namespace meridian::store {
namespace {

using Do = MirrorSource::Do;
using std::chrono::milliseconds;
using std::chrono::seconds;

class MirrorSourceTest : public testing::Test {
 protected:
  std::optional<RefusalReason> Begin() {
    auto refusal = session_.Begin(open_, facts_);
    if (!refusal) return std::nullopt;
    return refusal->reason;
  }
  MirrorSource::Action Next() { return session_.Next(facts_, wall_.Now()); }
  void SendRecords(uint64_t end_offset, size_t bytes) {
    EXPECT_EQ(Next().what, Do::kSendRecords);
    session_.SentRecords(end_offset, bytes, wall_.Now());
  }
  std::optional<Refusal> Acknowledge(uint64_t end_offset) {
    return session_.TakeAck({.end_offset = end_offset, .now = clock_.Present()}, wall_.Now());
  }

  ManualClock wall_;
  HybridClock clock_{wall_, seconds{10}};
  MirrorSource session_{clock_, wall_.Now()};
  OpenStream open_{.log = "session", .log_id = 7, .next_offset = 50, .newest_epoch = 2};
  SourceFacts facts_{.log_id = 7, .epoch = 3, .begin_offset = 10, .end_offset = 100};
};

TEST_F(MirrorSourceTest, FollowerGoesOnWhereItsCopyEnds) {
  EXPECT_EQ(Begin(), std::nullopt);
  EXPECT_EQ(session_.next_offset(), 50U);
  EXPECT_EQ(session_.acknowledged(), 50U);
  EXPECT_EQ(Next().what, Do::kSendRecords);
}

TEST_F(MirrorSourceTest, CopyWithoutIdTakesAnyLog) {
  open_.log_id = 0;
  EXPECT_EQ(Begin(), std::nullopt);
}

TEST_F(MirrorSourceTest, NewFollowerAwaitsASnapshotIfItMustStartFromOne) {
  open_ = {.log = "session"};
  facts_.begin_offset = 0;
  facts_.begins_with_snapshot = true;
  facts_.snapshot_is_made = false;
  facts_.snapshot_end_offset = 20;
  EXPECT_EQ(Begin(), std::nullopt);
  EXPECT_EQ(Next().what, Do::kAwaitSnapshot);
  wall_.Advance(kMirrorHeartbeat);
  EXPECT_EQ(Next().what, Do::kHeartbeat);
  facts_.snapshot_is_made = true;
  EXPECT_EQ(Next().what, Do::kSendSnapshot);
  session_.BeginSnapshot(20);
  EXPECT_EQ(Next().what, Do::kSendRecords);
  EXPECT_EQ(session_.next_offset(), 20U);
}

TEST_F(MirrorSourceTest, FollowerWithACopyContinuesWithoutASnapshot) {
  facts_.begins_with_snapshot = true;
  facts_.snapshot_end_offset = 60;
  EXPECT_EQ(Begin(), std::nullopt);
  EXPECT_EQ(Next().what, Do::kSendRecords);
}

TEST_F(MirrorSourceTest, OtherLogIsRefused) {
  open_.log_id = 8;
  EXPECT_EQ(Begin(), RefusalReason::kOtherLog);
}

TEST_F(MirrorSourceTest, OtherVersionSiteOrClockIsRefusedForAllStreams) {
  const MirrorIdentity source{.site = "photos", .data_center = "us-east"};
  Hello hello{.site = "photos",
              .data_center = "us-west",
              .now = HybridTime::FromWall(wall_.Wall() + seconds{10})};
  EXPECT_EQ(CheckHello(hello, source, clock_), std::nullopt);
  hello.now = HybridTime::FromWall(wall_.Wall() + seconds{10} + milliseconds{1});
  EXPECT_EQ(CheckHello(hello, source, clock_)->reason, RefusalReason::kClockAhead);
  hello.site = "letters";
  EXPECT_EQ(CheckHello(hello, source, clock_)->reason, RefusalReason::kOtherSite);
  hello.version = 2;
  EXPECT_EQ(
      CheckHello(hello, source, clock_),
      (Refusal{RefusalReason::kVersion, "the follower speaks version 2, this source version 4"}));
}

TEST_F(MirrorSourceTest, SourceOfAnOlderEpochThanTheFollowerKnowsIsFenced) {
  open_.min_epoch = 3;
  EXPECT_EQ(Begin(), std::nullopt);
  open_.min_epoch = 4;
  EXPECT_EQ(Begin(), RefusalReason::kStaleEpoch);
  open_.min_epoch = 0;
  open_.newest_epoch = 4;
  EXPECT_EQ(Begin(), RefusalReason::kStaleEpoch);
}

TEST_F(MirrorSourceTest, CopyThatHoldsMoreThanTheLogIsRefused) {
  open_.next_offset = 100;
  EXPECT_EQ(Begin(), std::nullopt);
  open_.next_offset = 101;
  EXPECT_EQ(Begin(), RefusalReason::kDiverged);
}

TEST_F(MirrorSourceTest, CopyWhoseLastRecordIsOfAnotherEpochHasDiverged) {
  facts_.epoch_before = 2;
  EXPECT_EQ(Begin(), std::nullopt);
  facts_.epoch_before = 1;
  EXPECT_EQ(Begin(), RefusalReason::kDiverged);
}

TEST_F(MirrorSourceTest, NoMoreIsInFlightThanAllowed) {
  facts_.end_offset = 1000;
  ASSERT_EQ(Begin(), std::nullopt);
  EXPECT_EQ(Next().max_bytes, kMirrorBatchBytes);
  SendRecords(60, kMaxInFlightBytes - 1);
  EXPECT_EQ(Next().max_bytes, 1U);
  SendRecords(61, 1);
  EXPECT_EQ(Next().what, Do::kAwaitAck);
  EXPECT_EQ(Acknowledge(60), std::nullopt);
  EXPECT_EQ(Next().what, Do::kSendRecords);
  EXPECT_EQ(Next().max_bytes, std::min(kMirrorBatchBytes, kMaxInFlightBytes - 1));
}

TEST_F(MirrorSourceTest, BlocksOfASnapshotAreInFlightUntilTheyAreTaken) {
  ASSERT_EQ(Begin(), std::nullopt);
  session_.BeginSnapshot(80);
  session_.SentBlock(kMaxInFlightBytes, wall_.Now());
  EXPECT_FALSE(session_.MaySend(0));
  auto take = [this](uint64_t bytes) {
    return session_.TakeAck({.end_offset = 50, .block_bytes = bytes, .now = clock_.Present()},
                            wall_.Now());
  };
  EXPECT_EQ(take(1), std::nullopt);
  EXPECT_TRUE(session_.MaySend(0));
  EXPECT_TRUE(take(0)) << "fewer than before";
  EXPECT_TRUE(take(kMaxInFlightBytes + 1)) << "more than were sent";
  EXPECT_EQ(take(kMaxInFlightBytes), std::nullopt);
  EXPECT_EQ(session_.in_flight_bytes(), 0U);
}

TEST_F(MirrorSourceTest, PastTheLimitOfTheConnectionAStreamHasOneBatchInFlight) {
  facts_.connection_in_flight_bytes = kMaxConnectionInFlightBytes;
  ASSERT_EQ(Begin(), std::nullopt);
  SendRecords(60, kMirrorBatchBytes);
  EXPECT_EQ(Next().what, Do::kAwaitAck);
  facts_.connection_in_flight_bytes = kMaxConnectionInFlightBytes - 1;
  EXPECT_EQ(Next().what, Do::kSendRecords);
  facts_.connection_in_flight_bytes = kMaxConnectionInFlightBytes;
  EXPECT_EQ(Acknowledge(60), std::nullopt);
  EXPECT_EQ(Next().what, Do::kSendRecords);
}

TEST_F(MirrorSourceTest, AcknowledgementOfUnsentRecordsIsRefused) {
  ASSERT_EQ(Begin(), std::nullopt);
  SendRecords(60, 100);
  EXPECT_TRUE(Acknowledge(61));
  EXPECT_FALSE(Acknowledge(55));
  EXPECT_TRUE(Acknowledge(54));
  EXPECT_FALSE(Acknowledge(60));
}

TEST_F(MirrorSourceTest, HeartbeatComesWhenThereIsNothingElseToSay) {
  facts_.end_offset = 50;
  ASSERT_EQ(Begin(), std::nullopt);
  EXPECT_EQ(Next().what, Do::kAwaitRecords);
  EXPECT_EQ(Next().until, wall_.Now() + kMirrorHeartbeat);
  wall_.Advance(kMirrorHeartbeat);
  EXPECT_EQ(Next().what, Do::kHeartbeat);
  session_.SentOther(wall_.Now());
  EXPECT_EQ(Next().what, Do::kAwaitRecords);
}

TEST_F(MirrorSourceTest, SilentFollowerIsLeft) {
  ASSERT_EQ(Begin(), std::nullopt);
  wall_.Advance(kMaxMirrorSilence - milliseconds{1});
  EXPECT_NE(Next().what, Do::kRefuse);
  wall_.Advance(milliseconds{1});
  EXPECT_EQ(Next().what, Do::kRefuse);
}

TEST_F(MirrorSourceTest, SnapshotIsSentWhereTheLogNoLongerReachesBack) {
  ASSERT_EQ(Begin(), std::nullopt);
  facts_.begin_offset = 51;
  facts_.snapshot_end_offset = 80;
  EXPECT_EQ(Next().what, Do::kSendSnapshot);
  session_.BeginSnapshot(80);
  EXPECT_EQ(Next().what, Do::kSendRecords);
  EXPECT_EQ(session_.next_offset(), 80U);
}

TEST_F(MirrorSourceTest, SnapshotStandsInForADamagedRange) {
  ASSERT_EQ(Begin(), std::nullopt);
  facts_.next_is_readable = false;
  facts_.snapshot_end_offset = 51;
  EXPECT_EQ(Next().what, Do::kSendSnapshot);
  facts_.snapshot_end_offset = 50;
  EXPECT_EQ(Next().what, Do::kRefuse);
}

TEST_F(MirrorSourceTest, RecordsInNeitherLogNorSnapshotAreOutOfReach) {
  ASSERT_EQ(Begin(), std::nullopt);
  facts_.begin_offset = 51;
  EXPECT_EQ(Next().refusal.reason, RefusalReason::kOutOfReach);
  facts_.snapshot_end_offset = 50;
  EXPECT_EQ(Next().refusal.reason, RefusalReason::kOutOfReach);
}

}  // namespace
}  // namespace meridian::store
