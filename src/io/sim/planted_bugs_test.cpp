// Tests the simulator itself: it must catch small programs with a planted bug within some seeds,
// and pass the same programs without it.
#include <optional>
#include <set>

#include "io/sim/sim_fixture.hpp"

namespace meridian::io::sim {
namespace {

constexpr uint64_t kSeeds = 200;

// Number of seeds that fail.
template <class Simulate>
int Failures(Simulate simulate) {
  int failures = 0;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) failures += simulate(seed) ? 1 : 0;
  return failures;
}

// A store of fixed records on disk that acknowledges each write over the network.
struct Store {
  bool sync = true;  // false: the planted bug

  Task<void> Serve(Machine& machine) const {
    auto file = co_await machine.disk.Open("records", OpenMode::kCreate);
    if (!file || !co_await machine.disk.SyncFolder("")) co_return;
    auto listener = machine.network.Listen(kService, {});
    for (;;) {
      auto stream = co_await (*listener)->Accept();
      if (!stream) co_return;
      std::array<uint8_t, 1> record{};
      Result<size_t> got = co_await (*stream)->Read(record, machine.loop.After(seconds{1}));
      if (!got || *got == 0) continue;
      if (!co_await (*file)->WriteAt(record[0], record)) continue;
      if (sync && !co_await (*file)->Sync()) continue;
      (void)co_await (*stream)->Write(record);
    }
  }
};

// Writes 20 records while the machine crashes. A missing acknowledged record is a failure.
bool StoreLosesWhatItAcknowledged(uint64_t seed, bool sync) {
  World world(seed);
  Store store{.sync = sync};
  SimProcess& server = world.AddProcess({.name = "store", .address = kServerAddress},
                                        [&](Machine& machine) { return store.Serve(machine); });
  std::set<uint8_t> acknowledged;
  auto write = [&](Machine& machine) -> Task<void> {
    for (uint8_t i = 1; i <= 20; ++i) {
      TimePoint deadline = machine.loop.After(seconds{1});
      auto stream = co_await machine.network.Connect(kService, {.deadline = deadline});
      std::array<uint8_t, 1> record{i};
      if (!stream || !co_await (*stream)->Write(record, deadline)) continue;
      Result<size_t> answer = co_await (*stream)->Read(record, deadline);
      if (answer && *answer == 1) acknowledged.insert(i);
    }
  };
  world.AddProcess({.name = "writer", .address = kClientAddress, .must_end = true}, write);
  server.CrashAfterIterations(world.random().Below(60), CrashKind::kMachine);
  world.RunToEnd(world.now() + seconds{60});
  server.Restart();
  world.RunFor(seconds{1});
  auto inode = server.disk().Open("records", OpenMode::kRead);
  for (uint8_t record : acknowledged) {
    if (!inode || (*inode)->content.size() <= record ||
        static_cast<uint8_t>((*inode)->content[record]) != record) {
      return true;
    }
  }
  return world.failure().has_value();
}

TEST(PlantedBugTest, MissingSyncIsCaught) {
  EXPECT_GT(Failures([](uint64_t seed) { return StoreLosesWhatItAcknowledged(seed, false); }), 0);
}

TEST(PlantedBugTest, StoreThatSyncsLosesNothing) {
  EXPECT_EQ(Failures([](uint64_t seed) { return StoreLosesWhatItAcknowledged(seed, true); }), 0);
}

// A client that repeats a POST without answer, and a server whose answers are cut off.
bool PostIsProcessedTwice(uint64_t seed, bool retries) {
  World world(seed);
  int processed = 0;
  auto serve = [&](Machine& machine) -> Task<void> {
    auto listener = machine.network.Listen(kService, {}).value();
    for (;;) {
      auto stream = co_await listener->Accept();
      if (!stream) co_return;
      std::array<uint8_t, 16> request{};
      Result<size_t> got = co_await (*stream)->Read(request, machine.loop.After(seconds{1}));
      if (!got || *got == 0) continue;
      ++processed;
      (void)co_await (*stream)->Write(AsBytes("201"));
    }
  };
  auto post = [&](Machine& machine) -> Task<void> {
    for (int attempt = 0; attempt < (retries ? 3 : 1); ++attempt) {
      TimePoint deadline = machine.loop.After(seconds{2});
      auto stream = co_await machine.network.Connect(kService, {.deadline = deadline});
      if (!stream || !co_await (*stream)->Write(AsBytes("POST 7"), deadline)) continue;
      std::array<uint8_t, 16> answer{};
      Result<size_t> got = co_await (*stream)->Read(answer, deadline);
      if (got && *got > 0) co_return;
    }
  };
  world.AddProcess({.name = "server", .address = kServerAddress}, serve);
  world.AddProcess({.name = "client", .address = kClientAddress, .must_end = true}, post);
  world.fabric().link(0, 1).jitter = milliseconds{5};
  world.fabric().link(1, 0).jitter = milliseconds{5};
  Duration when = Duration{world.random().Below(20'000'000)};
  world.After(when, [&] { world.fabric().CutBothWays(0, 1, true); });
  world.After(when + milliseconds{2500}, [&] { world.fabric().CutBothWays(0, 1, false); });
  world.RunToEnd(world.now() + seconds{60});
  world.RunFor(seconds{10});
  return world.failure().has_value() || processed > 1;
}

TEST(PlantedBugTest, RetryOfAPostIsCaught) {
  EXPECT_GT(Failures([](uint64_t seed) { return PostIsProcessedTwice(seed, true); }), 0);
}

TEST(PlantedBugTest, PostThatIsSentOnceIsProcessedOnceAtMost) {
  EXPECT_EQ(Failures([](uint64_t seed) { return PostIsProcessedTwice(seed, false); }), 0);
}

// A queue of one consumer. The planted bug: it wakes the consumer only when the queue was empty
// before, though a consumer that woke up may not have taken everything yet.
class ToyQueue {
 public:
  explicit ToyQueue(bool drops_wakes) : drops_wakes_(drops_wakes) {}
  void Put() {
    bool was_empty = items_++ == 0;
    if (was_empty || !drops_wakes_) changed_.WakeOne();
  }
  // Takes an item when woken. Only the variant without the bug checks the queue before it waits.
  Task<void> Take() {
    if (drops_wakes_ || items_ == 0) (void)co_await changed_.Wait();
    if (items_ > 0) --items_;
  }

 private:
  bool drops_wakes_;
  int items_ = 0;
  WaitQueue changed_;
};

bool ConsumerHangs(uint64_t seed, bool drops_wakes) {
  ToyQueue queue(drops_wakes);  // must outlive its waiters
  World world(seed);
  auto run = [&](Machine& machine) -> Task<void> {
    Scope producers(machine.loop);
    auto produce = [&](Duration after) -> Task<void> {
      (void)co_await Sleep(after);
      queue.Put();
    };
    for (int i = 0; i < 5; ++i) {
      producers.Spawn(produce(milliseconds{1 + machine.random.Below(10)}));
    }
    for (int i = 0; i < 5; ++i) co_await queue.Take();
    co_await producers.Join();
  };
  world.AddProcess({.name = "consumer", .address = kClientAddress, .must_end = true}, run);
  world.RunToEnd(kNever);
  return world.failure().has_value();
}

TEST(PlantedBugTest, DroppedWakeIsCaught) {
  EXPECT_GT(Failures([](uint64_t seed) { return ConsumerHangs(seed, true); }), 0);
}

TEST(PlantedBugTest, QueueThatLooksBeforeItWaitsNeverHangs) {
  EXPECT_EQ(Failures([](uint64_t seed) { return ConsumerHangs(seed, false); }), 0);
}

}  // namespace
}  // namespace meridian::io::sim
