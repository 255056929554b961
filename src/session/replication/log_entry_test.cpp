#include "session/replication/log_entry.hpp"

#include <gtest/gtest.h>

#include "session/replication/basis.hpp"

namespace meridian::session {
namespace {

using Found = EntryReader::Found;

std::string Entry(EntryKind kind, std::string_view body) {
  return std::string(1, static_cast<char>(kind)) + std::string(body);
}

TEST(LogEntry, RecordInPartsIsWholeAgain) {
  EntryReader reader;
  std::string first = Entry(EntryKind::kMoreParts, "a");
  std::string last = Entry(EntryKind::kRecord, "b");
  EXPECT_EQ(reader.Take(AsBytes(first))->found, Found::kNothing);
  EXPECT_TRUE(reader.within_record());
  Result<EntryReader::Taken> taken = reader.Take(AsBytes(last));
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->found, Found::kRecord);
  EXPECT_EQ(AsText(taken->bytes), "ab");
  EXPECT_FALSE(reader.within_record());
}

TEST(LogEntry, PartsWhoseEndACrashHasTakenAreNotTakenForTheNextRecord) {
  EntryReader reader;
  std::string first = Entry(EntryKind::kMoreParts, "torn");
  std::string abandoned = Entry(EntryKind::kAbandoned, "");
  std::string whole = Entry(EntryKind::kRecord, "whole");
  ASSERT_TRUE(reader.Take(AsBytes(first)));
  ASSERT_TRUE(reader.Take(AsBytes(abandoned)));
  EXPECT_EQ(AsText(reader.Take(AsBytes(whole))->bytes), "whole");
}

TEST(LogEntry, BeatIsTold) {
  EntryReader reader;
  std::string beat = Entry(EntryKind::kBeat, "x");
  EXPECT_EQ(reader.Take(AsBytes(beat))->found, Found::kBeat);
}

TEST(LogEntry, UnknownKindsAreRefused) {
  EntryReader reader;
  EXPECT_FALSE(reader.Take({}));
  std::string unknown("\x7f", 1);
  EXPECT_FALSE(reader.Take(AsBytes(unknown)));
}

TEST(SnapshotBasis, ComesBackAsItWas) {
  SnapshotBasis basis{.known = {7}, .applied = {{1, 9}, {UINT64_MAX, UINT64_MAX}}};
  std::string bytes = EncodeBasis(basis);
  EXPECT_TRUE(IsBasis(AsBytes(bytes)));
  EXPECT_EQ(DecodeBasis(AsBytes(bytes)).value(), basis);
  for (size_t cut = 0; cut < bytes.size(); ++cut) {
    EXPECT_FALSE(DecodeBasis(AsBytes(bytes.substr(0, cut)))) << cut;
  }
}

}  // namespace
}  // namespace meridian::session
