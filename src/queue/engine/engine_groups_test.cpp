// Committed offsets at their limits, and after a restart.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "queue/engine/engine.hpp"
#include "queue/engine/engine_fixture.hpp"
#include "queue/state/limits.hpp"
#include "queue/state/refusal.hpp"

namespace meridian::queue {
namespace {

constexpr uint32_t kPartitions = 100;
// So many groups with the longest metadata in each partition fill the limit, and a rest.
constexpr size_t kLongest = kMaxOffsetMetadataBytes;
constexpr size_t kFullGroups = kMaxAllMetadataBytes / kLongest / kPartitions;
constexpr size_t kRest = kMaxAllMetadataBytes / kLongest % kPartitions;

class EngineGroupsTest : public EngineTest {
 protected:
  // An offset in each partition, with metadata of so many bytes.
  static std::vector<OffsetToCommit> Offsets(size_t metadata_bytes) {
    std::vector<OffsetToCommit> offsets;
    for (uint32_t i = 0; i < kPartitions; ++i) {
      std::string metadata(metadata_bytes, 'm');
      offsets.push_back({{"orders", i}, {.offset = i, .metadata = std::move(metadata)}});
    }
    return offsets;
  }
  static Task<int64_t> CountAccepted(Engine& engine, std::string group, size_t metadata_bytes) {
    std::vector<OffsetToCommit> offsets = Offsets(metadata_bytes);
    std::vector<QueueError> errors = co_await engine.CommitOffsets(group, offsets);
    for (QueueError error : errors) {
      EXPECT_TRUE(error == QueueError::kNone || error == QueueError::kOffsetMetadataTooLarge);
    }
    co_return std::ranges::count(errors, QueueError::kNone);
  }
};

// They were bounded by their number alone, so that their metadata could reach 4 GB.
TEST_F(EngineGroupsTest, MetadataOfAllGroupsIsBoundedAndSurvivesACheckpoint) {
  RunAndCrash([](Engine& engine, Machine&) -> Task<void> {
    co_await MustCreate(engine, "orders", kPartitions);
    EXPECT_EQ(co_await CountAccepted(engine, "longer", kLongest + 1), 0);
    for (size_t i = 0; i < kFullGroups; ++i) {
      EXPECT_EQ(co_await CountAccepted(engine, std::to_string(i), kLongest), kPartitions);
    }
    EXPECT_EQ(co_await CountAccepted(engine, "last", kLongest), kRest);
    EXPECT_EQ(co_await CountAccepted(engine, "0", kLongest), kPartitions) << "replaces its own";
    EXPECT_EQ(co_await CountAccepted(engine, "without", 0), kPartitions);
    EXPECT_EQ(co_await CountAccepted(engine, "without", 1), 0);
    EXPECT_TRUE(co_await engine.CheckpointNow());
  });
  Run([](Engine& engine, Machine&) -> Task<void> {
    EXPECT_EQ(engine.CommittedOffsets("last").size(), kRest);
    EXPECT_EQ(engine.FindCommitted("0", {"orders", 99})->metadata, std::string(kLongest, 'm'));
    EXPECT_EQ(co_await CountAccepted(engine, "without", 1), 0);
    EXPECT_TRUE(co_await engine.DeleteOffsets("0", {}));
    EXPECT_EQ(co_await CountAccepted(engine, "without", 1), kPartitions);
  });
}

TEST_F(EngineGroupsTest, CommitOfManyOffsetsIsAnsweredOneByOne) {
  Run([](Engine& engine, Machine&) -> Task<void> {
    co_await MustCreate(engine, "orders", kPartitions);
    std::vector<OffsetToCommit> offsets;
    for (uint32_t i = 0; i < 5'000; ++i) {
      offsets.push_back({{"orders", i % (2 * kPartitions)}, {.offset = i}});
    }
    std::vector<QueueError> errors = co_await engine.CommitOffsets("billing", offsets);
    for (size_t i = 0; i < offsets.size(); ++i) {
      bool exists = offsets[i].where.partition < kPartitions;
      EXPECT_EQ(errors[i], exists ? QueueError::kNone : QueueError::kUnknownTopicOrPartition);
    }
    EXPECT_EQ(engine.FindCommitted("billing", {"orders", 99})->offset, 4'899) << "the last one";
  });
}

}  // namespace
}  // namespace meridian::queue
