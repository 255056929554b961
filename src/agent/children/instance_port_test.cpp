#include "agent/children/instance_port.hpp"

#include <set>
#include <string_view>

#include <gtest/gtest.h>

#include "agent/limits.hpp"
#include "base/ip.hpp"
#include "io/net/socket.hpp"

namespace meridian::agent {
namespace {

TEST(InstancePort, NoTwoInstancesOfASiteCanGetTheSame) {
  std::set<uint16_t> given;
  for (uint32_t dc = 0; dc < 3; ++dc) {
    for (uint32_t instance = 0; instance < 20; ++instance) {
      for (uint64_t seed : {0u, 7u}) {
        Result<uint16_t> port = FindInstancePort({dc, 3, instance, 20, seed});
        ASSERT_TRUE(port);
        EXPECT_GE(*port, kFirstInstancePort);
        EXPECT_LE(*port, kLastInstancePort);
        EXPECT_TRUE(given.insert(*port).second) << *port;
      }
    }
  }
}

TEST(InstancePort, ATakenPortIsPassedOver) {
  PortSlot slot{.data_center = 1, .data_centers = 2, .instance = 3, .instances = 4, .seed = 5};
  uint16_t first = FindInstancePort(slot).value();
  auto holder = io::OpenListeningSocket({IpAddress::V4(127, 0, 0, 1), first}, {});
  ASSERT_TRUE(holder);
  EXPECT_TRUE(IsPortTaken(first));
  EXPECT_NE(FindInstancePort(slot).value(), first);
}

TEST(InstancePort, TheLargestSiteHasAPortForEach) {
  EXPECT_TRUE(FindInstancePort({63, 64, 63, 64, 0}));
}

TEST(InstancePort, AnInstanceThatListensOnAllAddressesIsToldFromOneThatDoesNot) {
  for (const char* address : {"0.0.0.0", "::", "127.0.0.1", "::1"}) {
    auto fd = io::OpenListeningSocket({*IpAddress::Parse(address), 0}, {});
    ASSERT_TRUE(fd) << fd.error().message;
    bool all = std::string_view(address) == "0.0.0.0" || std::string_view(address) == "::";
    EXPECT_EQ(ListensOnAllAddresses(io::LocalEndpoint(fd->get()).port), all) << address;
  }
}

}  // namespace
}  // namespace meridian::agent
