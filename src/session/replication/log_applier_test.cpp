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
#include "session/data/entry.hpp"
#include "session/data/keyspace.hpp"
#include "session/data/record.hpp"
#include "session/replication/basis.hpp"
#include "session/replication/log_entry.hpp"

namespace meridian::session {
namespace {

using std::chrono::seconds;

constexpr HybridTime kEarly{1000};

std::string EntryOf(EntryKind kind, std::string_view body) {
  return std::string(1, static_cast<char>(kind)) + std::string(body);
}
std::string RecordOf(std::string_view key) {
  RecordWriter writer;
  writer.Begin(key);
  writer.Cleared({kEarly, 1});
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
  std::string beats_;
  LogApplier applier_{keyspace_, [this](Bytes beat) { beats_ += std::string(AsText(beat)) + " "; }};
};

TEST_F(LogApplierTest, RecordsAreMergedAndBeatsHandedOn) {
  EXPECT_TRUE(Apply(EntryOf(EntryKind::kRecord, RecordOf("k"))));
  EXPECT_TRUE(Apply(EntryOf(EntryKind::kBeat, "beat")));
  EXPECT_EQ(Keys(), "k ");
  EXPECT_EQ(beats_, "beat ");
  EXPECT_TRUE(applier_.at_boundary());
}

TEST_F(LogApplierTest, LongRecordIsAppliedWithItsLastPart) {
  std::string record = RecordOf("long");
  EXPECT_TRUE(Apply(EntryOf(EntryKind::kMoreParts, record.substr(0, 5))));
  EXPECT_EQ(Keys(), "");
  EXPECT_FALSE(applier_.at_boundary());
  EXPECT_TRUE(Apply(EntryOf(EntryKind::kRecord, record.substr(5))));
  EXPECT_EQ(Keys(), "long ");
  EXPECT_TRUE(applier_.at_boundary());
}

TEST_F(LogApplierTest, AbandonedRecordIsPassed) {
  EXPECT_TRUE(Apply(EntryOf(EntryKind::kMoreParts, "begun")));
  EXPECT_TRUE(Apply(EntryOf(EntryKind::kAbandoned, "")));
  EXPECT_TRUE(applier_.at_boundary());
  EXPECT_TRUE(Apply(EntryOf(EntryKind::kRecord, RecordOf("k"))));
  EXPECT_EQ(Keys(), "k ");
}

TEST_F(LogApplierTest, SnapshotReplacesARecordThatWasBegun) {
  EXPECT_TRUE(Apply(EntryOf(EntryKind::kMoreParts, "begun")));
  applier_.BeginLoading();
  std::string basis = EncodeBasis({.applied = {{8, 9}}});
  EXPECT_TRUE(applier_.LoadItem(AsBytes(basis))) << "it is theirs, and passed over";
  EXPECT_TRUE(applier_.LoadItem(AsBytes(RecordOf("k"))));
  applier_.EndLoading();
  EXPECT_TRUE(applier_.at_boundary());
  EXPECT_EQ(Keys(), "k ");
}

class WrongEntry : public LogApplierTest, public testing::WithParamInterface<std::string> {};

TEST_P(WrongEntry, IsRefused) {
  EXPECT_TRUE(Apply(EntryOf(EntryKind::kRecord, RecordOf("before"))));
  Result<void> applied = Apply(GetParam());
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().code, Errc::kInvalid);
  EXPECT_EQ(Keys(), "before ");
}

INSTANTIATE_TEST_SUITE_P(Kinds, WrongEntry,
                         testing::Values("\x09 unknown", "",
                                         EntryOf(EntryKind::kRecord, "\xff\xff\xff")));

}  // namespace
}  // namespace meridian::session
