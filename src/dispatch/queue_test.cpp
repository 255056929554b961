#include <chrono>
#include <string>

#include <gtest/gtest.h>

#include "dispatch/dispatcher_fixture.hpp"

namespace meridian::dispatch {
namespace {

using Mode = PlayedInstance::Mode;

// One instance with room for one request, which it holds; a queue of two.
class QueueTest : public DispatcherFixture {
 protected:
  QueueTest() {
    config_.max_in_flight = 1;
    config_.max_queued = 2;
  }

  // Sends requests for /0 to /`count - 1`, which all wait; then runs `test`.
  template <class Test>
  void WithWaiting(size_t count, Test test) {
    Run([&]() -> io::Task<void> {
      SetInstances({1});
      network_[1].holds = true;
      io::Scope asking(loop_);
      for (size_t i = 0; i < count; ++i) {
        asking.Spawn(StoreAnswer("/" + std::to_string(i), &answers_[i]));
        co_await Yield();
      }
      co_await test();
      network_[1].holds = false;
      network_[1].held.WakeAll();
      co_await asking.Join();
    });
  }

  std::array<std::string, 4> answers_;
};

TEST_F(QueueTest, FirstComeFirstServedAndOneAtATime) {
  WithWaiting(3, [&]() -> io::Task<void> {
    EXPECT_EQ(network_[1].requests, 1);
    EXPECT_EQ(Metric("meridian_balancer_queued"), 2);
    for (int i = 0; i < 2; ++i) {
      network_[1].held.WakeAll();
      co_await Yield();
    }
    EXPECT_EQ(network_[1].seen, "/0 /1 /2 ");
    EXPECT_EQ(Metric("meridian_balancer_queued"), 0);
  });
  for (size_t i : {0U, 1U, 2U}) EXPECT_TRUE(answers_[i].ends_with("/" + std::to_string(i)));
}

TEST_F(QueueTest, ARequestThatFindsItFullIsRefusedAtOnce) {
  WithWaiting(3, [&]() -> io::Task<void> {
    TimePoint before = loop_.Now();
    std::string answer = co_await Fetch("GET");
    EXPECT_EQ(loop_.Now(), before);
    EXPECT_NE(answer.find(" 503 "), std::string::npos);
    EXPECT_TRUE(answer.ends_with("busy")) << answer;
    EXPECT_EQ(Metric("meridian_balancer_shed_total{reason=\"queue_full\"}"), 1);
  });
}

TEST_F(QueueTest, ARequestThatHasWaitedTooLongIsRefused) {
  WithWaiting(2, [&]() -> io::Task<void> {
    (void)co_await io::Sleep(config_.queue_timeout);
    co_await Yield();
    EXPECT_NE(answers_[1].find(" 503 "), std::string::npos);
    EXPECT_EQ(Metric("meridian_balancer_shed_total{reason=\"queue_timeout\"}"), 1);
    EXPECT_EQ(Metric("meridian_balancer_queued"), 0);
  });
}

TEST_F(QueueTest, TheRequestOfADisconnectedVisitorLeavesIt) {
  WithWaiting(1, [&]() -> io::Task<void> {
    auto visitor = Connect();
    http::RawPeer peer(*visitor);
    (void)co_await peer.Send("GET /gone HTTP/1.1\r\nHost: a\r\n\r\n");
    co_await Yield();
    EXPECT_EQ(Metric("meridian_balancer_queued"), 1);
    visitor->Abort();
    co_await Yield();
    EXPECT_EQ(Metric("meridian_balancer_queued"), 0);
    network_[1].held.WakeAll();
    co_await Yield();
    EXPECT_EQ(network_[1].seen, "/0 ");
  });
}

TEST_F(QueueTest, AnInstanceThatIsAddedServesIt) {
  WithWaiting(2, [&]() -> io::Task<void> {
    SetInstances({1, 2});
    co_await Yield();
    EXPECT_EQ(network_[2].seen, "/1 ");
  });
}

TEST_F(QueueTest, NoRequestWaitsForRemovedInstances) {
  WithWaiting(2, [&]() -> io::Task<void> {
    SetInstances({});
    co_await Yield();
    EXPECT_TRUE(answers_[1].ends_with("unavailable")) << answers_[1];
  });
}

TEST_F(QueueTest, ARetryWaitsForAnotherInstance) {
  WithWaiting(1, [&]() -> io::Task<void> {
    network_[2].mode = Mode::kBreak;
    SetInstances({1, 2});
    io::Scope asking(loop_);
    std::string answer;
    asking.Spawn(StoreAnswer("/again", &answer));
    co_await Yield();
    EXPECT_EQ(network_[2].seen, "/again ");
    EXPECT_EQ(Metric("meridian_balancer_queued"), 1);
    network_[1].held.WakeAll();
    co_await Yield();
    network_[1].held.WakeAll();
    co_await asking.Join();
    EXPECT_EQ(network_[1].seen, "/0 /again ");
    EXPECT_TRUE(answer.ends_with("/again"));
  });
}

}  // namespace
}  // namespace meridian::dispatch
