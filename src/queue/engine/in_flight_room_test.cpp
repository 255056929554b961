#include "queue/engine/in_flight_room.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>

#include <gtest/gtest.h>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/scope.hpp"
#include "io/sim/process.hpp"
#include "io/sim/sim_fixture.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"

namespace meridian::queue {
namespace {

using io::Task;
using io::sim::Machine;
using std::chrono::seconds;

class InFlightRoomTest : public io::sim::SimTest {
 protected:
  void Run(const std::function<Task<void>(Machine&, io::Scope&)>& use) {
    AddClient([use](Machine& machine) -> Task<void> {
      io::Scope scope(machine.loop);
      co_await use(machine, scope);
      co_await scope.Join();
    });
    RunClient();
  }
  // Notes its name when it has the room.
  Task<void> Take(Machine& machine, std::string name, size_t bytes) {
    Result<void> reserved = co_await room_.Reserve(bytes, machine.loop.After(seconds{5}));
    order_ += name + (reserved ? " " : "! ");
  }

  InFlightRoom room_{100};
  std::string order_;
};

TEST_F(InFlightRoomTest, CallersAreServedInOrder) {
  Run([this](Machine& machine, io::Scope& scope) -> Task<void> {
    EXPECT_TRUE(co_await room_.Reserve(60, kNever));
    scope.Spawn(Take(machine, "large", 90));
    scope.Spawn(Take(machine, "small", 10));
    scope.Spawn(Take(machine, "last", 10));
    (void)co_await io::Sleep(seconds{1});
    EXPECT_EQ(order_, "") << "a small one does not overtake";
    room_.Release(60);
    (void)co_await io::Sleep(seconds{1});
    EXPECT_EQ(order_, "large small ");
    EXPECT_EQ(room_.bytes(), 100U);
    room_.Release(100);
    (void)co_await io::Sleep(seconds{1});
    EXPECT_EQ(order_, "large small last ");
  });
}

TEST_F(InFlightRoomTest, MoreThanTheLimitIsGivenAlone) {
  Run([this](Machine& machine, io::Scope& scope) -> Task<void> {
    EXPECT_TRUE(co_await room_.Reserve(1, kNever));
    scope.Spawn(Take(machine, "huge", 500));
    (void)co_await io::Sleep(seconds{1});
    EXPECT_EQ(order_, "");
    room_.Release(1);
    (void)co_await io::Sleep(seconds{1});
    EXPECT_EQ(order_, "huge ");
    room_.Release(500);
    EXPECT_EQ(room_.bytes(), 0U);
  });
}

TEST_F(InFlightRoomTest, DeadlineOfTheFirstLetsTheNextOneIn) {
  Run([this](Machine& machine, io::Scope& scope) -> Task<void> {
    EXPECT_TRUE(co_await room_.Reserve(60, kNever));
    scope.Spawn(Take(machine, "large", 90));
    (void)co_await io::Sleep(seconds{1});
    scope.Spawn(Take(machine, "small", 10));
    (void)co_await io::Sleep(seconds{6});
    EXPECT_EQ(order_, "large! small ");
    EXPECT_EQ(room_.bytes(), 70U);
  });
}

}  // namespace
}  // namespace meridian::queue
