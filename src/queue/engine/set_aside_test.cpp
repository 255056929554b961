#include "queue/engine/set_aside.hpp"

#include <string>

#include <gtest/gtest.h>

namespace meridian::queue {
namespace {

TEST(SetAsideTest, NameOfAFileSaysWhatIsInIt) {
  EXPECT_EQ(SetAsideFileName("orders-3", 42, 66), "orders-3-from-42-before-epoch-66.batches");
  for (const char* topic : {"orders", "a-1-from-2-before-epoch-3.batches", "-", "eu.orders-9"}) {
    const SetAsideName name{.topic = topic, .partition = 3, .from_offset = 42, .epoch = 66};
    EXPECT_EQ(ParseSetAsideFileName(SetAsideFileName(name.topic + "-3", 42, 66)), name) << topic;
  }
}

TEST(SetAsideTest, OtherNamesAreNone) {
  for (const char* name :
       {"", ".batches", "orders-3.batches", "orders-3-from-42-before-epoch-66",
        "orders-3-from-x-before-epoch-66.batches", "orders-3-from-42-before-epoch-.batches",
        "-3-from-42-before-epoch-66.batches", "orders-from-42-before-epoch-66.batches",
        "orders-3-from--4-before-epoch-66.batches"}) {
    EXPECT_EQ(ParseSetAsideFileName(name), std::nullopt) << name;
  }
}

}  // namespace
}  // namespace meridian::queue
