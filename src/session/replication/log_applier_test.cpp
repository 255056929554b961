// Another data center's log, applied to the keyspace: what is merged, and what is refused.
#include "session/replication/log_applier.hpp"

#include <chrono>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/hybrid_clock.hpp"
#include "base/result.hpp"
#include "session/data/change.hpp"
#include "session/data/entry.hpp"
#include "session/data/keyspace.hpp"
#include "session/replication/log_record.hpp"
#include "session/replication/snapshot_metadata.hpp"

namespace meridian::session {
namespace {

using std::chrono::seconds;

constexpr HybridTime kEarly{1000};

std::string LogRecordOf(LogRecordKind kind, std::string_view body) {
  return std::string(1, static_cast<char>(kind)) + std::string(body);
}
std::string ChangeOf(std::string_view key) {
  ChangeWriter writer;
  writer.Begin(key);
  writer.Deleted({kEarly, 1});
  writer.Text("v", {kEarly, 1});
  return std::string(AsText(writer.Take()));
}

class LogApplierTest : public testing::Test {
 protected:
  Result<void> Apply(const std::string& entry) {
    return applier_.Apply({.time = kEarly, .body = AsBytes(entry)});
  }
  std::string Keys() const {
    std::string keys;
    keyspace_.ForEach([&](const Entry& entry) { keys += std::string(entry.key()) + " "; });
    return keys;
  }

  ManualClock wall_;
  HybridClock clock_{wall_, seconds{5}};
  Keyspace keyspace_{{.seed = 7}, clock_};
  std::string heartbeats_;
  LogApplier applier_{
      keyspace_, [this](Bytes heartbeat) { heartbeats_ += std::string(AsText(heartbeat)) + " "; }};
};

TEST_F(LogApplierTest, ChangesAreMergedAndHeartbeatsPassedOn) {
  EXPECT_TRUE(Apply(LogRecordOf(LogRecordKind::kChange, ChangeOf("k"))));
  EXPECT_TRUE(Apply(LogRecordOf(LogRecordKind::kHeartbeat, "now")));
  EXPECT_EQ(Keys(), "k ");
  EXPECT_EQ(heartbeats_, "now ");
  EXPECT_TRUE(applier_.at_boundary());
}

TEST_F(LogApplierTest, LongChangeIsAppliedWithItsLastPart) {
  std::string record = ChangeOf("long");
  EXPECT_TRUE(Apply(LogRecordOf(LogRecordKind::kMoreParts, record.substr(0, 5))));
  EXPECT_EQ(Keys(), "");
  EXPECT_FALSE(applier_.at_boundary());
  EXPECT_TRUE(Apply(LogRecordOf(LogRecordKind::kChange, record.substr(5))));
  EXPECT_EQ(Keys(), "long ");
  EXPECT_TRUE(applier_.at_boundary());
}

TEST_F(LogApplierTest, AbandonedChangeIsSkipped) {
  EXPECT_TRUE(Apply(LogRecordOf(LogRecordKind::kMoreParts, "begun")));
  EXPECT_TRUE(Apply(LogRecordOf(LogRecordKind::kAbandoned, "")));
  EXPECT_TRUE(applier_.at_boundary());
  EXPECT_TRUE(Apply(LogRecordOf(LogRecordKind::kChange, ChangeOf("k"))));
  EXPECT_EQ(Keys(), "k ");
}

TEST_F(LogApplierTest, SnapshotReplacesAnIncompleteChange) {
  EXPECT_TRUE(Apply(LogRecordOf(LogRecordKind::kMoreParts, "begun")));
  applier_.BeginLoading();
  std::string metadata = EncodeSnapshotMetadata({.applied = {{8, 9}}});
  EXPECT_TRUE(applier_.LoadItem(AsBytes(metadata))) << "it is theirs, and passed over";
  EXPECT_TRUE(applier_.LoadItem(AsBytes(ChangeOf("k"))));
  applier_.EndLoading();
  EXPECT_TRUE(applier_.at_boundary());
  EXPECT_EQ(Keys(), "k ");
}

class WrongLogRecord : public LogApplierTest, public testing::WithParamInterface<std::string> {};

TEST_P(WrongLogRecord, IsRefused) {
  EXPECT_TRUE(Apply(LogRecordOf(LogRecordKind::kChange, ChangeOf("before"))));
  Result<void> applied = Apply(GetParam());
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().code, Errc::kInvalid);
  EXPECT_EQ(Keys(), "before ");
}

INSTANTIATE_TEST_SUITE_P(Kinds, WrongLogRecord,
                         testing::Values("\x09 unknown", "",
                                         LogRecordOf(LogRecordKind::kChange, "\xff\xff\xff")));

}  // namespace
}  // namespace meridian::session
