#include "base/ip.hpp"

#include <gtest/gtest.h>

namespace meridian {
namespace {

TEST(IpAddress, ParsesAndPrintsBothFamilies) {
  for (const char* text : {"127.1.0.1", "0.0.0.0", "::1", "2001:db8::5", "::ffff:10.0.0.1"}) {
    Result<IpAddress> address = IpAddress::Parse(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->ToString(), text);
  }
  for (const char* text :
       {"", "127.1", "1.2.3.4.5", "256.0.0.1", "::g", "fe80::1%eth0", "1.2.3.4 "}) {
    EXPECT_FALSE(IpAddress::Parse(text)) << text;
  }
  EXPECT_FALSE(IpAddress::Parse(std::string_view("1.2.3.4\0x", 9)));
}

TEST(IpAddress, MaskKeepsTheFirstBitsOnly) {
  EXPECT_EQ(IpAddress::V4(198, 51, 100, 255).Masked(25).ToString(), "198.51.100.128");
  EXPECT_EQ(IpAddress::V4(198, 51, 100, 255).Masked(0).ToString(), "0.0.0.0");
  EXPECT_EQ(IpAddress::Parse("2001:db8:ffff::1")->Masked(33).ToString(), "2001:db8:8000::");
}

TEST(IpAddress, MappedAddressIsTheIpv4OneInside) {
  EXPECT_EQ(IpAddress::Parse("::ffff:127.0.0.1")->Unmapped(), IpAddress::V4(127, 0, 0, 1));
  EXPECT_TRUE(IpAddress::Parse("::ffff:127.0.0.1")->is_loopback());
  EXPECT_TRUE(IpAddress::Parse("::1")->is_loopback());
  EXPECT_FALSE(IpAddress::Parse("2001:db8::1")->is_loopback());
}

TEST(IpPrefix, ContainsItsOwnFamilyOnly) {
  Result<IpPrefix> prefix = IpPrefix::Parse("198.51.100.0/24");
  ASSERT_TRUE(prefix);
  EXPECT_TRUE(prefix->Contains(IpAddress::V4(198, 51, 100, 77)));
  EXPECT_FALSE(prefix->Contains(IpAddress::V4(198, 51, 101, 77)));
  EXPECT_FALSE(IpPrefix::Parse("::/0")->Contains(IpAddress::V4(1, 2, 3, 4)));
}

TEST(IpPrefix, StrayBitsAreRefusedWithTheRightSpelling) {
  Result<IpPrefix> prefix = IpPrefix::Parse("198.51.100.7/24");
  ASSERT_FALSE(prefix);
  EXPECT_NE(prefix.error().message.find("198.51.100.0/24"), std::string::npos);
  EXPECT_FALSE(IpPrefix::Parse("1.2.3.4/33"));
  EXPECT_FALSE(IpPrefix::Parse("1.2.3.4/"));
}

TEST(Endpoint, ParsesAndPrintsBothFamilies) {
  for (const char* text : {"127.0.0.1:80", "[::1]:8443"}) {
    Result<Endpoint> endpoint = Endpoint::Parse(text);
    ASSERT_TRUE(endpoint) << text;
    EXPECT_EQ(endpoint->ToString(), text);
  }
  for (const char* text : {"127.0.0.1", "::1:80", "[127.0.0.1]:80", "1.2.3.4:65536", "1.2.3.4:"}) {
    EXPECT_FALSE(Endpoint::Parse(text)) << text;
  }
}

}  // namespace
}  // namespace meridian
