// How many segment files the engine has open, and what it does at the limit.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "queue/engine/engine.hpp"
#include "queue/engine/engine_fixture.hpp"
#include "queue/state/refusal.hpp"

namespace meridian::queue {
namespace {

class EngineFilesTest : public EngineTest {
 protected:
  static constexpr uint32_t kPartitions = 300;
  static constexpr size_t kFiles = 64;
  EngineFilesTest() { options_.max_segment_files = kFiles; }

  static Task<void> ProduceToAll(Engine& engine, std::string value) {
    for (uint32_t i = 0; i < kPartitions; ++i) {
      co_await MustProduce(engine, {"orders", i}, {value});
      EXPECT_LE(engine.numbers().open_segment_files, kFiles);
    }
  }
};

// Each kept its file open until the next checkpoint, whatever the limit of descriptors was.
TEST_F(EngineFilesTest, MorePartitionsThanFilesAreWrittenAndSurviveACrash) {
  RunAndCrash([](Engine& engine, Machine&) -> Task<void> {
    co_await MustCreate(engine, "orders", kPartitions);
    co_await ProduceToAll(engine, "a");
    co_await ProduceToAll(engine, "b");
    EXPECT_GT(engine.numbers().open_segment_files, 0U);
  });
  Run([](Engine& engine, Machine&) -> Task<void> {
    for (uint32_t i = 0; i < kPartitions; ++i) {
      EXPECT_EQ(co_await Values(engine, {"orders", i}), "a b ");
      EXPECT_LE(engine.numbers().open_segment_files, kFiles);
    }
    EXPECT_TRUE(co_await engine.CheckpointNow());
  });
}

TEST_F(EngineFilesTest, ReadersLeaveFilesToTheWriter) {
  Run([](Engine& engine, Machine&) -> Task<void> {
    co_await MustCreate(engine, "orders", kPartitions);
    co_await ProduceToAll(engine, "a");
    EXPECT_TRUE(co_await engine.CheckpointNow());
    std::vector<FetchView> held;
    size_t refused = 0;
    for (uint32_t i = 0; i < kPartitions; ++i) {
      auto view = co_await engine.Fetch({.where = {"orders", i}}, 1000);
      if (view) {
        held.push_back(std::move(*view));
      } else {
        EXPECT_EQ(view.error().error, QueueError::kStorage);
        EXPECT_NE(view.error().message.find("which is the limit"), std::string::npos);
        ++refused;
      }
      EXPECT_LE(engine.numbers().open_segment_files, kFiles);
    }
    EXPECT_GT(refused, 0U);
    EXPECT_GT(held.size(), kFiles / 2);
    co_await MustProduce(engine, {"orders", kPartitions - 1}, {"b"});
    held.clear();
    EXPECT_EQ(co_await Values(engine, {"orders", kPartitions - 1}), "a b ");
    EXPECT_EQ(co_await Values(engine, {"orders", 0}), "a ");
  });
}

}  // namespace
}  // namespace meridian::queue
