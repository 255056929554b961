#include "cli/queue/broker_address.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/queue/limits.hpp"

namespace meridian::cli {
namespace {

using testing::ElementsAre;

TEST(BrokerAddress, HostsNamesAndAddressesWithAndWithoutPorts) {
  auto brokers = ParseBrokers("127.1.0.1:9092,k2.internal,[::1]:19092,::1");
  ASSERT_TRUE(brokers);
  EXPECT_THAT(*brokers,
              ElementsAre(BrokerAddress{"127.1.0.1", 9092}, BrokerAddress{"k2.internal", 9092},
                          BrokerAddress{"::1", 19092}, BrokerAddress{"::1", 9092}));
  EXPECT_EQ(brokers->at(0).ToString(), "127.1.0.1:9092");
  EXPECT_EQ(brokers->at(2).ToString(), "[::1]:19092");
}

TEST(BrokerAddress, WhatIsNoAddressIsRefused) {
  for (std::string_view text :
       {"", ",", ":9092", "host:", "host:0", "host:65536", "host:x", "[::1", "[::1]9092", "a,,b"}) {
    EXPECT_FALSE(ParseBrokers(text)) << text;
  }
}

TEST(BrokerAddress, BrokersUpToTheLimitAndNotOneMore) {
  auto with = [](size_t count) {
    std::string text = "k";
    for (size_t i = 1; i < count; ++i) text += ",k";
    return ParseBrokers(text).has_value();
  };
  EXPECT_TRUE(with(kMaxBootstrapBrokers));
  EXPECT_FALSE(with(kMaxBootstrapBrokers + 1));
}

TEST(BrokerAddress, ANumericAddressAndLocalhostResolve) {
  auto at = Resolve({"127.3.2.1", 9092});
  ASSERT_TRUE(at);
  EXPECT_EQ(at->ToString(), "127.3.2.1:9092");
  auto local = Resolve({"localhost", 9092});
  ASSERT_TRUE(local);
  EXPECT_TRUE(local->address.is_loopback());
  EXPECT_EQ(local->port, 9092);
}

}  // namespace
}  // namespace meridian::cli
