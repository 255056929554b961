#include "lab/lab.hpp"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/scratch_dir.hpp"
#include "io/descendants.hpp"
#include "io/epoll.hpp"
#include "io/file/file.hpp"
#include "io/loop.hpp"
#include "io/net/socket.hpp"
#include "io/net/stream.hpp"
#include "io/task.hpp"
#include "site/site.hpp"
#include "site/state_dir.hpp"

namespace meridian::lab {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

// A data center is a shell script in these tests: $4 is its name, $6 the state directory.
constexpr const char* kServes = R"(echo '{"ready":true}' >&4
exec sleep 1000
)";
constexpr const char* kFails = R"(echo '{"error":"out of coffee"}' >&4
)";

class LabTest : public testing::Test {
 protected:
  LabTest() {
    site_.name = "photos";
    site_.file = "site.toml";
    site_.wan = false;
    site_.datacenters = {{.name = "us-east"}, {.name = "us-west"}};
    for (const char* name : {"us-east", "us-west"}) {
      std::filesystem::create_directories(state_.logs() / name);
    }
    io::BecomeSubreaper();
  }

  void Program(const std::string& script) {
    std::ofstream(program_) << "#!/bin/sh\n" << script;
    std::filesystem::permissions(program_, std::filesystem::perms::owner_all);
  }

  // Starts a lab and runs `test`, which may send it requests; then stops the lab.
  template <class Test>
  Result<void> Run(Test test) {
    Result<void> outcome;
    auto main = [&]() -> io::Task<void> {
      Lab lab(driver_, loop_, network_,
              {.site = site_,
               .state = state_,
               .program = program_,
               .tell = [this](const std::string& sentence) { told_.push_back(sentence); }});
      outcome = co_await lab.Start();
      if (!outcome) co_return;
      io::Scope scope(loop_);
      scope.Spawn(ServeUntilDown(lab));
      co_await test();
      lab.AskDown();
      co_await scope.Join();
    };
    loop_.RunToEnd(main());
    EXPECT_TRUE(io::Descendants(getpid()).empty());
    EXPECT_FALSE(std::filesystem::exists(state_.lab_socket()));
    return outcome;
  }
  static io::Task<void> ServeUntilDown(Lab& lab) { EXPECT_TRUE(co_await lab.ServeUntilDown()); }

  // The status and body of an answer of the lab.
  io::Task<std::pair<std::string, std::string>> Ask(std::string method, std::string path) {
    auto wire = co_await network_.ConnectUnix(state_.lab_socket(), loop_.After(seconds(10)));
    EXPECT_TRUE(wire);
    std::string request =
        method + " " + path + " HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n";
    EXPECT_TRUE(co_await (*wire)->Write(AsBytes(request)));
    std::string answer;
    std::vector<uint8_t> space(4096);
    for (;;) {
      Result<size_t> got = co_await (*wire)->Read(space, loop_.After(seconds(10)));
      if (!got || *got == 0) break;
      answer += AsText(Bytes(space).first(*got));
    }
    size_t body = answer.find("\r\n\r\n");
    if (body == answer.npos) co_return std::pair{"none", answer};
    co_return std::pair{answer.substr(9, 3), answer.substr(body + 4)};
  }

  static size_t Running() { return io::Descendants(getpid()).size(); }

  io::EpollDriver driver_;
  io::Loop loop_{driver_};
  io::SystemNetwork network_{driver_};
  ScratchDir scratch_;
  site::StateDir state_ = site::StateDir::Create(scratch_ / "state").value();
  site::Site site_;
  std::string program_ = scratch_ / "program";
  std::vector<std::string> told_;
};

TEST_F(LabTest, AllDataCentersStartAndEndTogether) {
  Program(kServes);
  EXPECT_TRUE(Run([&]() -> io::Task<void> {
    EXPECT_EQ(Running(), 2u);
    co_return;
  }));
}

TEST_F(LabTest, WhenOneCannotStartNoneIsLeftAndTheReasonIsSaid) {
  Program(std::string("test $4 = us-east && exec sh -c 'echo \"{\\\"error\\\":\\\"out of "
                      "coffee\\\"}\" >&4'\n") +
          kServes);
  Result<void> outcome = Run([]() -> io::Task<void> { co_return; });
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().message, "us-east: out of coffee");
}

TEST_F(LabTest, WhatIsWrongEverywhereIsSaidOnceWithTheNamesInTheSitesOrderWhoeverFailsFirst) {
  // The pipe makes the first data center fail after the second, which writes before it is stopped.
  ASSERT_EQ(mkfifo((state_.root() / "failed").c_str(), 0600), 0);
  Program(std::string("trap '' QUIT\ntest $4 = us-east && read _ <$6/failed\n") + kFails +
          "test $4 = us-west && echo yes >$6/failed\n");
  EXPECT_EQ(Run([]() -> io::Task<void> { co_return; }).error().message,
            "us-east, us-west: out of coffee");
}

TEST_F(LabTest, OneThatEndsWithoutAReportNamesItsLog) {
  Program("exit 1\n");
  EXPECT_THAT(Run([]() -> io::Task<void> { co_return; }).error().message,
              HasSubstr((state_.logs() / "us-east" / "agent.log").string()));
}

TEST_F(LabTest, ADataCenterIsKilledWithAllThatIsInItAndStartedAgain) {
  Program(std::string("setsid sleep 1000 &\n") + kServes);
  EXPECT_TRUE(Run([&]() -> io::Task<void> {
    while (Running() < 4) (void)co_await io::Sleep(std::chrono::milliseconds(1));
    EXPECT_EQ((co_await Ask("POST", "/dc/us-east/kill")).first, "200");
    EXPECT_EQ(Running(), 2u);
    EXPECT_EQ((co_await Ask("POST", "/dc/us-east/start")).first, "200");
    auto again = co_await Ask("POST", "/dc/us-east/start");
    EXPECT_THAT(again, testing::Pair("409", StartsWith("us-east runs already")));
  }));
  EXPECT_THAT(told_, ElementsAre("us-east was killed", "us-east serves again"));
}

TEST_F(LabTest, ThePidFileOfAGuardThatCouldNotRemoveItIsRemoved) {
  Program(std::string("touch $6/pids/$4\n") + kServes);
  EXPECT_TRUE(Run([&]() -> io::Task<void> {
    EXPECT_TRUE(std::filesystem::exists(state_.pids() / "us-east"));
    EXPECT_EQ((co_await Ask("POST", "/dc/us-east/kill")).first, "200");
    EXPECT_FALSE(std::filesystem::exists(state_.pids() / "us-east"));
    EXPECT_TRUE(std::filesystem::exists(state_.pids() / "us-west"));
  }));
}

TEST_F(LabTest, ADataCenterThatEndsByItselfIsTold) {
  Program("echo '{\"ready\":true}' >&4\nread _ <$6/go\nexit 5\n");
  ASSERT_EQ(mkfifo((state_.root() / "go").c_str(), 0600), 0);
  EXPECT_TRUE(Run([&]() -> io::Task<void> {
    {
      std::ofstream(state_.root() / "go") << "\n\n";
    }
    TimePoint deadline = loop_.After(seconds(10));
    while (told_.empty() && loop_.Now() < deadline) {
      (void)co_await io::Sleep(std::chrono::milliseconds(1));
    }
    EXPECT_THAT(told_, testing::Contains(HasSubstr("is down: its agent ended (exit status 5)")));
  }));
}

TEST_F(LabTest, WhatCannotBeAskedIsRefused) {
  Program(kServes);
  EXPECT_TRUE(Run([&]() -> io::Task<void> {
    EXPECT_EQ((co_await Ask("POST", "/dc/eu-west/kill")).first, "404");
    EXPECT_EQ((co_await Ask("POST", "/dc/us-east/mend")).first, "404");
    EXPECT_EQ((co_await Ask("POST", "/nothing")).first, "404");
    EXPECT_EQ((co_await Ask("GET", "/dc/us-east/kill")).first, "405");
    EXPECT_THAT(co_await Ask("GET", "/links"), testing::Pair("409", HasSubstr("wan = false")));
    EXPECT_EQ(Running(), 2u);
  }));
}

TEST_F(LabTest, LinksAreToldAndChanged) {
  Program(kServes);
  auto block = static_cast<uint8_t>(1 + getpid() % 249);
  site_.wan = true;
  site_.datacenters[0].address = IpAddress::V4(127, 92, block, 1);
  site_.datacenters[1].address = IpAddress::V4(127, 93, block, 1);
  EXPECT_TRUE(Run([&]() -> io::Task<void> {
    EXPECT_THAT(co_await Ask("GET", "/links"), testing::Pair("200", HasSubstr("\"up\"")));
    EXPECT_THAT(co_await Ask("POST", "/links/us-east/us-west/cut"),
                testing::Pair("200", HasSubstr("\"cut\"")));
    EXPECT_EQ((co_await Ask("POST", "/links/us-east/eu-west/cut")).first, "404");
    EXPECT_EQ((co_await Ask("POST", "/links/us-east/us-west/set?latency_us=x")).first, "409");
  }));
}

TEST_F(LabTest, ADownMayTakeAsLongAsTheSiteAllowsItsApplication) {
  site_.app.stop_timeout = std::chrono::minutes(9);
  EXPECT_GT(MaxDownTime(site_), std::chrono::minutes(9));
}

}  // namespace
}  // namespace meridian::lab
