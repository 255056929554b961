#include "io/net/shared_listener.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/bytes.hpp"
#include "base/ip.hpp"
#include "base/result.hpp"
#include "io/epoll.hpp"
#include "io/fd.hpp"
#include "io/fiber.hpp"
#include "io/loop.hpp"
#include "io/net/socket.hpp"
#include "io/net/stream.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "io/threads/loop_thread.hpp"
#include "io/threads/run_on.hpp"
#include "io/wait_queue.hpp"

namespace meridian::io {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;

const Endpoint kAnyPort{IpAddress::V4(127, 0, 0, 1), 0};

// Accepts the connections of one loop, sends each a byte, and keeps it until its client ends it.
class Acceptor {
 public:
  explicit Acceptor(std::unique_ptr<Listener> listener) : listener_(std::move(listener)) {}

  Task<void> Run() {
    Scope connections((co_await ThisFiber{}).loop());
    for (;;) {
      Listener::Accepted stream = co_await listener_->Accept();
      if (stream) {
        ++accepted;
        connections.Spawn(Keep(std::move(*stream)));
      } else if (stream.error().code == Errc::kClosed) {
        break;
      } else {
        ++errors;
      }
    }
    co_await connections.Join();
  }
  Task<void> Close() {
    listener_->Close();
    co_return;
  }

  std::atomic<int> accepted = 0;
  std::atomic<int> open = 0;
  std::atomic<int> errors = 0;

 private:
  Task<void> Keep(std::unique_ptr<Stream> stream) {
    ++open;
    const std::array<uint8_t, 1> byte = {'x'};
    (void)co_await stream->Write(byte);
    std::array<uint8_t, 1> end;  // NOLINT: read into
    (void)co_await stream->Read(end);
    stream.reset();
    --open;
  }

  std::unique_ptr<Listener> listener_;
};

// Three loops with an Acceptor each, and a client on the loop that accepts.
struct SharedListenerTest : testing::Test {
  static constexpr size_t kLoops = 3;

  SharedListenerTest() {
    for (auto& thread : threads_) thread = std::make_unique<LoopThread>("acceptor");
  }

  void Open(Fd listening) {
    at_ = LocalEndpoint(listening.get());
    std::vector<SharedListener::Place> places;
    for (auto& thread : threads_) places.push_back({thread->driver(), thread->loop()});
    shared_.emplace(driver_, std::move(listening), places);
    for (size_t i = 0; i < kLoops; ++i) {
      acceptors_[i] = std::make_unique<Acceptor>(shared_->ForLoop(i));
      serving_.Spawn(RunAcceptor(i));
    }
    spreading_.Spawn(shared_->Run());
  }

  // Closes all listeners, and waits for the end of all connections and of Run.
  Task<void> End() {
    for (size_t i = 0; i < kLoops; ++i) co_await CloseLoop(i);
    co_await serving_.Join();
    for (auto& acceptor : acceptors_) acceptor.reset();
    spreading_.Cancel();
    co_await spreading_.Join();
  }

  Task<void> RunAcceptor(size_t index) {
    co_await RunOn(threads_[index]->scope(), acceptors_[index]->Run());
  }
  Task<void> CloseLoop(size_t index) {
    co_await RunOn(threads_[index]->scope(), acceptors_[index]->Close());
  }

  // A connection that has got its byte; null when it was lost.
  Task<std::unique_ptr<Stream>> Connect() {
    auto stream = co_await network_.Connect(at_, {.deadline = loop_.After(seconds{10})});
    if (!stream) co_return nullptr;
    std::array<uint8_t, 1> byte;  // NOLINT: read into
    Result<size_t> got = co_await (*stream)->Read(byte, loop_.After(seconds{10}));
    co_return got && *got == 1 ? std::move(*stream) : nullptr;
  }

  template <class Condition>
  Task<bool> Await(Condition condition) {
    const TimePoint deadline = loop_.After(seconds{10});
    while (!condition()) {
      if (loop_.Now() > deadline) co_return false;
      (void)co_await Sleep(milliseconds{1});
    }
    co_return true;
  }

  std::vector<int> Counts(std::atomic<int> Acceptor::* count) const {
    std::vector<int> counts;
    for (const auto& acceptor : acceptors_) counts.push_back(((*acceptor).*count).load());
    return counts;
  }

  EpollDriver driver_;
  Loop loop_{driver_};
  SystemNetwork network_{driver_};
  std::array<std::unique_ptr<LoopThread>, kLoops> threads_;
  Endpoint at_;
  std::optional<SharedListener> shared_;
  std::array<std::unique_ptr<Acceptor>, kLoops> acceptors_;
  Scope serving_{loop_};
  Scope spreading_{loop_};
};

TEST_F(SharedListenerTest, GivesEachConnectionToTheLoopWithTheFewest) {
  Open(OpenListeningSocket(kAnyPort, {}).value());
  loop_.RunToEnd([](SharedListenerTest& test) -> Task<void> {
    std::vector<std::unique_ptr<Stream>> clients;
    for (int i = 0; i < 6; ++i) clients.push_back(co_await test.Connect());
    EXPECT_THAT(test.Counts(&Acceptor::open), ElementsAre(2, 2, 2));
    // The loop of the first client has the fewest when that client has left.
    clients.front().reset();
    EXPECT_TRUE(
        co_await test.Await([&] { return std::ranges::min(test.Counts(&Acceptor::open)) == 1; }));
    clients.front() = co_await test.Connect();
    EXPECT_THAT(test.Counts(&Acceptor::open), ElementsAre(2, 2, 2));
    clients.clear();
    co_await test.End();
  }(*this));
}

TEST_F(SharedListenerTest, ALoopThatHasClosedItsListenerGetsNoMore) {
  Open(OpenListeningSocket(kAnyPort, {}).value());
  loop_.RunToEnd([](SharedListenerTest& test) -> Task<void> {
    co_await test.CloseLoop(1);
    std::vector<std::unique_ptr<Stream>> clients;
    for (int i = 0; i < 4; ++i) clients.push_back(co_await test.Connect());
    EXPECT_THAT(test.Counts(&Acceptor::open), ElementsAre(2, 0, 2));
    clients.clear();
    co_await test.End();
  }(*this));
}

// Connections that were accepted for a loop when it closed its listener are served all the same.
TEST_F(SharedListenerTest, AClosingListenerLosesNoConnection) {
  constexpr int kClients = 300;
  Open(OpenListeningSocket(kAnyPort, {}).value());
  loop_.RunToEnd([](SharedListenerTest& test) -> Task<void> {
    std::vector<std::unique_ptr<Stream>> clients(kClients);
    Scope connecting(test.loop_);
    for (auto& client : clients) {
      connecting.Spawn([](SharedListenerTest& from, std::unique_ptr<Stream>& to) -> Task<void> {
        to = co_await from.Connect();
      }(test, client));
    }
    EXPECT_TRUE(co_await test.Await([&] { return test.acceptors_[0]->accepted > 10; }));
    co_await test.CloseLoop(0);
    co_await test.CloseLoop(1);
    co_await connecting.Join();
    EXPECT_THAT(clients, testing::Each(testing::NotNull()));
    clients.clear();
    co_await test.End();
  }(*this));
}

TEST_F(SharedListenerTest, AnErrorOfAcceptGoesToALoop) {
  // It does not listen, so that accept(2) fails.
  Fd bound(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  Open(std::move(bound));
  loop_.RunToEnd([](SharedListenerTest& test) -> Task<void> {
    EXPECT_TRUE(
        co_await test.Await([&] { return std::ranges::max(test.Counts(&Acceptor::errors)) > 2; }));
    co_await test.End();
  }(*this));
}

TEST_F(SharedListenerTest, AConnectionAfterAShortageIsNotBehindItsErrors) {
  Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int fd = socket.get();
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&any), sizeof any), 0);
  const Endpoint at = LocalEndpoint(fd);
  // It does not listen yet, so that accept(2) fails.
  SharedListener shared(driver_, std::move(socket), {{driver_, loop_}});
  auto listener = shared.ForLoop(0);
  spreading_.Spawn(shared.Run());
  auto run = [&]() -> Task<void> {
    auto error = co_await listener->Accept(loop_.After(seconds{10}));
    EXPECT_FALSE(error.has_value());
    (void)co_await Sleep(10 * SharedListener::kPause);
    EXPECT_EQ(::listen(fd, 16), 0);
    auto client = co_await network_.Connect(at, {.deadline = loop_.After(seconds{10})});
    EXPECT_TRUE(client.has_value());
    (void)co_await Sleep(10 * SharedListener::kPause);
    EXPECT_TRUE((co_await listener->Accept(loop_.After(seconds{10}))).has_value());
    listener->Close();
    spreading_.Cancel();
    co_await spreading_.Join();
  };
  loop_.RunToEnd(run());
}

// One listener's connections count for the next one's choice.
TEST_F(SharedListenerTest, TheFewestAreThoseOfAllListeners) {
  auto run = [&]() -> Task<void> {
    std::vector<SharedListener::Place> places;
    for (auto& thread : threads_) {
      places.push_back({thread->driver(), thread->loop(), std::make_shared<OpenConnections>()});
    }
    std::vector<std::unique_ptr<SharedListener>> listeners;
    std::vector<std::unique_ptr<Stream>> clients;
    Scope serving(loop_);
    std::vector<std::unique_ptr<Acceptor>> acceptors;
    for (int i = 0; i < 3; ++i) {
      Fd socket = OpenListeningSocket(kAnyPort, {}).value();
      at_ = LocalEndpoint(socket.get());
      listeners.push_back(std::make_unique<SharedListener>(driver_, std::move(socket), places));
      for (size_t loop = 0; loop < kLoops; ++loop) {
        acceptors.push_back(std::make_unique<Acceptor>(listeners.back()->ForLoop(loop)));
        serving.Spawn([](LoopThread& on, Acceptor& with) -> Task<void> {
          co_await RunOn(on.scope(), with.Run());
        }(*threads_[loop], *acceptors.back()));
      }
      spreading_.Spawn(listeners.back()->Run());
      clients.push_back(co_await Connect());
    }
    for (const auto& place : places) EXPECT_EQ(place.open->count, 1);
    clients.clear();
    for (size_t i = 0; i < acceptors.size(); ++i) {
      co_await RunOn(threads_[i % kLoops]->scope(), acceptors[i]->Close());
    }
    co_await serving.Join();
    spreading_.Cancel();
    co_await spreading_.Join();
  };
  loop_.RunToEnd(run());
}

// Connections end on other threads while the loop with the fewest is looked for.
TEST_F(SharedListenerTest, CountsMayChangeDuringAChoice) {
  constexpr int kClients = 5000;
  std::vector<SharedListener::Place> places;
  for (int i = 0; i < 16; ++i) {
    places.push_back({driver_, loop_, std::make_shared<OpenConnections>()});
  }
  std::jthread changing([&places](const std::stop_token& stop) {
    for (uint64_t round = 0; !stop.stop_requested(); ++round) {
      const int64_t count = static_cast<int64_t>(round % 7);
      for (const auto& place : places) place.open->count.store(count, std::memory_order_relaxed);
    }
  });
  Fd socket = OpenListeningSocket(kAnyPort, {}).value();
  at_ = LocalEndpoint(socket.get());
  SharedListener shared(driver_, std::move(socket), places);
  std::vector<std::unique_ptr<Listener>> listeners;
  for (size_t i = 0; i < places.size(); ++i) listeners.push_back(shared.ForLoop(i));
  int accepted = 0;
  const auto accept = [&](Listener& from) -> Task<void> {
    while (co_await from.Accept()) ++accepted;
  };
  auto run = [&]() -> Task<void> {
    for (auto& listener : listeners) serving_.Spawn(accept(*listener));
    spreading_.Spawn(shared.Run());
    for (int i = 0; i < kClients; ++i) {
      EXPECT_TRUE(co_await network_.Connect(at_, {.deadline = loop_.After(seconds{10})}));
    }
    EXPECT_TRUE(co_await Await([&] { return accepted == kClients; }));
    for (auto& listener : listeners) listener->Close();
    co_await serving_.Join();
    spreading_.Cancel();
    co_await spreading_.Join();
  };
  loop_.RunToEnd(run());
}

TEST_F(SharedListenerTest, RunEndsWhenAllLoopsHaveClosedTheirListeners) {
  Open(OpenListeningSocket(kAnyPort, {}).value());
  loop_.RunToEnd([](SharedListenerTest& test) -> Task<void> {
    auto client = co_await test.Connect();
    for (size_t i = 0; i < kLoops; ++i) co_await test.CloseLoop(i);
    // A further connection waits in the kernel for another process.
    auto waiting =
        co_await test.network_.Connect(test.at_, {.deadline = test.loop_.After(seconds{10})});
    EXPECT_TRUE(waiting);
    EXPECT_TRUE(co_await test.Await([&] { return test.spreading_.empty(); }));
    client.reset();
    co_await test.End();
  }(*this));
}

}  // namespace
}  // namespace meridian::io
