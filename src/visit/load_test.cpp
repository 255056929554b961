#include "visit/load.hpp"

#include <gtest/gtest.h>

#include "visit/world.hpp"

namespace meridian::visit {
namespace {

using std::chrono::milliseconds;

class VisitLoadTest : public testing::Test {
 protected:
  // Runs the load together with the coroutine `meanwhile()`.
  template <class Meanwhile>
  void Run(const LoadOptions& load, Meanwhile meanwhile) {
    world_.Run([&]() -> io::Task<void> {
      DnsClient dns(world_.loop, world_.network, world_.DnsOptions({}));
      Visitor visitor({world_.loop, world_.network, dns, world_.site}, world_.Options({}));
      io::Scope scope(world_.loop);
      scope_ = &scope;
      scope.Spawn(RunLoad(visitor, world_.loop, load, [this](uint64_t number, const Visit& visit) {
        ended_[number] = visit;
        changed_.WakeAll();
      }));
      co_await meanwhile();
      co_await scope.Join();
    });
  }
  io::Task<void> WaitFor(std::function<bool()> condition) {
    while (!condition()) CHECK(co_await changed_.Wait());
  }
  static io::Task<void> Nothing() { co_return; }

  // From now on requests wait until `released_`, the first of them only if `only_first`.
  void HoldRequests(bool only_first) {
    auto answer = world_.east.handler;
    world_.east.handler = [this, answer, only_first](http::Exchange& exchange) -> io::Task<void> {
      bool held = !only_first || arrived_ == 0;
      ++arrived_;
      changed_.WakeAll();
      while (held && !released_) {
        if (!co_await changed_.Wait()) co_return;
      }
      co_await answer(exchange);
    };
  }
  void Release() {
    released_ = true;
    changed_.WakeAll();
  }

  VisitWorld world_;
  io::Scope* scope_ = nullptr;
  io::WaitQueue changed_;
  std::map<uint64_t, Visit> ended_;
  int arrived_ = 0;
  bool released_ = false;
};

TEST_F(VisitLoadTest, GoesSoOften) {
  Run({.repeat = 5, .every = milliseconds{1}}, Nothing);
  EXPECT_EQ(ended_.size(), 5u);
  for (const auto& [number, visit] : ended_) EXPECT_FALSE(Failed(visit)) << number;
}

TEST_F(VisitLoadTest, AVisitThatTakesLongDoesNotHoldUpTheNext) {
  HoldRequests(/*only_first=*/true);
  Run({.repeat = 3, .every = milliseconds{1}}, [&]() -> io::Task<void> {
    co_await WaitFor([&] { return ended_.size() == 2; });
    EXPECT_FALSE(ended_.contains(0));
    Release();
  });
  EXPECT_EQ(ended_.size(), 3u);
}

TEST_F(VisitLoadTest, NoMoreGoAtOnceThanTheLimit) {
  HoldRequests(/*only_first=*/false);
  Run({.repeat = 3, .every = milliseconds{1}, .at_once = 2}, [&]() -> io::Task<void> {
    co_await WaitFor([&] { return arrived_ == 2; });
    // The third visit has long been due, but does not start.
    Result<void> changed = co_await changed_.Wait(world_.loop.After(milliseconds{20}));
    EXPECT_EQ(changed.error().code, Errc::kTimeout);
    Release();
  });
  EXPECT_EQ(ended_.size(), 3u);
  // Its time counts from its due time.
  EXPECT_GE(ended_.at(2).took, milliseconds{17});
}

TEST_F(VisitLoadTest, WhenCancelledItEndsWithWhatHasEnded) {
  HoldRequests(/*only_first=*/true);
  Run({.repeat = 1000, .every = milliseconds{1}}, [&]() -> io::Task<void> {
    co_await WaitFor([&] { return ended_.size() == 3; });
    scope_->Cancel();
  });
  EXPECT_GE(ended_.size(), 3u);
  EXPECT_LT(ended_.size(), 1000u);
  EXPECT_FALSE(ended_.contains(0));
}

TEST(VisitInterval, HasAUnitAndBounds) {
  EXPECT_EQ(ParseInterval("100ms").value(), milliseconds{100});
  EXPECT_EQ(ParseInterval("1ms").value(), kMinInterval);
  EXPECT_EQ(ParseInterval("1h").value(), kMaxInterval);
  for (const char* text : {"0ms", "61m", "100", "fast", ""}) {
    EXPECT_EQ(ParseInterval(text).error().code, Errc::kInvalid) << text;
  }
}

}  // namespace
}  // namespace meridian::visit
