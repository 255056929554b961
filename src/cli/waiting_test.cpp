#include "cli/waiting.hpp"

#include <chrono>
#include <string>

#include <gtest/gtest.h>

namespace meridian::cli {
namespace {

using std::chrono::seconds;

TEST(Waiting, RewritesOneLineOfATerminalAndTakesItAway) {
  Waiting waiting(20);
  EXPECT_EQ(waiting.Next("", seconds{0}), "");
  EXPECT_EQ(waiting.Next("dns", seconds{1}), "\r\x1b[Kwaiting, 1 s: dns");
  EXPECT_EQ(waiting.Next("dns\nedge, balancer", seconds{2}), "\r\x1b[Kwaiting, 2 s: dns e");
  EXPECT_EQ(waiting.End(), "\r\x1b[K");
  EXPECT_EQ(waiting.End(), "");
}

TEST(Waiting, ElsewhereLinesBecomeSparser) {
  Waiting waiting(0);
  std::string when;
  for (int second = 0; second <= 200; ++second) {
    if (!waiting.Next("dns", seconds{second}).empty()) when += std::to_string(second) + " ";
  }
  EXPECT_EQ(when, "2 6 14 30 62 122 182 ");
  EXPECT_EQ(waiting.End(), "");
}

TEST(Waiting, AShortWaitIsNotWorthALine) {
  Waiting waiting(0);
  EXPECT_EQ(waiting.Next("dns", std::chrono::milliseconds{1999}), "");
  EXPECT_EQ(waiting.Next("dns", seconds{3}), "waiting, 3 s: dns\n");
}

}  // namespace
}  // namespace meridian::cli
