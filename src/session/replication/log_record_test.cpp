#include "session/replication/log_record.hpp"

#include <gtest/gtest.h>

#include "session/replication/snapshot_metadata.hpp"

namespace meridian::session {
namespace {

using Found = LogRecordReader::Found;

std::string Entry(LogRecordKind kind, std::string_view body) {
  return std::string(1, static_cast<char>(kind)) + std::string(body);
}

TEST(LogRecord, PartsOfAChangeAreJoined) {
  LogRecordReader reader;
  std::string first = Entry(LogRecordKind::kMoreParts, "a");
  std::string last = Entry(LogRecordKind::kChange, "b");
  EXPECT_EQ(reader.Take(AsBytes(first))->found, Found::kNothing);
  EXPECT_TRUE(reader.within_change());
  Result<LogRecordReader::Taken> taken = reader.Take(AsBytes(last));
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->found, Found::kChange);
  EXPECT_EQ(AsText(taken->bytes), "ab");
  EXPECT_FALSE(reader.within_change());
}

TEST(LogRecord, PartsThatACrashLeftIncompleteAreNotJoinedWithTheNextChange) {
  LogRecordReader reader;
  std::string first = Entry(LogRecordKind::kMoreParts, "torn");
  std::string abandoned = Entry(LogRecordKind::kAbandoned, "");
  std::string whole = Entry(LogRecordKind::kChange, "whole");
  ASSERT_TRUE(reader.Take(AsBytes(first)));
  ASSERT_TRUE(reader.Take(AsBytes(abandoned)));
  EXPECT_EQ(AsText(reader.Take(AsBytes(whole))->bytes), "whole");
}

TEST(LogRecord, HeartbeatIsFound) {
  LogRecordReader reader;
  std::string heartbeat = Entry(LogRecordKind::kHeartbeat, "x");
  EXPECT_EQ(reader.Take(AsBytes(heartbeat))->found, Found::kHeartbeat);
}

TEST(LogRecord, UnknownKindsAreRefused) {
  LogRecordReader reader;
  EXPECT_FALSE(reader.Take({}));
  std::string unknown("\x7f", 1);
  EXPECT_FALSE(reader.Take(AsBytes(unknown)));
}

TEST(SnapshotMetadata, ComesBackAsItWas) {
  SnapshotMetadata metadata{.stability_horizon = {7},
                            .applied = {{1, 9}, {UINT64_MAX, UINT64_MAX}}};
  std::string bytes = EncodeSnapshotMetadata(metadata);
  EXPECT_TRUE(IsSnapshotMetadata(AsBytes(bytes)));
  EXPECT_EQ(DecodeSnapshotMetadata(AsBytes(bytes)).value(), metadata);
  for (size_t cut = 0; cut < bytes.size(); ++cut) {
    EXPECT_FALSE(DecodeSnapshotMetadata(AsBytes(bytes.substr(0, cut)))) << cut;
  }
}

}  // namespace
}  // namespace meridian::session
