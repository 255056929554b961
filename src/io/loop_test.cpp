#include "io/loop.hpp"

#include <algorithm>
#include <chrono>
#include <deque>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "io/epoll.hpp"
#include "io/wait_queue.hpp"

namespace meridian::io {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

// A driver without events, whose time jumps to the next deadline.
class JumpingDriver final : public Driver {
 public:
  TimePoint Now() const override { return clock_.Now(); }
  WallTime Wall() const override { return clock_.Wall(); }
  void Wait(TimePoint until) override {
    CHECK(until != kNever);
    if (until > clock_.Now()) clock_.Advance(until - clock_.Now());
  }
  void Wake() override {}

 private:
  ManualClock clock_;
};

// Events occur at times given by the test. A pause advances time without polling.
class EventfulDriver final : public Driver {
 public:
  TimePoint Now() const override { return clock_.Now(); }
  WallTime Wall() const override { return clock_.Wall(); }
  void Wait(TimePoint until) override {
    if (!events_.empty() && events_.front() <= until)
      clock_.Advance(std::max(events_.front() - clock_.Now(), Duration::zero()));
    while (!events_.empty() && events_.front() <= clock_.Now()) {
      events_.pop_front();
      fibers_.WakeOne();
    }
  }
  void Wake() override {}
  void Pause(Duration most) override {
    pauses_.push_back(most);
    clock_.Advance(most);
  }

  // Time since the previous event.
  void AddEvent(Duration after) {
    last_ += after;
    events_.push_back(last_);
  }
  WaitQueue& fibers() { return fibers_; }
  std::vector<Duration>& pauses() { return pauses_; }
  size_t events_left() const { return events_.size(); }

 private:
  ManualClock clock_;
  TimePoint last_ = clock_.Now();
  std::deque<TimePoint> events_;
  WaitQueue fibers_;
  std::vector<Duration> pauses_;
};

class EventBatchingTest : public testing::Test {
 protected:
  void SetUp() override {
    for (int i = 0; i < 100; ++i) scope_.Spawn(AwaitEvent());
    loop_.RunIteration(loop_.Now());
  }
  void TearDown() override {
    scope_.Cancel();
    while (!scope_.empty()) loop_.RunIteration(loop_.Now());
  }
  Task<void> AwaitEvent() { (void)co_await driver_.fibers().Wait(); }
  int IterationsUntilAllHaveArrived() {
    int iterations = 0;
    for (; driver_.events_left() > 0; ++iterations) loop_.RunIteration(kNever);
    return iterations;
  }

  EventfulDriver driver_;
  Loop loop_{driver_};
  Scope scope_{loop_};
};

TEST_F(EventBatchingTest, EventsThatComeThickAndFastAreFoundTogether) {
  for (int i = 0; i < 50; ++i) driver_.AddEvent(microseconds{10});
  Loop::EventBatching coalescing(loop_);
  EXPECT_FALSE(coalescing.in_burst());
  EXPECT_EQ(IterationsUntilAllHaveArrived(), 6);
  EXPECT_EQ(driver_.pauses(), (std::vector<Duration>(5, microseconds{100})));
  EXPECT_TRUE(coalescing.in_burst());
}

TEST_F(EventBatchingTest, EventsArePolledOneByOneWithoutBatching) {
  for (int i = 0; i < 50; ++i) driver_.AddEvent(microseconds{10});
  {
    Loop::EventBatching coalescing(loop_);
  }
  EXPECT_EQ(IterationsUntilAllHaveArrived(), 50);
  EXPECT_TRUE(driver_.pauses().empty());
}

TEST_F(EventBatchingTest, EventsThatComeSlowlyAreFoundAtOnce) {
  for (int i = 0; i < 50; ++i) driver_.AddEvent(microseconds{30});
  Loop::EventBatching coalescing(loop_);
  EXPECT_EQ(IterationsUntilAllHaveArrived(), 50);
  EXPECT_TRUE(driver_.pauses().empty());
}

TEST_F(EventBatchingTest, APauseThatHasBroughtOneEventIsTheLast) {
  driver_.AddEvent(microseconds{10});
  driver_.AddEvent(microseconds{50});
  driver_.AddEvent(milliseconds{1});
  driver_.AddEvent(milliseconds{1});
  Loop::EventBatching coalescing(loop_);
  EXPECT_EQ(IterationsUntilAllHaveArrived(), 4);
  EXPECT_EQ(driver_.pauses().size(), 1);
}

TEST_F(EventBatchingTest, NoPauseIsLongerThanUntilTheNextTimer) {
  driver_.AddEvent(microseconds{10});
  driver_.AddEvent(milliseconds{1});
  Loop::EventBatching coalescing(loop_);
  loop_.RunIteration(kNever);
  scope_.Spawn([](Loop& loop) -> Task<void> {
    (void)co_await SleepUntil(loop.After(microseconds{40}));
  }(loop_));
  loop_.RunIteration(loop_.Now());
  loop_.RunIteration(kNever);
  EXPECT_EQ(driver_.pauses(), (std::vector<Duration>{microseconds{40}}));
}

TEST_F(EventBatchingTest, WorkThatIsPostedIsNoEvent) {
  Loop::EventBatching coalescing(loop_);
  loop_.Post([] {});
  loop_.RunIteration(loop_.Now());
  EXPECT_FALSE(coalescing.in_burst());
}

TEST(EpollPause, EndsWhenAnotherThreadWakesIt) {
  EpollDriver driver;
  TimePoint begin = driver.Now();
  std::thread other([&] { driver.Wake(); });
  driver.Pause(std::chrono::minutes{1});
  other.join();
  EXPECT_LT(driver.Now() - begin, std::chrono::seconds{30});
}

// The Wake that had ended a Wait also ended the next pause.
TEST(EpollPause, IsNotEndedByAWakeThatAWaitHasSeen) {
  EpollDriver driver;
  driver.Wake();
  driver.Wait(kNever);
  driver.Wait(driver.Now());
  TimePoint begin = driver.Now();
  driver.Pause(milliseconds{5});
  EXPECT_GE(driver.Now() - begin, milliseconds{5});
}

class LoopTest : public testing::Test {
 protected:
  JumpingDriver driver_;
  Loop loop_{driver_};
};

Task<int> Sum(int n) {
  if (n == 0) co_return 0;
  co_return n + co_await Sum(n - 1);
}

TEST_F(LoopTest, NestedTasksReturnValues) { EXPECT_EQ(loop_.RunToEnd(Sum(100)), 5050); }

Task<int> Ready() { co_return 1; }

TEST_F(LoopTest, AMillionAwaitsOfFinishedTasksDoNotGrowTheStack) {
  auto count = []() -> Task<int> {
    int total = 0;
    for (int i = 0; i < 1'000'000; ++i) total += co_await Ready();
    co_return total;
  };
  EXPECT_EQ(loop_.RunToEnd(count()), 1'000'000);
}

Task<void> RecordAfterOthers(std::vector<std::string>& log, std::string name) {
  log.push_back(name);
  co_await AfterOthers{};
  log.push_back(name + " again");
}

TEST_F(LoopTest, FiberThatLetsOthersRunFirstResumesInTheSameIteration) {
  std::vector<std::string> log;
  Scope scope(loop_);
  scope.Spawn(RecordAfterOthers(log, "a"));
  scope.Spawn(RecordAfterOthers(log, "b"));
  loop_.RunIteration(loop_.Now());
  EXPECT_EQ(log, (std::vector<std::string>{"a", "b", "a again", "b again"}));
}

Task<void> LetOthersGoTwice(int* done) {
  co_await AfterOthers{};
  co_await AfterOthers{};
  *done = 1;
}

TEST_F(LoopTest, FiberThatLetsOthersRunFirstTwiceResumesInTheNextIteration) {
  int done = 0;
  Scope scope(loop_);
  scope.Spawn(LetOthersGoTwice(&done));
  loop_.RunIteration(loop_.Now());
  EXPECT_EQ(done, 0);
  loop_.RunIteration(loop_.Now());
  EXPECT_EQ(done, 1);
}

Task<void> NoteOthers(const Loop& loop, std::vector<bool>& log) {
  log.push_back(loop.others_ready());
  co_await AfterOthers{};
  log.push_back(loop.others_ready());
}

TEST_F(LoopTest, LoopKnowsWhetherOtherFibersHaveYetToRunInAnIteration) {
  std::vector<bool> log;
  Scope scope(loop_);
  scope.Spawn(NoteOthers(loop_, log));
  loop_.RunIteration(loop_.Now());
  EXPECT_EQ(log, (std::vector<bool>{false, false}));
  log.clear();
  scope.Spawn(NoteOthers(loop_, log));
  scope.Spawn(NoteOthers(loop_, log));
  loop_.RunIteration(loop_.Now());
  EXPECT_EQ(log, (std::vector<bool>{true, true, true, false}));
}

Task<void> Record(std::vector<std::string>& log, std::string name, Duration delay) {
  Result<void> slept = co_await Sleep(delay);
  log.push_back(slept ? name : name + " " + std::string(ErrcName(slept.error().code)));
}

TEST_F(LoopTest, SleepersWakeInTheOrderOfTheirTimes) {
  std::vector<std::string> log;
  Scope scope(loop_);
  for (int i : {30, 10, 50, 20, 40}) {
    scope.Spawn(Record(log, std::to_string(i), milliseconds(i)));
  }
  TimePoint begin = loop_.Now();
  while (!scope.empty()) loop_.RunIteration(kNever);
  EXPECT_EQ(log, (std::vector<std::string>{"10", "20", "30", "40", "50"}));
  EXPECT_EQ(loop_.Now() - begin, milliseconds(50));
}

TEST_F(LoopTest, CancelledScopeEndsItsFibersAndThoseSpawnedLater) {
  std::vector<std::string> log;
  auto run = [](Loop& loop, std::vector<std::string>& log) -> Task<void> {
    Scope scope(loop);
    scope.Spawn(Record(log, "a", milliseconds(10)));
    (void)co_await Sleep(milliseconds(1));
    scope.Cancel();
    scope.Spawn(Record(log, "b", milliseconds(10)));
    co_await scope.Join();
  };
  loop_.RunToEnd(run(loop_, log));
  EXPECT_EQ(log, (std::vector<std::string>{"a cancelled", "b cancelled"}));
}

TEST_F(LoopTest, CancellingAJoinCancelsTheFibersAndWaitsForTheirEnd) {
  std::vector<std::string> log;
  auto parent = [](std::vector<std::string>& log) -> Task<void> {
    Fiber& fiber = co_await ThisFiber{};
    Scope children(fiber.loop());
    children.Spawn(Record(log, "child", milliseconds(10)));
    co_await children.Join();
    log.push_back("parent");
  };
  Scope scope(loop_);
  scope.Spawn(parent(log));
  loop_.RunIteration(loop_.Now());
  scope.Cancel();
  while (!scope.empty()) loop_.RunIteration(kNever);
  EXPECT_EQ(log, (std::vector<std::string>{"child cancelled", "parent"}));
}

TEST_F(LoopTest, WithinLimitsEveryWaitInside) {
  auto run = [](Loop& loop) -> Task<Result<void>> {
    co_return co_await Within(loop.After(milliseconds(5)), Sleep(std::chrono::hours(1)));
  };
  TimePoint begin = loop_.Now();
  Result<void> ended = loop_.RunToEnd(run(loop_));
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, Errc::kTimeout);
  EXPECT_EQ(loop_.Now() - begin, milliseconds(5));
}

TEST_F(LoopTest, WithinEndsAJoinByCancellingTheChildren) {
  std::vector<std::string> log;
  auto join = [](Loop& loop, std::vector<std::string>& log) -> Task<void> {
    Scope scope(loop);
    scope.Spawn(Record(log, "child", std::chrono::hours(1)));
    co_await scope.Join();
  };
  loop_.RunToEnd(Within(loop_.After(milliseconds(5)), join(loop_, log)));
  EXPECT_EQ(log, (std::vector<std::string>{"child cancelled"}));
}

TEST_F(LoopTest, TheLimitOfWithinEndsWithIt) {
  auto run = [](Loop& loop) -> Task<bool> {
    (void)co_await Within(loop.After(milliseconds(5)), Sleep(milliseconds(1)));
    co_return (co_await Sleep(milliseconds(50))).has_value();
  };
  EXPECT_TRUE(loop_.RunToEnd(run(loop_)));
}

Task<void> WaitOn(WaitQueue& queue, TimePoint deadline, std::vector<std::string>& log,
                  std::string name) {
  Result<void> woken = co_await queue.Wait(deadline);
  log.push_back(name + (woken ? "" : " " + std::string(ErrcName(woken.error().code))));
}

TEST_F(LoopTest, WaitQueueWakesTheLongestWaitingFiberAndForgetsInterruptedOnes) {
  WaitQueue queue;
  std::vector<std::string> log;
  Scope scope(loop_);
  scope.Spawn(WaitOn(queue, kNever, log, "first"));
  scope.Spawn(WaitOn(queue, loop_.After(milliseconds(1)), log, "second"));
  scope.Spawn(WaitOn(queue, kNever, log, "third"));
  loop_.RunIteration(loop_.Now());
  EXPECT_EQ(queue.size(), 3u);
  loop_.RunIteration(loop_.After(milliseconds(2)));
  EXPECT_EQ(queue.size(), 2u);
  EXPECT_TRUE(queue.WakeOne());
  loop_.RunIteration(loop_.Now());
  queue.WakeAll();
  EXPECT_FALSE(queue.WakeOne());
  loop_.RunIteration(loop_.Now());
  EXPECT_EQ(log, (std::vector<std::string>{"second timed out", "first", "third"}));
}

TEST_F(LoopTest, TimersFireOnceInOrderHoweverTheyWereMoved) {
  struct Recorder final : Timer {
    std::vector<int>* log = nullptr;
    int name = 0;
    void OnTimer() override { log->push_back(name); }
  };
  TimerHeap heap;
  std::vector<int> log;
  std::vector<Recorder> timers(100);
  TimePoint zero{};
  for (int i = 0; i < 100; ++i) {
    auto& timer = timers[static_cast<size_t>(i)];
    timer.log = &log;
    timer.name = i;
    heap.Arm(timer, zero + milliseconds((i * 37) % 100));
  }
  for (int i = 0; i < 100; ++i) heap.Arm(timers[static_cast<size_t>(i)], zero + milliseconds(i));
  for (int i = 0; i < 100; i += 2) heap.Disarm(timers[static_cast<size_t>(i)]);
  heap.Fire(zero + milliseconds(49));
  EXPECT_EQ(log.size(), 25u);
  EXPECT_EQ(heap.Next(), zero + milliseconds(51));
  heap.Fire(zero + milliseconds(100));
  ASSERT_EQ(log.size(), 50u);
  for (size_t i = 0; i < log.size(); ++i) EXPECT_EQ(log[i], static_cast<int>(2 * i + 1));
}

TEST(EpollLoop, PostFromAnotherThreadWakesTheLoop) {
  EpollDriver driver;
  Loop loop(driver);
  int value = 0;
  std::jthread poster([&] {
    loop.Post([&] {
      value = 7;
      loop.Stop();
    });
  });
  loop.Run();
  EXPECT_EQ(value, 7);
}

}  // namespace
}  // namespace meridian::io
