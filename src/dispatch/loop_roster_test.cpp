// Two loops that share a roster, here on one thread: what one of them learns holds for the other.
#include "dispatch/loop_roster.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.hpp"
#include "dispatch/dispatcher_fixture.hpp"
#include "dispatch/limits.hpp"
#include "dispatch/policy/health.hpp"
#include "dispatch/policy/outliers.hpp"
#include "http/limits.hpp"

namespace meridian::dispatch {
namespace {

using enum Roster::Failure;

// Rosters of two loops; no request is sent.
class LoopRosterTest : public DispatcherFixture {
 protected:
  LoopRosterTest() { idempotent_.may_use_trial = true; }

  template <class Test>
  void WithLoops(Test test) {
    Run([&]() -> io::Task<void> {
      LoopRoster one(loop_, network_, *roster_, "balancer", metrics_.AddPart(), Random(3));
      LoopRoster two(loop_, network_, *roster_, "balancer", metrics_.AddPart(), Random(4));
      one_ = &one;
      two_ = &two;
      SetInstances({1, 2, 3});
      co_await test();
    });
  }

  // A slot of that loop at instance 1. The others are held until then, as the less loaded of two is
  // taken.
  static Slot TakeFirst(LoopRoster& at) {
    std::vector<Slot> others;
    for (;;) {
      Slot slot = at.TakeNow({});
      if (slot->id == "i1") return slot;
      others.push_back(std::move(slot));
    }
  }
  bool FirstIsEjected() const { return roster_->Report()[0].use == site::InstanceUse::kEjected; }

  // Afterwards the connection is idle.
  static io::Task<void> FetchWhole(Dispatcher& by) {
    const Outcome outcome = co_await by.Fetch({.path = "/", .host = "a"});
    EXPECT_EQ(outcome.kind, Outcome::Kind::kTaken);
    if (!outcome.taken) co_return;
    for (;;) {
      const Result<Bytes> data = co_await outcome.taken->ReadBody();
      if (!data || data->empty()) co_return;
    }
  }
  static io::Task<void> FetchAndForget(Dispatcher& by) {
    (void)co_await by.Fetch({.path = "/", .host = "a"});
  }
  io::Task<void> AwaitChange(bool* told) {
    EXPECT_TRUE(co_await roster_->changed().Wait());
    *told = true;
  }

  ChoiceConstraints idempotent_;
  LoopRoster* one_ = nullptr;
  LoopRoster* two_ = nullptr;
};

TEST_F(LoopRosterTest, UnansweredRequestsAreInARowWhenNoLoopHadAnAnswerBetween) {
  WithLoops([&]() -> io::Task<void> {
    const Slot at_one = TakeFirst(*one_);
    const Slot at_two = TakeFirst(*two_);
    for (uint32_t i = 1; i < kUnansweredInRow; ++i) (void)one_->OnFailure(*at_one, kUnanswered);
    two_->OnAnswered(*at_two);
    for (uint32_t i = 1; i < kUnansweredInRow; ++i) (void)one_->OnFailure(*at_one, kUnanswered);
    EXPECT_FALSE(FirstIsEjected());
    (void)two_->OnFailure(*at_two, kUnanswered);
    EXPECT_TRUE(FirstIsEjected());
    for (int i = 0; i < 100; ++i) EXPECT_NE(two_->TakeNow({})->id, "i1");
    co_return;
  });
}

// Half of the requests of one loop fail, which are few of all.
TEST_F(LoopRosterTest, TheRateOfFailuresIsThatOfTheRequestsOfAllLoops) {
  WithLoops([&]() -> io::Task<void> {
    for (int i = 0; i < 1000; ++i) {
      if (Slot slot = two_->TakeNow({})) two_->OnAnswered(*slot);
    }
    for (int i = 0; i < 60; ++i) {
      Slot slot = TakeFirst(*one_);
      if (i % 2 == 0) one_->OnAnswered(*slot);
      if (i % 2 == 1) (void)one_->OnFailure(*slot, kErrorStatus);
    }
    EXPECT_FALSE(FirstIsEjected());
    for (int i = 0; i < 2000 && !FirstIsEjected(); ++i) {
      (void)one_->OnFailure(*TakeFirst(*one_), kErrorStatus);
    }
    EXPECT_TRUE(FirstIsEjected());
    co_return;
  });
}

TEST_F(LoopRosterTest, OnTrialAnInstanceHasOneRequestOfAllLoops) {
  WithLoops([&]() -> io::Task<void> {
    {
      Slot slot = TakeFirst(*one_);
      for (uint32_t i = 0; i < kUnansweredInRow; ++i) (void)one_->OnFailure(*slot, kUnanswered);
    }
    scope_of_checks_->Cancel();  // a passed check would end the trial
    (void)co_await io::Sleep(InstanceHealth::kFirstEjection);
    const auto at_first = [&] { return roster_->Report()[0].in_flight; };
    std::vector<Slot> slots;
    for (int i = 0; i < 50; ++i) {
      slots.push_back(one_->TakeNow(idempotent_));
      slots.push_back(two_->TakeNow(idempotent_));
      slots.push_back(two_->TakeNow({}));
      EXPECT_LE(at_first(), 1U);
    }
    EXPECT_EQ(at_first(), 1U);
    slots.clear();
    // Nobody has answered: the next request is a trial too, and its answer ends them.
    while (at_first() == 0) slots.push_back(two_->TakeNow(idempotent_));
    two_->OnAnswered(*slots.back());
    EXPECT_EQ(roster_->Report()[0].use, site::InstanceUse::kSlowStart);
  });
}

TEST_F(LoopRosterTest, RetriesAreAShareOfTheRequestsOfAllLoops) {
  WithLoops([&]() -> io::Task<void> {
    for (int i = 0; i < 100; ++i) {
      one_->OnRequest();
      two_->OnRequest();
    }
    int retries = 0;
    for (LoopRoster* at : {one_, two_}) {
      while (at->TakeRetry({}) == Roster::Retry::kAllowed) ++retries;
    }
    EXPECT_EQ(retries, 200 * config_.retry_budget);
    co_return;
  });
}

TEST_F(LoopRosterTest, TheLastRequestAtAnInstanceThatLeavesIsToldWhicheverLoopHasIt) {
  WithLoops([&]() -> io::Task<void> {
    Slot slot = TakeFirst(*two_);
    SetViews({View(1, site::InstanceState::kDraining), View(2)});
    co_await Yield();
    EXPECT_EQ(roster_->leaving_requests(), 1U);
    io::Scope agent(loop_);
    bool told = false;
    agent.Spawn(AwaitChange(&told));
    co_await Yield();
    EXPECT_FALSE(told);
    slot = Slot();
    EXPECT_EQ(roster_->leaving_requests(), 0U);
    co_await Yield();
    EXPECT_TRUE(told);
    co_await agent.Join();
  });
}

// Two dispatchers with connections.
using DispatcherLoopsTest = LoopRosterTest;

TEST_F(DispatcherLoopsTest, AResetClosesTheIdleConnectionsOfAllLoops) {
  Run([&]() -> io::Task<void> {
    Dispatcher other(loop_, network_, *roster_, {.tier = "balancer", .data_center = "here"},
                     metrics_.AddPart(), Random(3));
    SetInstances({1});
    for (Dispatcher* each : {dispatcher_, &other}) co_await FetchWhole(*each);
    EXPECT_EQ(network_[1].open, 2U);
    network_[1].mode = PlayedInstance::Mode::kBreak;
    EXPECT_EQ((co_await other.Fetch({.path = "/", .host = "a"})).kind, Outcome::Kind::kFailed);
    co_await Yield();
    EXPECT_EQ(network_[1].open, 0U);
  });
}

// Two loops at one instance that may have three connections.
class ConnectionsTest : public LoopRosterTest {
 protected:
  ConnectionsTest() { config_.max_in_flight = kMax; }

  template <class Test>
  void WithOther(Test test) {
    Run([&]() -> io::Task<void> {
      Dispatcher other(loop_, network_, *roster_, {.tier = "balancer", .data_center = "here"},
                       metrics_.AddPart(), Random(3));
      other_ = &other;
      SetInstances({1});
      co_await test();
    });
  }
  // Sends `count` requests at the same time, so that as many connections are idle afterwards.
  io::Task<void> FetchTogether(Dispatcher& by, size_t count) {
    network_[1].holds = true;
    io::Scope asking(loop_);
    for (size_t i = 0; i < count; ++i) asking.Spawn(FetchWhole(by));
    co_await Yield();
    network_[1].holds = false;
    network_[1].held.WakeAll();
    co_await asking.Join();
  }
  const SharedInstance& shared() const { return *roster_->instances()->front().instance; }

  static constexpr uint32_t kMax = 3;
  Dispatcher* other_ = nullptr;
};

TEST_F(ConnectionsTest, IdleConnectionsOfOneLoopDoNotTakeThePlacesOfAnother) {
  WithOther([&]() -> io::Task<void> {
    co_await FetchTogether(*dispatcher_, kMax);
    EXPECT_EQ(network_[1].open, kMax);
    const TimePoint before = loop_.Now();
    co_await FetchWhole(*other_);
    EXPECT_EQ(loop_.Now(), before) << "it waited for the closing alone";
    EXPECT_EQ(network_[1].open, 1U);
    EXPECT_EQ(network_[1].max_open, kMax);
    EXPECT_EQ(shared().connections, 1U);
  });
}

TEST_F(ConnectionsTest, LoopsThatTakeTurnsNeverExceedTheLimit) {
  WithOther([&]() -> io::Task<void> {
    for (size_t round = 0; round < 20; ++round) {
      io::Scope both(loop_);
      both.Spawn(FetchTogether(*dispatcher_, 1 + round % kMax));
      both.Spawn(FetchTogether(*other_, kMax - round % kMax));
      co_await both.Join();
      EXPECT_LE(shared().connections, kMax);
      EXPECT_EQ(shared().connecting, 0U);
    }
    EXPECT_EQ(network_[1].max_open, kMax);
    EXPECT_GT(network_[1].connects, 10) << "it was a test: connections changed their loop";
  });
}

TEST_F(ConnectionsTest, OneLoopKeepsItsConnections) {
  WithOther([&]() -> io::Task<void> {
    for (size_t round = 0; round < 10; ++round) co_await FetchTogether(*dispatcher_, kMax);
    EXPECT_EQ(network_[1].connects, static_cast<int>(kMax));
    EXPECT_EQ(shared().connections, kMax);
  });
}

TEST_F(ConnectionsTest, ALoopThatClosesNothingIsWaitedForOnlyAShortTime) {
  WithOther([&]() -> io::Task<void> {
    // The connections of a loop that does not run.
    roster_->instances()->front().instance->connections = kMax;
    const TimePoint before = loop_.Now();
    co_await FetchWhole(*other_);
    EXPECT_GE(loop_.Now(), before + kMaxCloseWait);
    EXPECT_LT(loop_.Now(), before + 2 * kMaxCloseWait);
    EXPECT_EQ(network_[1].requests, 1);
    EXPECT_EQ(shared().connections, kMax + 1);
    roster_->instances()->front().instance->connections -= kMax;
  });
}

TEST_F(ConnectionsTest, ARequestWhoseVisitorLeavesWhileItWaitsGivesItsPlaceBack) {
  WithOther([&]() -> io::Task<void> {
    roster_->instances()->front().instance->connections = kMax;
    io::Scope visitor(loop_);
    visitor.Spawn(FetchAndForget(*other_));
    co_await Yield();
    EXPECT_EQ(shared().connecting, 1U);
    visitor.Cancel();
    co_await visitor.Join();
    EXPECT_EQ(shared().connecting, 0U);
    EXPECT_EQ(shared().connections, kMax);
    EXPECT_EQ(shared().in_flight, 0U);
    EXPECT_EQ(network_[1].connects, 0);
    roster_->instances()->front().instance->connections -= kMax;
  });
}

TEST_F(ConnectionsTest, ThoseThatWereIdleForTooLongAreNotCounted) {
  WithOther([&]() -> io::Task<void> {
    co_await FetchTogether(*dispatcher_, kMax);
    (void)co_await io::Sleep(http::ClientLimits().idle_timeout + 2 * http::kIdleSweepInterval);
    const TimePoint before = loop_.Now();
    co_await FetchWhole(*other_);
    EXPECT_EQ(loop_.Now(), before);
    EXPECT_EQ(shared().connections, 1U);
  });
}

class LeavingTest : public LoopRosterTest, public testing::WithParamInterface<bool> {};

TEST_P(LeavingTest, NoLoopKeepsAnIdleConnection) {
  Run([&]() -> io::Task<void> {
    Dispatcher other(loop_, network_, *roster_, {.tier = "balancer", .data_center = "here"},
                     metrics_.AddPart(), Random(3));
    SetInstances({1});
    for (Dispatcher* each : {dispatcher_, &other}) co_await FetchWhole(*each);
    EXPECT_EQ(network_[1].open, 2U);
    if (GetParam()) SetInstances({2});
    if (!GetParam()) SetViews({View(1, site::InstanceState::kDraining), View(2)});
    co_await Yield();
    EXPECT_EQ(network_[1].open, 0U);
  });
}

INSTANTIATE_TEST_SUITE_P(RemovedOrDraining, LeavingTest, testing::Bool());

}  // namespace
}  // namespace meridian::dispatch
