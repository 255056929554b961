#include "queue/mirror/repair_patch.hpp"

#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "wire/kafka/batch_writer.hpp"
#include "wire/kafka/record_batch.hpp"

namespace meridian::queue {
namespace {

std::vector<uint8_t> Batch(int64_t offset, const std::string& value = "v", int32_t epoch = 3) {
  wire::kafka::BatchWriter writer({.base_offset = offset, .leader_epoch = epoch});
  for (int64_t i = 0; i < 2; ++i) {
    writer.Add({.offset = offset + i, .timestamp_ms = 1000, .value = value});
  }
  return writer.Finish().value();
}

class RepairPatchTest : public testing::Test {
 protected:
  // The batches at 0, 2, 4, 6, of which those at 2 and 4 are damaged.
  RepairPatchTest() {
    for (int64_t offset : {0, 2, 4, 6}) Add(Batch(offset));
    bytes_ = all_.size() / 4;
    place_ = {.bad = {.position = bytes_,
                      .end_position = 3 * bytes_,
                      .begin_offset = 2,
                      .next_offset = 6},
              .before = *wire::kafka::ReadBatchHeader(all_),
              .behind = *wire::kafka::ReadBatchHeader(Bytes(all_).subspan(3 * bytes_)),
              .epochs = {{0, 3}}};
  }
  void Add(const std::vector<uint8_t>& batch) {
    all_.insert(all_.end(), batch.begin(), batch.end());
  }
  void Replace(size_t index, const std::vector<uint8_t>& batch) {
    std::ranges::copy(batch, all_.begin() + static_cast<ptrdiff_t>(index * bytes_));
  }
  std::string Problem() {
    auto patch = PatchFor(place_, all_);
    return patch ? "" : patch.error().message;
  }

  std::vector<uint8_t> all_;
  size_t bytes_ = 0;
  DamagedPlace place_;
};

TEST_F(RepairPatchTest, TheSameBatchesFit) {
  EXPECT_EQ(place_.fetch_offset(), 0);
  auto patch = PatchFor(place_, all_);
  ASSERT_TRUE(patch);
  EXPECT_EQ(patch->data(), all_.data() + bytes_);
  EXPECT_EQ(patch->size(), 2 * bytes_);
}

TEST_F(RepairPatchTest, ResponseThatEndsEarlyGivesTheFirstPart) {
  auto patch = PatchFor(place_, Bytes(all_).first(3 * bytes_ - 1));
  ASSERT_TRUE(patch);
  EXPECT_EQ(patch->size(), bytes_);
  EXPECT_FALSE(PatchFor(place_, Bytes(all_).first(2 * bytes_ - 1)));
  EXPECT_FALSE(PatchFor(place_, {}));
}

TEST_F(RepairPatchTest, OtherNeighboursMeanAnotherHistory) {
  Replace(0, Batch(0, "w"));
  EXPECT_EQ(Problem(), "another batch is at offset 0 there");
  Replace(0, Batch(0));
  Replace(3, Batch(6, "w"));
  EXPECT_EQ(Problem(), "another batch is at offset 6 there");
}

TEST_F(RepairPatchTest, OtherEpochsOffsetsAndSizesDoNotFit) {
  Replace(1, Batch(2, "v", 2));
  EXPECT_NE(Problem().find("leader epoch 2 there and 3 here"), std::string::npos) << Problem();
  Replace(1, Batch(1));
  EXPECT_EQ(Problem(), "offset 1 where 2 is missing");
  Replace(1, Batch(2));
  Replace(2, Batch(5));
  EXPECT_EQ(Problem(), "offset 5 where 4 is missing");
  Replace(2, Batch(4));
  EXPECT_EQ(Problem(), "");
  place_.bad.end_position -= 1;
  EXPECT_NE(Problem().find("bytes there"), std::string::npos) << Problem();
  place_.bad.end_position += 2;
  EXPECT_NE(Problem().find("bytes there"), std::string::npos) << Problem();
}

TEST_F(RepairPatchTest, GarbageAndFlippedBytesDoNotFit) {
  all_[bytes_ + 70] ^= 1;
  EXPECT_NE(Problem(), "");
  std::ranges::fill(all_, uint8_t{'x'});
  EXPECT_NE(Problem(), "");
}

}  // namespace
}  // namespace meridian::queue
