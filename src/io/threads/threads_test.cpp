#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/result.hpp"
#include "io/epoll.hpp"
#include "io/fiber.hpp"
#include "io/loop.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "io/threads/loop_signal.hpp"
#include "io/threads/loop_thread.hpp"
#include "io/threads/per_loop.hpp"
#include "io/threads/run_on.hpp"
#include "io/wait_queue.hpp"

namespace meridian::io {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A loop on the test's own thread, and `Threads` others.
template <size_t Threads>
struct Loops {
  Loops() {
    for (size_t i = 0; i < Threads; ++i) {
      threads.push_back(std::make_unique<LoopThread>("test-" + std::to_string(i + 1)));
    }
  }
  std::vector<Scope*> scopes() {
    std::vector<Scope*> all = {&scope};
    for (auto& thread : threads) all.push_back(&thread->scope());
    return all;
  }

  EpollDriver driver;
  Loop loop{driver};
  Scope scope{loop};
  std::vector<std::unique_ptr<LoopThread>> threads;
};

Task<std::thread::id> ThreadHere() { co_return std::this_thread::get_id(); }

TEST(RunOn, RunsOnTheOtherThreadAndReturnsItsValue) {
  Loops<1> loops;
  auto id = loops.loop.RunToEnd([](Loops<1>& at) -> Task<std::thread::id> {
    auto there = co_await RunOn(at.threads[0]->scope(), ThreadHere());
    EXPECT_EQ(co_await ThreadHere(), std::this_thread::get_id());
    co_return there;
  }(loops));
  EXPECT_NE(id, std::this_thread::get_id());
}

TEST(RunOn, ReturnsWhenTheFiberHasLeftTheScope) {
  Loops<1> loops;
  loops.loop.RunToEnd([](Loops<1>& at) -> Task<int> {
    for (int i = 0; i < 2'000; ++i) {
      Scope own(at.threads[0]->loop());
      co_await RunOn(own, ThreadHere());
      EXPECT_TRUE(own.empty());
    }
    co_return 0;
  }(loops));
}

TEST(RunOn, WaitsForTheEndAlthoughTheWaitingFiberIsCancelled) {
  Loops<1> loops;
  std::atomic<bool> began = false;
  std::atomic<bool> ended = false;
  auto slow = [&]() -> Task<void> {
    began = true;
    (void)co_await Sleep(milliseconds{20});
    ended = true;
  };
  Scope waiting(loops.loop);
  waiting.Spawn([](Loops<1>& at, auto& task, auto& over) -> Task<void> {
    co_await RunOn(at.threads[0]->scope(), task());
    EXPECT_TRUE(over);
  }(loops, slow, ended));
  while (!began) loops.loop.RunIteration(loops.loop.After(milliseconds{1}));
  waiting.Cancel();
  while (!waiting.empty()) loops.loop.RunIteration(loops.loop.After(milliseconds{1}));
  EXPECT_TRUE(ended);
}

// Two threads take turns by signals alone: a lost wake would stop them.
struct MoveGame {
  static constexpr size_t kMoves = 20'000;

  MoveGame(Loop& first, Loop& second) : signals{LoopSignal(first), LoopSignal(second)} {}

  // Takes the turns whose number is odd, or even. False: its turn did not come.
  Task<bool> Play(size_t parity) {
    Fiber& fiber = co_await ThisFiber{};
    for (size_t next = parity; next < kMoves; next += 2) {
      while (turn.load(std::memory_order_acquire) != next) {
        if (!co_await signals[parity].Wait(fiber.loop().After(seconds{10}))) co_return false;
      }
      turn.store(next + 1, std::memory_order_release);
      signals[1 - parity].Notify();
    }
    co_return true;
  }

  std::array<LoopSignal, 2> signals;
  std::atomic<size_t> turn = 0;
};

Task<void> PlayHere(MoveGame& game, bool* won) { *won = co_await game.Play(0); }

TEST(LoopSignal, LosesNoNotification) {
  Loops<1> loops;
  MoveGame game(loops.loop, loops.threads[0]->loop());
  bool here = false;
  bool there = loops.loop.RunToEnd([](Loops<1>& at, MoveGame& of, bool* won) -> Task<bool> {
    at.scope.Spawn(PlayHere(of, won));
    bool other = co_await RunOn(at.threads[0]->scope(), of.Play(1));
    co_await at.scope.Join();
    co_return other;
  }(loops, game, &here));
  EXPECT_TRUE(here);
  EXPECT_TRUE(there);
  EXPECT_EQ(game.turn, MoveGame::kMoves);
}

TEST(LoopSignal, MayBeDestroyedWithANotificationOnItsWay) {
  Loops<0> loops;
  {
    LoopSignal signal(loops.loop);
    signal.Notify();
  }
  loops.loop.RunIteration(loops.loop.Now());
  bool later = false;
  loops.loop.Post([&] { later = true; });
  loops.loop.RunIteration(loops.loop.Now());
  EXPECT_TRUE(later) << "the loop goes on";
}

TEST(LoopSignal, AWaitEndsAtItsDeadline) {
  Loops<0> loops;
  LoopSignal signal(loops.loop);
  Result<void> waited = loops.loop.RunToEnd([](LoopSignal& at, Loop& loop) -> Task<Result<void>> {
    co_return co_await at.Wait(loop.After(milliseconds{1}));
  }(signal, loops.loop));
  EXPECT_EQ(waited.error().code, Errc::kTimeout);
}

// Checks that every call comes from the thread that made it.
class Part {
 public:
  explicit Part(std::atomic<int>* alive) : alive_(alive) { ++*alive_; }
  ~Part() {
    EXPECT_EQ(std::this_thread::get_id(), made_on_);
    --*alive_;
  }
  void Count() {
    EXPECT_EQ(std::this_thread::get_id(), made_on_);
    ++count_;
  }
  Task<void> Report(std::mutex* mutex, std::multiset<int>* counts, std::set<std::thread::id>* on) {
    EXPECT_EQ(std::this_thread::get_id(), made_on_);
    std::lock_guard lock(*mutex);
    counts->insert(count_);
    on->insert(made_on_);
    co_return;
  }

 private:
  const std::thread::id made_on_ = std::this_thread::get_id();
  std::atomic<int>* alive_;
  int count_ = 0;
};

TEST(PerLoop, EachPartLivesOnTheThreadOfItsLoop) {
  Loops<3> loops;
  std::atomic<int> alive = 0;
  std::mutex mutex;
  std::multiset<int> counts;
  std::set<std::thread::id> threads;
  auto run = [&]() -> Task<void> {
    PerLoop<Part> parts(loops.scopes());
    co_await parts.Make([&](size_t) { return std::make_unique<Part>(&alive); });
    EXPECT_EQ(alive, 4);
    for (int i = 0; i < 10; ++i) parts.Post([](Part& part) { part.Count(); });
    co_await parts.ForEach([&](Part& part) { return part.Report(&mutex, &counts, &threads); });
    co_await parts.Destroy();
    // A call that comes too late finds no part.
    parts.Post([](Part& part) { part.Count(); });
    co_await parts.Destroy();
  };
  loops.loop.RunToEnd(run());
  EXPECT_EQ(alive, 0);
  EXPECT_THAT(counts, testing::ElementsAre(10, 10, 10, 10));
  EXPECT_EQ(threads.size(), 4);
}

}  // namespace
}  // namespace meridian::io
