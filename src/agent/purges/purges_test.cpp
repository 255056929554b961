#include "agent/purges/purges.hpp"

#include <chrono>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "agent/admin/admin_purges.hpp"
#include "agent/agent_world.hpp"
#include "agent/limits.hpp"
#include "io/blocking.hpp"
#include "io/file/system_disk.hpp"
#include "io/scope.hpp"

namespace meridian::agent {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

class PurgesTest : public testing::Test, public AgentWorld {
 protected:
  template <class Test>
  void Run(Test test) {
    auto main = [&]() -> io::Task<void> {
      EXPECT_TRUE(co_await purges_.Open());
      io::Scope scope(loop_);
      scope.Spawn(purges_.Run());
      co_await test(scope);
      purges_.Stop();
      scope.Cancel();
      co_await scope.Join();
    };
    loop_.RunToEnd(main());
  }

  // An edge that applies every order, each to `objects` objects.
  io::Task<void> Follow(std::string edge, uint64_t objects) {
    site::PurgePoll poll{.edge = edge};
    for (;;) {
      auto answer = co_await purges_.OnPoll(poll);
      if (!answer) co_return;
      bool first = poll.journal == 0;
      poll = {.edge = edge, .journal = answer->journal, .after = answer->newest};
      if (first) continue;
      for (const auto& entry : answer->entries) poll.applied.push_back({entry.number, objects});
      if (answer->entries.empty()) co_return;  // purges_ stops
    }
  }

  static site::PurgeReport Report(uint64_t number, std::optional<uint64_t> east,
                                  std::optional<uint64_t> west) {
    return {.number = number,
            .edges = {{.name = "us-east", .objects = east}, {.name = "us-west", .objects = west}}};
  }
  static site::PurgeReport WithoutTimes(site::PurgeReport report) {
    for (auto& edge : report.edges) edge.milliseconds = 0;
    return report;
  }

  Context context_ = MakeContext();
  io::BlockingPool pool_;
  io::SystemDisk disk_{pool_};
  Metrics metrics_;
  Purges purges_{context_, disk_, metrics_};
};

TEST_F(PurgesTest, APurgeWaitsForEveryEdgeAndSaysWhatWent) {
  Run([&](io::Scope& scope) -> io::Task<void> {
    scope.Spawn(Follow("us-east", 3));
    scope.Spawn(Follow("us-west", 0));
    for (uint64_t number : {1U, 2U}) {
      auto report = co_await purges_.Purge({.value = "/a"}, minutes{1});
      EXPECT_EQ(WithoutTimes(*report), Report(number, 3, 0));
    }
  });
}

TEST_F(PurgesTest, AnEdgeThatDoesNotAnswerIsLeftOpen) {
  Run([&](io::Scope& scope) -> io::Task<void> {
    scope.Spawn(Follow("us-west", 1));
    TimePoint begin = loop_.Now();
    auto report = co_await purges_.Purge({.value = "/a"}, milliseconds{20});
    EXPECT_GE(loop_.Now() - begin, milliseconds{20});
    EXPECT_EQ(WithoutTimes(*report), Report(1, std::nullopt, 1));
  });
}

TEST_F(PurgesTest, AnEdgeThatIsLateIsGivenWhatItMissed) {
  Run([&](io::Scope& scope) -> io::Task<void> {
    scope.Spawn(Follow("us-west", 1));
    auto first = co_await purges_.OnPoll({.edge = "us-east"});
    (void)co_await purges_.Purge({.value = "/a"}, milliseconds{0});
    (void)co_await purges_.Purge({.value = "/b"}, milliseconds{0});
    auto answer =
        co_await purges_.OnPoll({.edge = "us-east", .journal = first->journal, .after = 0});
    EXPECT_EQ(answer->entries.size(), 2U);
    EXPECT_EQ(answer->entries[1].order.value, "/b");
  });
}

TEST_F(PurgesTest, AnEdgeThatKnowsAnotherJournalIsToldAtOnceAndProvesNothing) {
  Run([&](io::Scope& scope) -> io::Task<void> {
    scope.Spawn(Follow("us-west", 1));
    site::PurgeReport report;
    auto purge = [&]() -> io::Task<void> {
      report = (co_await purges_.Purge({.value = "/a"}, milliseconds{50})).value();
    };
    io::Scope purging(loop_);
    purging.Spawn(purge());
    auto answer = co_await purges_.OnPoll({.edge = "us-east", .journal = 1, .after = 99});
    EXPECT_NE(answer->journal, 1U);
    co_await purging.Join();
    EXPECT_EQ(WithoutTimes(report), Report(1, std::nullopt, 1));
  });
}

TEST_F(PurgesTest, AnEdgeThatTheSiteDoesNotHaveIsRefused) {
  Run([&](io::Scope&) -> io::Task<void> {
    auto answer = co_await purges_.OnPoll({.edge = "elsewhere"});
    EXPECT_EQ(answer.error().code, Errc::kInvalid);
  });
}

TEST_F(PurgesTest, StopLetsEverybodyGo) {
  Run([&](io::Scope& scope) -> io::Task<void> {
    scope.Spawn(Follow("us-east", 1));  // it ends with the test, which would wait for it
    auto purge = [&]() -> io::Task<void> {
      auto report = co_await purges_.Purge({.value = "/a"}, minutes{1});
      EXPECT_FALSE(report->complete());
    };
    io::Scope purging(loop_);
    purging.Spawn(purge());
    auto first = co_await purges_.OnPoll({.edge = "us-west"});
    auto answer =
        co_await purges_.OnPoll({.edge = "us-west", .journal = first->journal, .after = 0});
    EXPECT_EQ(answer->newest, 1U);
    purges_.Stop();
    co_await purging.Join();
  });
}

TEST(ReadPurgeTimeoutTest, IsInTheQueryAndBounded) {
  EXPECT_EQ(ReadPurgeTimeout(std::nullopt), kPurgeTimeout);
  EXPECT_EQ(ReadPurgeTimeout("wait=0"), Duration::zero());
  EXPECT_EQ(ReadPurgeTimeout("wait=2500"), milliseconds{2500});
  EXPECT_EQ(ReadPurgeTimeout("wait=60000"), kMaxPurgeTimeout);
  EXPECT_EQ(ReadPurgeTimeout("wait=60001"), kMaxPurgeTimeout);
  for (const char* bad : {"wait", "wait=", "wait=x", "wait=-1", "wait=99999999999", "x=1"}) {
    EXPECT_EQ(ReadPurgeTimeout(bad), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace meridian::agent
