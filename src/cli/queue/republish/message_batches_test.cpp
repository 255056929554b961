#include "cli/queue/republish/message_batches.hpp"

#include <cstddef>
#include <string>

#include <gtest/gtest.h>

#include "cli/queue/limits.hpp"

namespace meridian::cli {
namespace {

size_t BatchesOf(int count, const wire::kafka::Record& message) {
  MessageBatches batches;
  for (int i = 0; i < count; ++i) batches.Add(message);
  return batches.batches();
}

TEST(MessageBatchesTest, NoBatchHasMoreMessagesThanTheLimit) {
  EXPECT_EQ(BatchesOf(0, {}), 0U);
  EXPECT_EQ(BatchesOf(kPublishBatchRecords, {.value = "v"}), 1U);
  EXPECT_EQ(BatchesOf(kPublishBatchRecords + 1, {.value = "v"}), 2U);
}

TEST(MessageBatchesTest, KeyValueAndHeadersCountAsBytes) {
  const std::string third(kPublishBatchBytes / 3, 'x');
  EXPECT_EQ(BatchesOf(2, {.value = third}), 1U);
  EXPECT_EQ(BatchesOf(3, {.value = third}), 2U) << "the batch has a header";
  EXPECT_EQ(BatchesOf(2, {.key = third, .value = third}), 2U);
  EXPECT_EQ(BatchesOf(2, {.value = third, .headers = {{.key = "h", .value = third}}}), 2U);
  EXPECT_EQ(BatchesOf(2, {.value = third, .headers = {{.key = third}}}), 2U);
}

TEST(MessageBatchesTest, MessageAboveTheLimitHasABatchOfItsOwn) {
  const std::string large(2 * kPublishBatchBytes, 'x');
  EXPECT_EQ(BatchesOf(2, {.value = large}), 2U);
}

}  // namespace
}  // namespace meridian::cli
