#include "cli/report/summary.hpp"

#include <string>

#include <gtest/gtest.h>

#include "cli/command_line.hpp"
#include "site/load/load.hpp"

namespace meridian::cli {
namespace {

TEST(Summary, WritesBracketsAroundIPv6AddressesWhereAPortFollows) {
  auto site = site::Parse({.text = R"(
domain = "photos.example"
[[datacenter]]
name = "us-east"
address = "2001:db8::1"
location = "Ashburn"
[app]
command = ["run"]
[lab]
wan = false
)",
                           .file = "/site.toml"},
                          AllTiers());
  ASSERT_TRUE(site.has_value()) << site.error().Render({});
  std::string text = Summary({.site = *site, .state_directory = ".meridian"});
  for (const char* expected :
       {" http://[2001:db8::1]:8080/  https://[2001:db8::1]:8443/  dns [2001:db8::1]:5300\n",
        "  curl http://[2001:db8::1]:8080/\n", "'photos.example:8443:[2001:db8::1]'",
        "  dig @2001:db8::1 -p 5300 "}) {
    EXPECT_NE(text.find(expected), std::string::npos) << expected << "\n" << text;
  }
}

}  // namespace
}  // namespace meridian::cli
