#include "io/port_owner.hpp"

#include <array>

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/ip.hpp"
#include "io/net/socket.hpp"

namespace meridian::io {
namespace {

Endpoint BoundTo(const Fd& fd) {
  sockaddr_in name{};
  socklen_t size = sizeof name;
  getsockname(fd.get(), reinterpret_cast<sockaddr*>(&name), &size);
  return {IpAddress::V4(127, 0, 0, 1), ntohs(name.sin_port)};
}

TEST(PortOwner, IsFoundByTheAddressAndByTheWildcard) {
  for (IpAddress address : {IpAddress::V4(127, 0, 0, 1), IpAddress()}) {
    auto socket = OpenListeningSocket({address, 0}, {});
    ASSERT_TRUE(socket);
    auto owner = OwnerOfPort(BoundTo(*socket), Transport::kTcp);
    ASSERT_TRUE(owner);
    EXPECT_EQ(owner->pid, getpid());
    EXPECT_NE(owner->command.front().find("io_test"), std::string::npos);
    EXPECT_FALSE(OwnerOfPort(BoundTo(*socket), Transport::kUdp));
  }
}

TEST(PortOwner, OfADatagramSocketIsFound) {
  auto socket = OpenDatagramSocket({IpAddress::V4(127, 0, 0, 1), 0}, false);
  ASSERT_TRUE(socket);
  EXPECT_EQ(OwnerOfPort(BoundTo(*socket), Transport::kUdp)->pid, getpid());
}

TEST(PortOwner, FreePortHasNoOwner) {
  Endpoint at;
  {
    auto socket = OpenListeningSocket({IpAddress::V4(127, 0, 0, 1), 0}, {});
    at = BoundTo(*socket);
  }
  EXPECT_FALSE(OwnerOfPort(at, Transport::kTcp));
}

TEST(PortOwner, AProcessIsAskedWhereItListens) {
  std::array<pid_t, 1> us = {getpid()};
  auto socket = OpenListeningSocket({IpAddress::V4(127, 0, 0, 1), 0}, {});
  EXPECT_EQ(ListensAt(us), BoundTo(*socket));
  std::array<pid_t, 1> nobody = {-1};
  EXPECT_EQ(ListensAt(nobody), std::nullopt);
}

}  // namespace
}  // namespace meridian::io
