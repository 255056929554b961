#include "cli/queue/queue_call.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/command_line.hpp"
#include "site/load/load.hpp"

namespace meridian::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

site::Site SiteOf(const std::string& text, const std::string& west = "") {
  auto site = site::Parse({.text = R"(domain = "photos.example"
[[datacenter]]
name = "us-east"
address = "10.1.0.1"
location = "Ashburn"
[[datacenter]]
name = "us-west"
address = "10.2.0.1"
location = "San Jose"
)" + west + R"([[edge_place]]
name = "london"
address = "10.9.0.1"
location = "London"
[app]
command = ["true"]
[lab]
wan = false
)" + text,
                           .file = "/srv/site.toml"},
                          AllTiers());
  EXPECT_TRUE(site) << site.error().Render();
  return *site;
}

std::string AddressIn(const Result<QueueBrokers>& brokers) {
  return brokers ? brokers->brokers.front().ToString() : brokers.error().message;
}

TEST(QueueCall, InTheLabTheFirstDataCenterIsAskedOrTheOneThatIsNamed) {
  site::Site site = SiteOf("[queue]\n");
  EXPECT_EQ(AddressIn(BrokersOf(site, "", true, {})), "10.1.0.1:9092");
  auto west = BrokersOf(site, "us-west", true, {});
  EXPECT_EQ(AddressIn(west), "10.2.0.1:9092");
  EXPECT_EQ(west->where, "the queue of us-west");
}

TEST(QueueCall, OnAServerTheDataCenterThatRunsThereIsAskedAtLoopback) {
  site::Site site = SiteOf("[queue]\nport = 9093\n");
  EXPECT_EQ(AddressIn(BrokersOf(site, "", false, {"us-west"})), "127.0.0.1:9093");
}

TEST(QueueCall, AnotherServersQueueNeedsAPrivateAddress) {
  site::Site site = SiteOf("[queue]\n");
  EXPECT_THAT(AddressIn(BrokersOf(site, "us-west", false, {"us-east"})),
              HasSubstr("listens on loopback of its own host"));
  site = SiteOf("[queue]\n", "private_address = \"10.100.0.2\"\n");
  EXPECT_EQ(AddressIn(BrokersOf(site, "us-west", false, {"us-east"})), "10.100.0.2:9092");
}

TEST(QueueCall, WithoutAnAnswerWhichOneIsMeantItAsks) {
  site::Site site = SiteOf("[queue]\n");
  EXPECT_EQ(AddressIn(BrokersOf(site, "", false, {})),
            "say which queue: --dc NAME, of us-east, us-west");
  EXPECT_THAT(AddressIn(BrokersOf(site, "london", true, {})), HasSubstr("us-east, us-west"));
  EXPECT_THAT(AddressIn(BrokersOf(site, "us-est", true, {})), HasSubstr("us-east, us-west"));
}

TEST(QueueCall, AnExternalClusterIsAskedWhereItIs) {
  site::Site site = SiteOf("[queue]\nexternal = \"kafka://user@k1.internal,k2.internal:9093/\"\n");
  auto brokers = BrokersOf(site, "us-east", false, {});
  ASSERT_TRUE(brokers) << brokers.error().message;
  EXPECT_THAT(brokers->brokers,
              ElementsAre(BrokerAddress{"k1.internal", 9092}, BrokerAddress{"k2.internal", 9093}));
}

TEST(QueueCall, ASiteWithoutAQueueSaysSo) {
  EXPECT_THAT(AddressIn(BrokersOf(SiteOf(""), "", true, {})), HasSubstr("add the table [queue]"));
}

}  // namespace
}  // namespace meridian::cli
