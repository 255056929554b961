#include "dispatch/roster.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.hpp"
#include "dispatch/dispatcher_fixture.hpp"
#include "dispatch/loop_roster.hpp"
#include "dispatch/policy/outliers.hpp"

namespace meridian::dispatch {
namespace {

constexpr uint16_t kInstances = 64;

// A roster of instances with room for one request each; no request is sent.
class RosterTest : public DispatcherFixture {
 protected:
  RosterTest() {
    config_.max_in_flight = 1;
    idempotent_.may_use_trial = true;
  }

  // Fills all instances, queues `waiting` requests, and runs `test(slots)`.
  template <class Test>
  void WithQueue(size_t waiting, Test test) {
    config_.max_queued = waiting + 2;
    config_.queue_timeout = std::chrono::hours{1};
    Roster roster(loop_, config_, "balancer", metrics_, Random(2));
    roster_ = &roster;
    LoopRoster on_loop(loop_, network_, roster, "balancer", metrics_, Random(1));
    on_loop_ = &on_loop;
    auto run = [&]() -> io::Task<void> {
      SetAll();
      std::vector<Slot> slots;
      while (Slot slot = on_loop.TakeNow(idempotent_)) slots.push_back(std::move(slot));
      EXPECT_EQ(slots.size(), size_t{kInstances});
      io::Scope asking(loop_);
      for (size_t i = 0; i < waiting; ++i) asking.Spawn(Wait());
      co_await Yield();
      co_await test(slots);
      slots.clear();
      asking.Cancel();
      co_await asking.Join();
      granted_.clear();
    };
    loop_.RunToEnd(run());
  }

  // Has the instance ejected, as it leaves requests without an answer.
  void Eject(Slot& slot) {
    for (uint32_t i = 0; i < kUnansweredInRow; ++i) {
      (void)on_loop_->OnFailure(*slot, Roster::Failure::kUnanswered);
    }
    EXPECT_TRUE(slot->shared->ejected);
  }

  void SetAll() {
    std::vector<site::InstanceView> views;
    for (uint16_t port = 1; port <= kInstances; ++port) views.push_back(View(port));
    roster_->SetInstances(views);
  }
  io::Task<void> Wait() { return WaitAt(*on_loop_); }
  io::Task<void> WaitAt(LoopRoster& on_loop) {
    Result<Slot> slot = co_await on_loop.Take(idempotent_, kNever);
    if (slot) granted_.push_back(std::move(*slot));
  }

  // What freeing one slot makes the roster examine.
  uint64_t CostOfFreeing(Slot& slot) {
    const uint64_t before = roster_->examined();
    slot = Slot();
    return roster_->examined() - before;
  }

  ChoiceConstraints idempotent_;
  LoopRoster* on_loop_ = nullptr;
  std::vector<Slot> granted_;
};

// Each freed slot examined every instance for every queued request.
TEST_F(RosterTest, AFreedSlotExaminesEachInstanceOnceHoweverManyRequestsWait) {
  WithQueue(1000, [&](std::vector<Slot>& slots) -> io::Task<void> {
    EXPECT_LE(CostOfFreeing(slots[0]), kInstances + 3);
    co_await Yield();
    EXPECT_EQ(granted_.size(), 1U);
  });
}

TEST_F(RosterTest, AFreedSlotIsCheapAlsoWhileAnEjectedInstanceHasRoom) {
  WithQueue(1000, [&](std::vector<Slot>& slots) -> io::Task<void> {
    Eject(slots[7]);
    EXPECT_LE(CostOfFreeing(slots[7]), kInstances);
    EXPECT_LE(CostOfFreeing(slots[8]), kInstances + 3);
    co_await Yield();
    EXPECT_EQ(granted_.size(), 1U);
  });
}

TEST_F(RosterTest, ARequestThatFindsOthersWaitingExaminesNoInstance) {
  WithQueue(1000, [&](std::vector<Slot>&) -> io::Task<void> {
    const uint64_t before = roster_->examined();
    EXPECT_FALSE(on_loop_->TakeNow(idempotent_));
    const Result<Slot> late = co_await on_loop_->Take(idempotent_, loop_.Now());
    EXPECT_EQ(late.error().code, Errc::kTimeout);
    EXPECT_EQ(roster_->examined(), before);
  });
}

TEST_F(RosterTest, AnInstanceWhoseEjectionEndedServesAQueuedRequestWhenAnotherIsFreed) {
  WithQueue(3, [&](std::vector<Slot>& slots) -> io::Task<void> {
    Eject(slots[7]);
    slots[7] = Slot();
    co_await Yield();
    EXPECT_TRUE(granted_.empty());
    (void)co_await io::Sleep(InstanceHealth::kFirstEjection);
    slots[8] = Slot();
    co_await Yield();
    EXPECT_EQ(granted_.size(), 2U);
  });
}

TEST_F(RosterTest, SlotsFreedTogetherServeAsManyRequests) {
  WithQueue(100, [&](std::vector<Slot>& slots) -> io::Task<void> {
    slots.clear();
    co_await Yield();
    EXPECT_EQ(granted_.size(), size_t{kInstances});
    granted_.clear();  // each gives its slot to the next
    co_await Yield();
    EXPECT_EQ(granted_.size(), 100U - kInstances);
  });
}

// As if other loops had freed all slots, and not served the queue yet.
TEST_F(RosterTest, ANewRequestDoesNotTakeRoomFromThoseThatWait) {
  WithQueue(1, [&](std::vector<Slot>& slots) -> io::Task<void> {
    for (Slot& slot : slots) slot->shared->in_flight.fetch_sub(1);
    EXPECT_FALSE(on_loop_->TakeNow(idempotent_));
    EXPECT_FALSE(on_loop_->TakeNow({}));
    for (Slot& slot : slots) slot->shared->in_flight.fetch_add(1);
    slots[7] = Slot();
    co_await Yield();
    EXPECT_EQ(granted_.size(), 1U);
  });
}

// As if the first loop were just setting a view in which the instance leaves.
TEST_F(RosterTest, ARequestThatHasChosenALeavingInstanceByAnOldSnapshotGivesItsRoomBack) {
  WithQueue(0, [&](std::vector<Slot>& slots) -> io::Task<void> {
    slots.clear();
    roster_->SetInstances(std::vector{View(1), View(2)});
    SharedInstance& leaving = *roster_->instances()->front().instance;
    leaving.closing = true;
    for (int i = 0; i < 20; ++i) EXPECT_EQ(on_loop_->TakeNow(idempotent_)->id, "i2");
    EXPECT_EQ(leaving.in_flight, 0U);
    co_return;
  });
}

TEST_F(RosterTest, AnInstanceThatComesBackStillHasItsRequests) {
  WithQueue(0, [&](std::vector<Slot>& slots) -> io::Task<void> {
    roster_->SetInstances({});
    co_await Yield();
    SetAll();
    EXPECT_FALSE(on_loop_->TakeNow(idempotent_)) << "each is at its limit";
    slots.clear();
    EXPECT_TRUE(on_loop_->TakeNow(idempotent_));
  });
}

TEST_F(RosterTest, AGrantThatIsCancelledInTheSameIterationGoesToTheNext) {
  WithQueue(0, [&](std::vector<Slot>& slots) -> io::Task<void> {
    io::Scope cancelled(loop_);
    io::Scope waiting(loop_);
    cancelled.Spawn(Wait());
    co_await Yield();
    waiting.Spawn(Wait());
    co_await Yield();
    cancelled.Cancel();
    slots[7] = Slot();
    co_await Yield();
    EXPECT_EQ(granted_.size(), 1U);
    co_await cancelled.Join();
    co_await waiting.Join();
  });
}

// The wake-ups of a loop's requests come by the work that is posted to it.
TEST_F(RosterTest, RoomThatOneLoopFreesGoesToARequestOfAnother) {
  WithQueue(1, [&](std::vector<Slot>& slots) -> io::Task<void> {
    LoopRoster other(loop_, network_, *roster_, "balancer", metrics_.AddPart(), Random(3));
    io::Scope asking(loop_);
    asking.Spawn(WaitAt(other));
    co_await Yield();
    slots[7] = Slot();
    co_await Yield();
    EXPECT_EQ(granted_.size(), 1U) << "of the first loop, which came first";
    slots[8] = Slot();
    co_await Yield();
    EXPECT_EQ(granted_.size(), 2U);
    co_await asking.Join();
    granted_.clear();
  });
}

}  // namespace
}  // namespace meridian::dispatch
