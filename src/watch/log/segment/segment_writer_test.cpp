#include "watch/log/segment/segment_writer.hpp"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.hpp"
#include "base/scratch_dir.hpp"
#include "io/file/file.hpp"
#include "watch/log/segment/log_folder.hpp"
#include "watch/log/segment/segment_fixture.hpp"

namespace meridian::watch {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxFile = size_t{1} << 26;

class SegmentWriterTest : public testing::Test {
 protected:
  std::unique_ptr<SegmentWriter> Create(uint32_t number = 1) {
    auto writer = SegmentWriter::Create(files_, folder_, number);
    CHECK(writer);
    return std::move(*writer);
  }
  void Append(SegmentWriter& writer, size_t lines) {
    RawBlock block = MakeBlock(maker_, writer.number(), line_, lines, &entries_);
    ASSERT_TRUE(writer.Append(block));
    line_ += static_cast<uint32_t>(lines);
  }
  void AppendTail(SegmentWriter& writer, size_t lines) {
    RawBlock block = MakeBlock(maker_, writer.number(), line_, lines, &entries_);
    ASSERT_TRUE(writer.AppendTail(block.first_line, block.raw));
    line_ += static_cast<uint32_t>(lines);
  }
  // All entries of the closed segment.
  std::vector<LogEntry> EntriesOf(const Segment& segment) {
    auto blocks = segment.ReadFooter();
    CHECK(blocks);
    Result<io::Fd> fd = OpenLogFile(segment.paths().log, LogFileMode::kRead);
    CHECK(fd);
    BlockReader reader;
    std::vector<LogEntry> entries;
    for (const StoredBlock& stored : *blocks) {
      auto raw = reader.Read(fd->get(), stored.place);
      CHECK(raw);
      auto block = Block::Decode(*raw);
      CHECK(block);
      for (size_t i = 0; i < block->rows().size(); ++i) {
        entries.push_back(block->Entry(i));
        entries.back().sequence = uint64_t{segment.number()} << 32 | (stored.place.first_line + i);
      }
    }
    return entries;
  }
  std::vector<LogEntry> Reopened() {
    Result<LogFolder> folder = OpenLogFolder(files_, folder_);
    CHECK(folder);
    std::vector<LogEntry> entries;
    for (const auto& segment : folder->segments) {
      EXPECT_TRUE(segment->HasIndex());
      std::ranges::move(EntriesOf(*segment), std::back_inserter(entries));
    }
    found_ = std::move(*folder);
    return entries;
  }
  static std::string Read(const std::string& path) { return *io::ReadFile(path, kMaxFile); }
  static void Write(const std::string& path, std::string_view content) {
    std::ofstream(path, std::ios::binary) << content;
  }
  void Damage(const std::string& path, size_t at) {
    std::string content = Read(path);
    content[at] = static_cast<char>(content[at] ^ 0x40);
    Write(path, content);
  }

  ScratchDir scratch_;
  std::string folder_ = scratch_.path();
  FailingFiles files_;
  EntryMaker maker_{11};
  uint32_t line_ = 0;
  std::vector<LogEntry> entries_;
  LogFolder found_;
};

TEST_F(SegmentWriterTest, AClosedSegmentHasItsEntriesAndItsIndex) {
  auto writer = Create();
  for (size_t lines : std::vector<size_t>{500, 500, 7}) Append(*writer, lines);
  auto segment = writer->Close();
  ASSERT_TRUE(segment);
  EXPECT_EQ(EntriesOf(**segment), entries_);
  EXPECT_EQ((*segment)->trailer().range.lines, 1007);
  EXPECT_TRUE((*segment)->HasIndex());
  EXPECT_FALSE(fs::exists((*segment)->paths().tail));
  EXPECT_EQ((*segment)->bytes(),
            fs::file_size((*segment)->paths().log) + fs::file_size((*segment)->paths().words));
  EXPECT_EQ(Reopened(), entries_);
  EXPECT_EQ(found_.next_number, 2);
}

TEST_F(SegmentWriterTest, AnOpenSegmentIsRecoveredWithTheLinesOfItsTail) {
  auto writer = Create();
  Append(*writer, 500);
  AppendTail(*writer, 3);
  AppendTail(*writer, 4);
  writer.reset();  // as kill -9 leaves it
  EXPECT_EQ(Reopened(), entries_);
  EXPECT_EQ(found_.recovered_lines, 507);
  EXPECT_TRUE(found_.problems.empty());
}

TEST_F(SegmentWriterTest, LinesOfTheTailThatTheLogHasAreNotDoubled) {
  auto writer = Create();
  Append(*writer, 10);
  std::vector<LogEntry> before = entries_;
  EntryMaker same = maker_;
  AppendTail(*writer, 5);
  std::string tail = Read(writer->paths().tail);
  entries_ = before;
  maker_ = same;
  line_ = 10;
  Append(*writer, 20);
  Write(writer->paths().tail, tail);  // the process ended before the tail was emptied
  writer.reset();
  EXPECT_EQ(Reopened(), entries_);
}

TEST_F(SegmentWriterTest, WhereverAWriteIsTornAllLinesBeforeItAreThere) {
  auto writer = Create();
  Append(*writer, 40);
  size_t first_end = Read(writer->paths().log).size();
  Append(*writer, 40);
  AppendTail(*writer, 5);
  SegmentPaths paths = writer->paths();
  writer.reset();
  std::string log = Read(paths.log);
  std::string tail = Read(paths.tail);
  for (size_t length = kSegmentHeaderBytes; length <= log.size();
       length += length < log.size() - 3 ? 97 : 1) {
    Write(paths.log, log.substr(0, length));
    Write(paths.tail, tail);
    (void)RemoveFile(paths.words);
    // The tail's lines come behind those of the log, so they are known to be later, and are kept.
    size_t expected = length == log.size() ? 85 : length >= first_end ? 45 : 5;
    ASSERT_EQ(Reopened().size(), expected) << length;
  }
  for (size_t length = 0; length < tail.size(); length += 61) {
    Write(paths.log, log);
    Write(paths.tail, tail.substr(0, length));
    (void)RemoveFile(paths.words);
    ASSERT_EQ(Reopened().size(), 80) << length;
  }
}

TEST_F(SegmentWriterTest, ASegmentOfWhichOnlyTheNameWasMadeIsRemoved) {
  SegmentPaths paths = Create()->paths();
  for (size_t length = 0; length < kSegmentHeaderBytes; ++length) {
    Write(paths.log, std::string(length, 'M'));
    EXPECT_TRUE(Reopened().empty());
    EXPECT_TRUE(found_.problems.empty());
    EXPECT_FALSE(fs::exists(paths.log));
    EXPECT_EQ(found_.next_number, 2);
  }
}

TEST_F(SegmentWriterTest, AnEmptySegmentIsRemoved) {
  SegmentPaths paths = Create(7)->paths();
  EXPECT_TRUE(Reopened().empty());
  EXPECT_FALSE(fs::exists(paths.log));
  EXPECT_FALSE(fs::exists(paths.tail));
  EXPECT_EQ(found_.next_number, 8);
}

TEST_F(SegmentWriterTest, DamageWithinAnOpenSegmentCostsOneBlockAndIsReported) {
  auto writer = Create();
  for (int i = 0; i < 3; ++i) Append(*writer, 50);
  SegmentPaths paths = writer->paths();
  auto closed_size = Read(paths.log).size();
  writer.reset();
  Damage(paths.log, closed_size / 2);
  EXPECT_EQ(Reopened().size(), 100);
  ASSERT_EQ(found_.problems.size(), 1);
  EXPECT_TRUE(found_.problems[0].starts_with(paths.log)) << found_.problems[0];
}

TEST_F(SegmentWriterTest, ADamagedHeaderSetsTheFileAsideUnderItsName) {
  auto writer = Create();
  Append(*writer, 50);
  ASSERT_TRUE(writer->Close());
  Damage(writer->paths().log, 9);
  EXPECT_TRUE(Reopened().empty());
  ASSERT_EQ(found_.damaged.size(), 1);
  EXPECT_EQ(found_.damaged[0].path, writer->paths().log + ".damaged");
  ASSERT_EQ(found_.problems.size(), 1);
  // And so at each later start.
  EXPECT_TRUE(Reopened().empty());
  EXPECT_EQ(found_.problems.size(), 1);
  EXPECT_EQ(found_.next_number, 2);
}

TEST_F(SegmentWriterTest, AMissingWordIndexIsBuiltAgain) {
  auto writer = Create();
  for (int i = 0; i < 3; ++i) Append(*writer, 500);
  ASSERT_TRUE(writer->Close());
  std::string index = Read(writer->paths().words);
  fs::remove(writer->paths().words);
  EXPECT_EQ(Reopened(), entries_);
  EXPECT_EQ(Read(writer->paths().words), index);
}

TEST_F(SegmentWriterTest, ADamagedWordIndexIsNotUsed) {
  auto writer = Create();
  Append(*writer, 500);
  auto segment = writer->Close();
  ASSERT_TRUE(segment);
  Damage(writer->paths().words, 5000);
  EXPECT_FALSE((*segment)->HasIndex());
  EXPECT_FALSE(fs::exists(writer->paths().words));
  EXPECT_EQ(Reopened(), entries_);
}

TEST_F(SegmentWriterTest, ATrailerThatIsMissingIsWrittenAgain) {
  auto writer = Create();
  Append(*writer, 500);
  ASSERT_TRUE(writer->Close());
  fs::resize_file(writer->paths().log, fs::file_size(writer->paths().log) - 1);
  EXPECT_EQ(Reopened(), entries_);
  EXPECT_EQ(Reopened(), entries_);
}

TEST_F(SegmentWriterTest, AfterAFullDiskTheSameBlockIsAppendedAgain) {
  auto writer = Create();
  Append(*writer, 50);
  RawBlock block = MakeBlock(maker_, 1, 50, 50, &entries_);
  files_.writes_left = 0;
  auto failed = writer->Append(block);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Errc::kUnavailable);
  files_.writes_left = 100;
  ASSERT_TRUE(writer->Append(block));
  ASSERT_TRUE(writer->Close());
  EXPECT_EQ(Reopened(), entries_);
}

TEST_F(SegmentWriterTest, WithAFullDiskAStartRemovesTheOldestToCloseTheOpenOne) {
  for (uint32_t number : std::vector<uint32_t>{1, 2}) {
    line_ = 0;
    auto writer = Create(number);
    Append(*writer, 50);
    if (number == 1) ASSERT_TRUE(writer->Close());
  }
  files_.writes_left = 0;
  EXPECT_TRUE(Reopened().empty());
  ASSERT_EQ(found_.problems.size(), 1);  // there was nothing left to remove
  files_.writes_left = 100;
  EXPECT_EQ(Reopened().size(), 50);
  EXPECT_TRUE(found_.problems.empty());
}

TEST_F(SegmentWriterTest, FilesOfRemovedSegmentsAreCleanedUp) {
  Write(folder_ + "/0000000009.words", "x");
  Write(folder_ + "/0000000009.tail", "x");
  Write(folder_ + "/note.txt", "not ours");
  EXPECT_TRUE(Reopened().empty());
  EXPECT_FALSE(fs::exists(folder_ + "/0000000009.words"));
  EXPECT_FALSE(fs::exists(folder_ + "/0000000009.tail"));
  EXPECT_TRUE(fs::exists(folder_ + "/note.txt"));
}

TEST_F(SegmentWriterTest, AnyDamageOfAClosedSegmentIsFoundOrHarmless) {
  auto writer = Create();
  for (int i = 0; i < 3; ++i) Append(*writer, 20);
  ASSERT_TRUE(writer->Close());
  std::string good = Read(writer->paths().log);
  std::string words = Read(writer->paths().words);
  Random random(3);
  for (int round = 0; round < 150; ++round) {
    fs::remove_all(writer->paths().log + ".damaged");
    Write(writer->paths().words, words);
    std::string bad = good;
    size_t at = random.Below(bad.size());
    bad[at] = static_cast<char>(bad[at] ^ (1 << random.Below(8)));
    Write(writer->paths().log, bad);
    Result<LogFolder> folder = OpenLogFolder(files_, folder_);
    ASSERT_TRUE(folder);
    size_t read = 0;
    bool noticed = !folder->problems.empty();
    for (const auto& segment : folder->segments) {
      auto blocks = segment->ReadFooter();
      noticed |= !blocks;
      Result<io::Fd> fd = OpenLogFile(segment->paths().log, LogFileMode::kRead);
      ASSERT_TRUE(fd);
      BlockReader reader;
      for (size_t i = 0; blocks && i < blocks->size(); ++i) {
        auto raw = reader.Read(fd->get(), (*blocks)[i].place);
        noticed |= !raw;
        if (!raw) continue;
        auto block = Block::Decode(*raw);
        ASSERT_TRUE(block);
        for (size_t row = 0; row < block->rows().size(); ++row, ++read) {
          LogEntry entry = block->Entry(row);
          size_t line = (*blocks)[i].place.first_line + row;
          entry.sequence = entries_[line].sequence;
          ASSERT_EQ(entry, entries_[line]);
        }
      }
    }
    EXPECT_TRUE(noticed || read == entries_.size()) << "byte " << at << " of " << good.size();
  }
}

}  // namespace
}  // namespace meridian::watch
