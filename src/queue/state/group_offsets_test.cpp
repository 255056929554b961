#include "queue/state/group_offsets.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/hybrid_clock.hpp"
#include "queue/state/limits.hpp"

namespace meridian::queue {
namespace {

TEST(GroupOffsetsTest, LastCommittedOffsetCounts) {
  GroupOffsets offsets;
  EXPECT_EQ(offsets.Find("billing"), nullptr);
  offsets.Set("billing", {1, 0}, {.offset = 5});
  offsets.Set("billing", {1, 0}, {.offset = 3, .metadata = "again"});
  offsets.Touch("billing", HybridTime{9}, 40);
  offsets.Touch("nobody", HybridTime{9}, 40);
  ASSERT_NE(offsets.Find("billing"), nullptr);
  EXPECT_EQ(offsets.Find("billing")->offsets.at({1, 0}).offset, 3);
  EXPECT_EQ(offsets.Find("billing")->last_commit, HybridTime{9});
  EXPECT_EQ(offsets.Find("nobody"), nullptr);
  EXPECT_EQ(offsets.size(), 1U);
}

TEST(GroupOffsetsTest, GroupWithoutOffsetsIsGone) {
  GroupOffsets offsets;
  for (uint32_t i = 0; i < 3; ++i) offsets.Set("billing", {1, i}, {});
  offsets.Remove("billing", std::vector<PartitionId>{{1, 0}, {1, 9}});
  EXPECT_EQ(offsets.size(), 2U);
  offsets.Remove("billing", std::vector<PartitionId>{{1, 1}, {1, 2}});
  EXPECT_EQ(offsets.Find("billing"), nullptr);
  offsets.Set("billing", {1, 0}, {});
  offsets.Remove("billing", {});
  offsets.Remove("billing", {});
  EXPECT_EQ(offsets.size(), 0U);
}

TEST(GroupOffsetsTest, DeletedTopicTakesItsOffsetsWithIt) {
  GroupOffsets offsets;
  for (uint32_t topic = 1; topic <= 3; ++topic) offsets.Set("all", {topic, 7}, {});
  offsets.Set("only", {2, 0}, {});
  offsets.RemoveTopic(2);
  EXPECT_EQ(offsets.size(), 2U);
  EXPECT_EQ(offsets.Find("only"), nullptr);
  EXPECT_EQ(offsets.groups().size(), 1U);
}

TEST(GroupOffsetsTest, MetadataIsCountedUntilItIsGone) {
  GroupOffsets offsets;
  for (uint32_t topic = 1; topic <= 3; ++topic) {
    offsets.Set("billing", {topic, 0}, {.metadata = "12345"});
    offsets.Set("search", {topic, 0}, {.metadata = "123"});
  }
  EXPECT_EQ(offsets.metadata_bytes(), 24U);
  offsets.Set("billing", {1, 0}, {.metadata = "1"});
  EXPECT_EQ(offsets.metadata_bytes(), 20U);
  offsets.RemoveTopic(2);
  EXPECT_EQ(offsets.metadata_bytes(), 12U);
  offsets.Remove("billing", std::vector<PartitionId>{{1, 0}, {9, 0}});
  EXPECT_EQ(offsets.metadata_bytes(), 11U);
  offsets.Remove("billing", {});
  offsets.Remove("search", {});
  EXPECT_EQ(offsets.metadata_bytes(), 0U);
}

TEST(GroupOffsetsTest, GroupsAndOffsetsAreBounded) {
  GroupOffsets offsets;
  for (size_t i = 0; i < kMaxGroups; ++i) offsets.Set(std::to_string(i), {1, 0}, {});
  EXPECT_FALSE(offsets.HasRoomFor("new", 1));
  EXPECT_TRUE(offsets.HasRoomFor("0", kMaxCommittedOffsets - kMaxGroups));
  EXPECT_FALSE(offsets.HasRoomFor("0", kMaxCommittedOffsets - kMaxGroups + 1));
}

}  // namespace
}  // namespace meridian::queue
