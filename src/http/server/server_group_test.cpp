#include "http/server/server_group.hpp"

#include <chrono>
#include <memory>
#include <utility>

#include <gtest/gtest.h>

#include "base/log.hpp"
#include "base/scratch_dir.hpp"
#include "http/memory_stream.hpp"
#include "http/raw_peer.hpp"
#include "http/server/connection_budget.hpp"
#include "http/server/server.hpp"
#include "io/loop.hpp"

namespace meridian::http {
namespace {

using std::chrono::seconds;

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

io::Task<void> Hello(Exchange& exchange) { (void)co_await RespondText(exchange, 200, "hello"); }

io::Task<void> Slow(Exchange& exchange) {
  (void)co_await io::Sleep(seconds{5});
  co_await Hello(exchange);
}

// Two servers with one budget of three connections.
class ServerGroupTest : public testing::Test {
 protected:
  template <class Test>
  void Run(const Server::Handler& handler, Test test) {
    auto group = std::make_shared<ServerGroup>(loop_, budget_, "test");
    Server first(loop_, {.group = group}, handler);
    Server second(loop_, {.group = group}, handler);
    auto run = [&]() -> io::Task<void> {
      co_await test(first, second);
      co_await first.Drain(loop_.After(seconds{10}));
      co_await second.Drain(loop_.After(seconds{10}));
    };
    loop_.RunToEnd(run());
  }

  // A new connection at `server`, which has had time to begin.
  static io::Task<std::unique_ptr<MemoryStream>> ConnectTo(Server& server) {
    auto [ours, theirs] = MemoryStream::Pair();
    server.ServeStream(std::move(theirs));
    (void)co_await io::Sleep(std::chrono::milliseconds{1});
    co_return std::move(ours);
  }

  JumpingDriver driver_;
  io::Loop loop_{driver_};
  std::shared_ptr<ConnectionBudget> budget_ = std::make_shared<ConnectionBudget>(3);
};

TEST_F(ServerGroupTest, TheLimitHeldForEachPortByItself) {
  Run(Hello, [&](Server& first, Server& second) -> io::Task<void> {
    std::vector<std::unique_ptr<MemoryStream>> open;
    for (Server* each : {&first, &second, &first, &second, &first, &second}) {
      open.push_back(co_await ConnectTo(*each));
      EXPECT_LE(first.open_connections() + second.open_connections(), 3U);
    }
    // The newest one is served.
    RawPeer peer(*open.back());
    EXPECT_TRUE(co_await peer.Send(kGet));
    EXPECT_TRUE((co_await peer.ReadUntil("hello")).starts_with("HTTP/1.1 200"));
  });
}

TEST_F(ServerGroupTest, AServerWithoutWaitingConnectionsEvictsAtTheOther) {
  Run(Hello, [&](Server& first, Server& second) -> io::Task<void> {
    auto oldest = co_await ConnectTo(first);
    auto kept = co_await ConnectTo(first);
    auto third = co_await ConnectTo(first);
    auto fourth = co_await ConnectTo(second);
    EXPECT_EQ(co_await RawPeer(*oldest).ReadToEnd(), "");
    EXPECT_EQ(first.open_connections(), 2U);
    EXPECT_EQ(second.open_connections(), 1U);
  });
}

TEST_F(ServerGroupTest, BusyConnectionsOfOneServerLeaveNoRoomAtTheOther) {
  Run(Slow, [&](Server& first, Server& second) -> io::Task<void> {
    std::vector<std::unique_ptr<MemoryStream>> busy;
    for (int i = 0; i < 3; ++i) {
      busy.push_back(co_await ConnectTo(first));
      EXPECT_TRUE(co_await RawPeer(*busy.back()).Send(kGet));
      (void)co_await io::Sleep(std::chrono::milliseconds{1});
    }
    auto refused = co_await ConnectTo(second);
    EXPECT_TRUE(co_await RawPeer(*refused).Send(kGet));
    EXPECT_TRUE((co_await RawPeer(*refused).ReadToEnd()).starts_with("HTTP/1.1 503"));
    for (auto& each : busy) {
      EXPECT_TRUE((co_await RawPeer(*each).ReadUntil("hello")).starts_with("HTTP/1.1 200"));
    }
    // Their budget comes back.
    busy.clear();
    (void)co_await io::Sleep(std::chrono::milliseconds{1});
    auto served = co_await ConnectTo(second);
    RawPeer peer(*served);
    EXPECT_TRUE(co_await peer.Send(kGet));
    EXPECT_TRUE((co_await peer.ReadUntil("hello")).starts_with("HTTP/1.1 200"));
  });
}

// The servers of two loops, whose groups share a budget. (Here they are on one loop.)
class TwoGroupsTest : public ServerGroupTest {
 protected:
  template <class Test>
  void RunTwo(const Server::Handler& handler, Test test) {
    auto first_group = std::make_shared<ServerGroup>(loop_, budget_, "first");
    auto second_group = std::make_shared<ServerGroup>(loop_, budget_, "second");
    Server first(loop_, {.group = first_group}, handler);
    Server second(loop_, {.group = second_group}, handler);
    auto run = [&]() -> io::Task<void> {
      co_await test(first, second);
      co_await first.Drain(loop_.After(seconds{10}));
      co_await second.Drain(loop_.After(seconds{10}));
    };
    loop_.RunToEnd(run());
  }
};

TEST_F(TwoGroupsTest, ALoopWithoutWaitingConnectionsHasAnotherEvict) {
  RunTwo(Hello, [&](Server& first, Server& second) -> io::Task<void> {
    std::vector<std::unique_ptr<MemoryStream>> open;
    for (int i = 0; i < 3; ++i) open.push_back(co_await ConnectTo(first));
    (void)co_await io::Sleep(kMinWaitElsewhere);
    for (int i = 0; i < 3; ++i) {
      open.push_back(co_await ConnectTo(second));
      EXPECT_EQ(first.open_connections() + second.open_connections(), 3U);
      RawPeer peer(*open.back());
      EXPECT_TRUE(co_await peer.Send(kGet));
      EXPECT_TRUE((co_await peer.ReadUntil("hello")).starts_with("HTTP/1.1 200"));
    }
    // The loop with the most connections that wait gave them up.
    EXPECT_EQ(co_await RawPeer(*open[0]).ReadToEnd(), "");
    EXPECT_EQ(co_await RawPeer(*open[1]).ReadToEnd(), "");
  });
}

TEST_F(TwoGroupsTest, TheConnectionThatHasWaitedLongestGoesWhicheverLoopHasIt) {
  RunTwo(Hello, [&](Server& first, Server& second) -> io::Task<void> {
    std::vector<std::unique_ptr<MemoryStream>> open;
    for (Server* each : {&first, &second, &second}) open.push_back(co_await ConnectTo(*each));
    for (size_t i = 0; i < 6; ++i) {
      (void)co_await io::Sleep(kMinWaitElsewhere);
      open.push_back(co_await ConnectTo(i % 2 == 0 ? second : first));
      EXPECT_EQ(co_await RawPeer(*open[i]).ReadToEnd(), "");
    }
    EXPECT_EQ(first.open_connections() + second.open_connections(), 3U);
  });
}

TEST_F(TwoGroupsTest, SeveralThatComeAtOnceEvictAsMany) {
  RunTwo(Hello, [&](Server& first, Server& second) -> io::Task<void> {
    std::vector<std::unique_ptr<MemoryStream>> waiting;
    for (int i = 0; i < 3; ++i) waiting.push_back(co_await ConnectTo(first));
    (void)co_await io::Sleep(kMinWaitElsewhere);
    std::vector<std::unique_ptr<MemoryStream>> come;
    for (int i = 0; i < 4; ++i) {  // in one loop iteration
      auto [ours, theirs] = MemoryStream::Pair();
      second.ServeStream(std::move(theirs));
      come.push_back(std::move(ours));
    }
    (void)co_await io::Sleep(std::chrono::milliseconds{1});
    for (auto& each : waiting) EXPECT_EQ(co_await RawPeer(*each).ReadToEnd(), "");
    EXPECT_EQ(first.open_connections(), 0U);
    EXPECT_EQ(second.open_connections(), 3U);
  });
}

TEST_F(TwoGroupsTest, BusyConnectionsOfAnotherLoopAreNotEvicted) {
  RunTwo(Slow, [&](Server& first, Server& second) -> io::Task<void> {
    std::vector<std::unique_ptr<MemoryStream>> busy;
    for (int i = 0; i < 3; ++i) {
      busy.push_back(co_await ConnectTo(first));
      EXPECT_TRUE(co_await RawPeer(*busy.back()).Send(kGet));
      (void)co_await io::Sleep(std::chrono::milliseconds{1});
    }
    auto refused = co_await ConnectTo(second);
    EXPECT_TRUE(co_await RawPeer(*refused).Send(kGet));
    EXPECT_TRUE((co_await RawPeer(*refused).ReadToEnd()).starts_with("HTTP/1.1 503"));
    for (auto& each : busy) {
      EXPECT_TRUE((co_await RawPeer(*each).ReadUntil("hello")).starts_with("HTTP/1.1 200"));
    }
  });
}

TEST(ConnectionBudget, ConnectionsBeyondTheLimitAreGivenBackToo) {
  ConnectionBudget budget(1);
  EXPECT_TRUE(budget.Take());
  EXPECT_FALSE(budget.Take());
  budget.TakeForEvicted();
  budget.Give();
  EXPECT_FALSE(budget.Take());
  budget.Give();
  EXPECT_TRUE(budget.Take());
}

}  // namespace
}  // namespace meridian::http
