#include "queue/server/byte_budget.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/scope.hpp"
#include "io/sim/sim_fixture.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"

namespace meridian::queue {
namespace {

using io::Task;
using io::sim::Machine;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;

class ByteBudgetTest : public io::sim::SimTest {
 protected:
  void Run(std::function<Task<void>(Machine&, io::Scope&)> use) {
    AddClient([use = std::move(use)](Machine& machine) { return Use(machine, use); });
    RunClient();
  }
  static Task<void> Use(Machine& machine,
                        const std::function<Task<void>(Machine&, io::Scope&)>& use) {
    io::Scope scope(machine.loop);
    co_await use(machine, scope);
    co_await scope.Join();
  }
  Task<void> Take(ByteBudget::Share& share, size_t bytes, int name) {
    if (co_await share.Take(bytes, kNever)) order_.push_back(name);
  }
  static Task<void> Pass() { (void)co_await io::Sleep(milliseconds{1}); }

  std::vector<int> order_;
};

TEST_F(ByteBudgetTest, RequestsBeginInTheOrderInWhichTheyAsked) {
  Run([this](Machine& machine, io::Scope& scope) -> Task<void> {
    ByteBudget budget(10);
    ByteBudget::Share large(budget);
    EXPECT_TRUE(co_await large.Take(100, kNever)) << "alone it may be larger";
    ByteBudget::Share first(budget);
    ByteBudget::Share second(budget);
    ByteBudget::Share third(budget);
    scope.Spawn(Take(first, 8, 1));
    scope.Spawn(Take(second, 8, 2));
    scope.Spawn(Take(third, 2, 3));
    co_await Pass();
    EXPECT_TRUE(order_.empty());
    EXPECT_TRUE(budget.contended());
    large.Give();
    co_await Pass();
    EXPECT_THAT(order_, ElementsAre(1));
    first.Give();
    co_await Pass();
    EXPECT_THAT(order_, ElementsAre(1, 2, 3));
    EXPECT_FALSE(budget.contended());
    EXPECT_EQ(budget.taken(), 10U);
    ByteBudget::Share late(budget);
    Result<void> taken = co_await late.Take(1, machine.loop.After(seconds{1}));
    EXPECT_EQ(taken.error().code, Errc::kTimeout);
    EXPECT_EQ(budget.taken(), 10U);
  });
}

TEST_F(ByteBudgetTest, OneOfSeveralThatCannotAllGrowMayOverdraw) {
  Run([this](Machine&, io::Scope& scope) -> Task<void> {
    ByteBudget budget(10);
    ByteBudget::Share one(budget);
    ByteBudget::Share two(budget);
    EXPECT_TRUE(co_await one.Take(5, kNever));
    EXPECT_TRUE(co_await two.Take(5, kNever));
    scope.Spawn(Take(one, 10, 1));
    scope.Spawn(Take(two, 10, 2));
    co_await Pass();
    EXPECT_THAT(order_, ElementsAre(1));
    scope.Spawn(Take(one, 20, 3));
    co_await Pass();
    EXPECT_THAT(order_, ElementsAre(1, 3)) << "it does not wait for the other, which waits for it";
    one.Give();
    co_await Pass();
    EXPECT_THAT(order_, ElementsAre(1, 3, 2));
  });
}

TEST_F(ByteBudgetTest, ShareGivesBackWhatItHasWhenItIsDestroyed) {
  Run([](Machine&, io::Scope&) -> Task<void> {
    ByteBudget budget(10);
    {
      ByteBudget::Share share(budget);
      EXPECT_TRUE(co_await share.Take(3, kNever));
      EXPECT_TRUE(co_await share.Take(4, kNever));
      EXPECT_EQ(share.bytes(), 7U);
      EXPECT_EQ(budget.taken(), 7U);
    }
    EXPECT_EQ(budget.taken(), 0U);
  });
}

}  // namespace
}  // namespace meridian::queue
