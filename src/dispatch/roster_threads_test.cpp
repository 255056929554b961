// One roster used by eight loops on threads of their own: room that is taken, freed, waited for and
// given up, failures and views, all at the same time. No request is sent.
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/metrics.hpp"
#include "base/metrics_text.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "dispatch/choice_constraints.hpp"
#include "dispatch/config.hpp"
#include "dispatch/instance.hpp"
#include "dispatch/loop_roster.hpp"
#include "dispatch/policy/health.hpp"
#include "dispatch/roster.hpp"
#include "io/epoll.hpp"
#include "io/loop.hpp"
#include "io/net/network.hpp"
#include "io/net/socket.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "io/threads/loop_thread.hpp"
#include "io/threads/per_loop.hpp"
#include "io/wait_queue.hpp"
#include "site/tier/control.hpp"
#include "site/view/view.hpp"

namespace meridian::dispatch {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr size_t kLoops = 8;
// Far longer than any wait in these tests: a request that waits so long was forgotten.
constexpr Duration kForgotten = seconds{60};

// A loop and what the tests use on it.
struct Part {
  Part(io::Loop& on, io::Network& network, Roster& roster, Metrics& metrics, uint64_t seed)
      : loop(on), random(seed), instances(on, network, roster, "test", metrics, Random(seed)) {}

  io::Loop& loop;
  Random random;
  LoopRoster instances;
};

site::InstanceView View(uint16_t port, site::InstanceState state = site::InstanceState::kHealthy) {
  return {
      .id = std::to_string(port), .address = {IpAddress::V4(127, 0, 0, 1), port}, .state = state};
}

// A roster for the main loop, which is also the first of kLoops.
class RosterThreads : public testing::Test {
 protected:
  // Runs `on_loop(part)` on each loop, and `agent()` beside it on the main loop, then cancelled.
  void Run(const std::function<io::Task<void>(Part&)>& on_loop,
           const std::function<io::Task<void>()>& agent) {
    Metrics metrics;
    Roster roster(loop_, config_, "test", metrics, Random(1));
    roster_ = &roster;
    io::Scope main(loop_);
    std::vector<io::Scope*> scopes = {&main};
    std::vector<Metrics*> parts = {&metrics};
    std::vector<std::unique_ptr<io::LoopThread>> threads;
    while (scopes.size() < kLoops) {
      threads.push_back(std::make_unique<io::LoopThread>("test-" + std::to_string(scopes.size())));
      scopes.push_back(&threads.back()->scope());
      parts.push_back(&metrics.AddPart());
    }
    auto run = [&]() -> io::Task<void> {
      io::PerLoop<Part> loops(scopes);
      co_await loops.Make([&](size_t index) {
        io::Network& network = index == 0 ? network_ : threads[index - 1]->network();
        return std::make_unique<Part>(scopes[index]->loop(), network, roster, *parts[index],
                                      index + 1);
      });
      io::Scope beside(loop_);
      beside.Spawn(agent());
      co_await loops.ForEach(on_loop);
      beside.Cancel();
      co_await beside.Join();
      for (const auto& [instance, release] : *roster.instances()) {
        EXPECT_EQ(instance->in_flight, 0U) << instance->id;
      }
      EXPECT_THAT(MetricsText(metrics), testing::HasSubstr("\nmeridian_test_queued 0\n"));
      co_await loops.Destroy();
    };
    loop_.RunToEnd(run());
  }

  io::EpollDriver driver_;
  io::Loop loop_{driver_};
  io::SystemNetwork network_{driver_};
  Config config_;
  Roster* roster_ = nullptr;
};

// What happens at the instances, by their ports, as they would count it themselves.
class Audit {
 public:
  explicit Audit(uint32_t max_in_flight) : max_in_flight_(max_in_flight) {}

  void Begin(const Instance& instance) {
    const uint32_t now = busy(instance).fetch_add(1) + 1;
    if (now > max_in_flight_) exceeded_.fetch_add(1);
    if (now == max_in_flight_) full_.fetch_add(1);
  }
  void End(const Instance& instance) { busy(instance).fetch_sub(1); }

  uint32_t busy_at(uint16_t port) const { return busy_[port]; }
  uint64_t exceeded() const { return exceeded_; }
  uint64_t full() const { return full_; }

 private:
  std::atomic<uint32_t>& busy(const Instance& instance) {
    return busy_[instance.shared->address.port];
  }

  uint32_t max_in_flight_;
  std::array<std::atomic<uint32_t>, 16> busy_{};
  std::atomic<uint64_t> exceeded_ = 0;
  std::atomic<uint64_t> full_ = 0;
};

// Takes, waits, gives up, answers and fails at random.
class StressTest : public RosterThreads {
 protected:
  static constexpr uint16_t kInstances = 4;
  static constexpr int kFibers = 12;
  static constexpr int kRequests = 1000;

  StressTest() {
    config_.max_in_flight = kMaxInFlight;
    config_.max_queued = 40;
    config_.slow_start = milliseconds{20};
  }

  io::Task<void> OnLoop(Part& part) {
    io::Scope fibers(part.loop);
    for (int i = 0; i < kFibers; ++i) fibers.Spawn(SendRequests(part));
    co_await fibers.Join();
  }

  io::Task<void> SendRequests(Part& part) {
    for (int i = 0; i < kRequests; ++i) {
      if (part.random.Chance(0.1)) {
        // A visitor who leaves, perhaps when the request has just been granted.
        io::Scope visitor(part.loop);
        visitor.Spawn(SendOne(part));
        (void)co_await io::Sleep(microseconds{part.random.Below(300)});
        visitor.Cancel();
        co_await visitor.Join();
      } else {
        co_await SendOne(part);
      }
    }
  }

  io::Task<void> SendOne(Part& part) {
    ChoiceConstraints constraints;
    constraints.may_use_trial = part.random.Chance(0.5);
    part.instances.OnRequest();
    for (int tries = 0; tries < 2; ++tries) {
      Slot slot = part.instances.TakeNow(constraints);
      if (!slot) {
        const bool hurried = part.random.Chance(0.3);
        const Duration timeout = hurried ? microseconds{part.random.Below(500)} : kForgotten;
        Result<Slot> waited = co_await part.instances.Take(constraints, part.loop.After(timeout));
        if (!waited && waited.error().code == Errc::kTimeout && !hurried) ++forgotten_;
        if (!waited) co_return;
        slot = std::move(*waited);
      }
      ++sent_;
      audit_.Begin(*slot);
      if (part.random.Chance(0.7)) (void)co_await io::Sleep(microseconds{part.random.Below(200)});
      audit_.End(*slot);
      if (!Fails(part, *slot)) co_return;
      constraints.AddTried(slot->shared.get());
      slot = Slot();
      if (part.instances.TakeRetry(constraints) != Roster::Retry::kAllowed) co_return;
    }
  }

  // Whether the request failed: one in ten, and far more at one instance.
  static bool Fails(Part& part, Instance& instance) {
    const double chance = instance.shared->address.port == 1 ? 0.6 : 0.1;
    if (!part.random.Chance(chance)) {
      part.instances.OnAnswered(instance);
      return false;
    }
    using enum Roster::Failure;
    const auto failure = std::array{kReset, kUnanswered, kErrorStatus}[part.random.Below(3)];
    (void)part.instances.OnFailure(instance, failure);
    return true;
  }

  // Views in which each instance in turn leaves, is gone, and comes back.
  io::Task<void> Agent() {
    for (uint16_t round = 0;; ++round) {
      const uint16_t leaves = 1 + round % kInstances;
      SetViews(leaves, site::InstanceState::kHealthy);
      if (!co_await io::Sleep(milliseconds{3})) co_return;
      SetViews(leaves, site::InstanceState::kDraining);
      while (roster_->leaving_requests() > 0) {
        if (!co_await roster_->changed().Wait()) co_return;
      }
      // The agent ends an instance at which no request is left.
      for (int i = 0; i < 20; ++i) {
        began_late_ += audit_.busy_at(leaves);
        if (!co_await io::Sleep(microseconds{100})) co_return;
      }
      ++drains_;
      if (round % 2 == 0) SetViews(leaves, std::nullopt);
      for (const site::InstanceReport& report : roster_->Report()) {
        EXPECT_LE(report.in_flight, kMaxInFlight);
      }
      for (const auto& [instance, release] : *roster_->instances()) {
        roster_->OnCheck(*instance, InstanceHealth::Check::kGood, loop_.Now());
      }
    }
  }

  void SetViews(uint16_t which, std::optional<site::InstanceState> state) {
    std::vector<site::InstanceView> views;
    for (uint16_t port = 1; port <= kInstances; ++port) {
      if (port != which) views.push_back(View(port));
      if (port == which && state) views.push_back(View(port, *state));
    }
    roster_->SetInstances(views);
  }

  static constexpr uint32_t kMaxInFlight = 5;
  Audit audit_{kMaxInFlight};
  std::atomic<uint64_t> sent_ = 0;
  std::atomic<uint64_t> forgotten_ = 0;
  uint64_t began_late_ = 0;
  uint64_t drains_ = 0;
};

TEST_F(StressTest, NoInstanceHasMoreThanItMayAndNoRequestIsForgotten) {
  Run([this](Part& part) { return OnLoop(part); }, [this] { return Agent(); });
  EXPECT_EQ(audit_.exceeded(), 0U);
  EXPECT_EQ(forgotten_, 0U);
  EXPECT_EQ(began_late_, 0U) << "at an instance that the agent was told is free";
  // It was a test: the instances were full, and were drained.
  EXPECT_GT(audit_.full(), 100U);
  EXPECT_GT(sent_, kLoops * kFibers * kRequests / 20);
  EXPECT_GT(drains_, 3U);
}

// Requests of all loops for the one place at one instance.
class OrderTest : public RosterThreads {
 protected:
  static constexpr int kWaves = 2000;
  static constexpr size_t kTogether = 4;

  OrderTest() {
    config_.max_in_flight = 1;
    config_.max_queued = 1000;
  }

  // Readings of one clock of the process.
  struct Times {
    uint64_t came = 0;    // before the request asked for room
    uint64_t waited = 0;  // after it had asked
    uint64_t served = 0;  // while it had the place, which no other has then
  };

  io::Task<void> OnLoop(Part& part) {
    std::vector<Times> times(kWaves * kTogether);
    for (size_t wave = 0; wave < kWaves; ++wave) {
      io::Scope fibers(part.loop);
      for (size_t i = 0; i < kTogether; ++i) {
        Times& of = times[wave * kTogether + i];
        fibers.Spawn(Send(part, of));
        fibers.Spawn(Note(of));
      }
      co_await fibers.Join();
    }
    const std::lock_guard lock(mutex_);
    times_.insert(times_.end(), times.begin(), times.end());
  }

  io::Task<void> Send(Part& part, Times& of) {
    const ChoiceConstraints constraints;
    of.came = clock_.fetch_add(1);
    Slot slot = part.instances.TakeNow(constraints);
    if (!slot) {
      Result<Slot> waited = co_await part.instances.Take(constraints, part.loop.After(kForgotten));
      EXPECT_TRUE(waited);
      if (!waited) co_return;
      slot = std::move(*waited);
    }
    of.served = clock_.fetch_add(1);
    if (of.served % 2 == 0) (void)co_await io::Sleep(Duration::zero());  // the loop goes on
    part.instances.OnAnswered(*slot);
  }

  // Runs after Send has suspended or ended.
  io::Task<void> Note(Times& of) {
    of.waited = clock_.fetch_add(1);
    co_return;
  }

  std::atomic<uint64_t> clock_ = 1;
  std::mutex mutex_;
  std::vector<Times> times_;
};

TEST_F(OrderTest, RequestsOfAllLoopsAreServedInTheOrderInWhichTheyCame) {
  Run([this](Part& part) { return OnLoop(part); },
      [this]() -> io::Task<void> {
        roster_->SetInstances(std::vector{View(1)});
        co_return;
      });
  ASSERT_EQ(times_.size(), kLoops * kWaves * kTogether);
  // A request that waited before another came must have been served before it.
  std::vector<Times> by_waiting = times_;
  std::ranges::sort(by_waiting, {}, &Times::waited);
  std::ranges::sort(times_, {}, &Times::came);
  auto earlier = by_waiting.begin();
  uint64_t last_served = 0;
  uint64_t overtaken = 0;
  for (const Times& each : times_) {
    for (; earlier != by_waiting.end() && earlier->waited < each.came; ++earlier) {
      last_served = std::max(last_served, earlier->served);
    }
    if (each.served < last_served) ++overtaken;
  }
  EXPECT_EQ(overtaken, 0U);
  const auto queued =
      std::ranges::count_if(times_, [](const Times& each) { return each.served > each.waited; });
  EXPECT_GT(queued, kWaves) << "it was a test: requests waited";
}

// Two loops and one place: one frees it at the moment at which the other begins to wait for it.
class RaceTest : public RosterThreads {
 protected:
  static constexpr uint64_t kRounds = 300;

  RaceTest() { config_.max_in_flight = 1; }

  io::Task<void> OnLoop(Part& part) {
    const uint64_t place = loops_.fetch_add(1);
    if (place == 0) co_await Free(part);
    if (place == 1) co_await Wait(part);
  }

  io::Task<void> Free(Part& part) {
    const ChoiceConstraints constraints;
    for (uint64_t round = 1; round <= kRounds; ++round) {
      Result<Slot> slot = co_await part.instances.Take(constraints, part.loop.After(kForgotten));
      EXPECT_TRUE(slot);
      begun_.store(round);
      for (uint64_t spins = part.random.Below(400); spins > 0; --spins) (void)begun_.load();
      *slot = Slot();
      while (done_.load() < round) (void)co_await io::Sleep(Duration::zero());
    }
  }

  io::Task<void> Wait(Part& part) {
    const ChoiceConstraints constraints;
    for (uint64_t round = 1; round <= kRounds; ++round) {
      while (begun_.load() < round) std::this_thread::yield();
      Result<Slot> slot = co_await part.instances.Take(constraints, part.loop.After(kForgotten));
      if (slot) *slot = Slot();
      if (!slot) ++forgotten_;
      done_.store(round);
    }
  }

  std::atomic<uint64_t> loops_ = 0;
  std::atomic<uint64_t> begun_ = 0;
  std::atomic<uint64_t> done_ = 0;
  uint64_t forgotten_ = 0;  // requests that waited, although the place was free
};

TEST_F(RaceTest, RoomThatIsFreedWhileARequestBeginsToWaitIsGivenToIt) {
  Run([this](Part& part) { return OnLoop(part); },
      [this]() -> io::Task<void> {
        roster_->SetInstances(std::vector{View(1)});
        co_return;
      });
  EXPECT_EQ(done_, kRounds);
  EXPECT_EQ(forgotten_, 0U);
}

}  // namespace
}  // namespace meridian::dispatch
