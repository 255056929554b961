#include "cli/queue/republish/batch_file.hpp"

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "wire/kafka/batch_writer.hpp"

namespace meridian::cli {
namespace {

class BatchFileTest : public testing::Test {
 protected:
  void SetUp() override {
    path_ = testing::TempDir() + "batch_file_test." +
            testing::UnitTest::GetInstance()->current_test_info()->name();
  }
  void TearDown() override { std::filesystem::remove(path_); }
  void Write(const std::string& bytes) {
    std::ofstream(path_, std::ios::binary).write(bytes.data(), std::ssize(bytes));
  }
  static std::string Batch(int64_t offset) {
    wire::kafka::BatchWriter writer({.base_offset = offset});
    writer.Add({.offset = offset, .timestamp_ms = 1, .value = "v"});
    const std::vector<uint8_t> bytes = writer.Finish().value();
    return {bytes.begin(), bytes.end()};
  }
  // The error at the end, or "" and the number of batches.
  std::string ReadAll() {
    auto file = BatchFile::Open(path_);
    if (!file) return file.error().message;
    for (;;) {
      auto batch = file->Next();
      if (!batch) return batch.error().message;
      if (batch->empty()) return "";
      ++batches_;
    }
  }

  std::string path_;
  int batches_ = 0;
};

TEST_F(BatchFileTest, BatchesComeInOrderUntilTheEnd) {
  Write(Batch(3) + Batch(4));
  EXPECT_EQ(ReadAll(), "");
  EXPECT_EQ(batches_, 2);
}

TEST_F(BatchFileTest, EmptyFileHasNone) {
  Write("");
  EXPECT_EQ(ReadAll(), "");
  EXPECT_EQ(batches_, 0);
}

TEST_F(BatchFileTest, DamagedCutAndForeignFilesAreRefusedWithTheByte) {
  const std::string at = std::to_string(Batch(3).size());
  std::string flipped = Batch(4);
  flipped.back() ^= 1;
  Write(Batch(3) + flipped);
  EXPECT_NE(ReadAll().find("the batch at byte " + at + " is damaged"), std::string::npos);
  Write(Batch(3) + Batch(4).substr(0, 65));
  EXPECT_NE(ReadAll().find("the batch at byte " + at + " is damaged"), std::string::npos);
  Write(Batch(3) + "short");
  EXPECT_NE(ReadAll().find("at byte " + at), std::string::npos);
  Write(std::string(1000, 'x'));
  EXPECT_NE(ReadAll().find("at byte 0"), std::string::npos);
  std::string huge = Batch(3);
  huge[8] = 0x7f;
  Write(huge);
  EXPECT_NE(ReadAll().find("bytes"), std::string::npos);
}

TEST_F(BatchFileTest, MissingFileAndFolderAreErrors) {
  EXPECT_NE(ReadAll().find("No such file"), std::string::npos);
  path_ = testing::TempDir();
  EXPECT_NE(ReadAll(), "");
  path_ = "";
}

}  // namespace
}  // namespace meridian::cli
