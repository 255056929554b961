// Connections that share a budget of memory: no client keeps it from the others.
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/net/stream.hpp"
#include "io/scope.hpp"
#include "io/sim/sim_fixture.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "queue/limits.hpp"
#include "queue/server/byte_budget.hpp"
#include "queue/server/connection.hpp"
#include "queue/server/response.hpp"

namespace meridian::queue {
namespace {

using io::Task;
using io::sim::Machine;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr size_t kBudget = size_t{4} << 20;
constexpr std::string_view kAnswer = "answered";
constexpr size_t kLargeAnswer = size_t{4} << 20;

std::string LengthOf(size_t bytes) {
  std::string length;
  for (int shift = 24; shift >= 0; shift -= 8) length += static_cast<char>(bytes >> shift);
  return length;
}
std::string FrameOf(char first, size_t bytes) {
  return LengthOf(bytes) + std::string(bytes, first);
}

// Requests by their first byte: 'w' waits until the test ends the wait, and holds no memory
// meanwhile; 'h' waits as long and holds it; others are answered at once, 'l' with kLargeAnswer
// bytes.
class Handler final : public RequestHandler {
 public:
  Handler(io::WaitQueue& changed, const bool& released, size_t& begun)
      : changed_(changed), released_(released), begun_(begun) {}
  bool MayOverlap(Bytes /*frame*/) const override { return false; }
  Task<Result<std::optional<Response>>> Handle(RequestFrame frame) override {
    const uint8_t kind = frame.all()[0];
    ++begun_;
    if (kind == 'w') frame.Release();
    while ((kind == 'w' || kind == 'h') && !released_ && co_await changed_.Wait()) {
    }
    Response response;
    std::string text = LengthOf(kAnswer.size()) + std::string(kAnswer);
    if (kind == 'l') text.assign(kLargeAnswer, 'l');
    response.pieces.push_back({.bytes = {text.begin(), text.end()}});
    co_return response;
  }
  void StopWaiting() override {}

 private:
  io::WaitQueue& changed_;
  const bool& released_;
  size_t& begun_;
};

class RequestMemoryTest : public io::sim::SimTest {
 protected:
  using Streams = std::vector<std::unique_ptr<io::Stream>>;

  void Run(std::function<Task<void>(Machine&)> use) {
    AddServer([this](Machine& machine) { return Serve(machine); });
    AddClient([this, use = std::move(use)](Machine& machine) -> Task<void> {
      co_await use(machine);
      released_ = true;
      changed_.WakeAll();
      while (open_ > 0) (void)co_await io::Sleep(milliseconds{10});
    });
    RunClient();
    EXPECT_EQ(budget_.taken(), 0U);
  }
  Task<void> Serve(Machine& machine) {
    auto listener = machine.network.Listen(io::sim::kService, {});
    CHECK(listener);
    io::Scope connections(machine.loop);
    for (;;) {
      auto stream = co_await (*listener)->Accept();
      if (!stream) break;
      ++open_;
      connections.Spawn(ServeOne(machine, std::move(*stream)));
    }
    co_await connections.Join();
  }
  Task<void> ServeOne(Machine& machine, std::unique_ptr<io::Stream> stream) {
    Connection connection(machine.loop, std::move(stream), budget_,
                          std::make_unique<Handler>(changed_, released_, begun_));
    co_await connection.Run();
    --open_;
  }
  // Clients that each send `bytes`.
  static Task<Streams> Send(Machine& machine, size_t clients, std::string bytes) {
    Streams streams;
    for (size_t i = 0; i < clients; ++i) {
      auto stream = co_await machine.network.Connect(io::sim::kService, {});
      CHECK(stream);
      // What the server does not read stays behind.
      (void)co_await (*stream)->Write(AsBytes(bytes), machine.loop.After(milliseconds{200}));
      streams.push_back(std::move(*stream));
    }
    co_return streams;
  }
  // The next response of a stream, or how it ended.
  static Task<std::string> Hear(io::Stream& stream) {
    std::string heard;
    std::array<uint8_t, 64> space{};
    while (heard.size() < 4 + kAnswer.size()) {
      Result<size_t> got = co_await stream.Read(space);
      if (!got) co_return std::string(ErrcName(got.error().code));
      if (*got == 0) co_return "end";
      heard += AsText(Bytes(space).first(*got));
    }
    co_return heard.substr(4);
  }
  // How long a client of its own waits for the answer to a request of so many bytes.
  static Task<Duration> TimeOf(Machine& machine, size_t bytes) {
    auto stream = co_await machine.network.Connect(io::sim::kService, {});
    CHECK(stream);
    TimePoint begin = machine.loop.Now();
    EXPECT_TRUE(co_await (*stream)->Write(AsBytes(FrameOf('a', bytes))));
    EXPECT_EQ(co_await Hear(**stream), kAnswer);
    co_return machine.loop.Now() - begin;
  }

  ByteBudget budget_{kBudget};
  io::WaitQueue changed_;
  bool released_ = false;
  size_t begun_ = 0;
  size_t open_ = 0;
};

// Each held its 32 MiB for 30 s.
TEST_F(RequestMemoryTest, ClientsThatAnnounceMuchAndSendNothingHoldLittle) {
  Run([](Machine& machine) -> Task<void> {
    Streams silent = co_await Send(machine, 100, LengthOf(kMaxRequestBytes));
    EXPECT_LT(co_await TimeOf(machine, size_t{1} << 20), seconds{1});
  });
}

TEST_F(RequestMemoryTest, RequestsThatStopArrivingGiveWayToOthers) {
  Run([](Machine& machine) -> Task<void> {
    std::string begun = LengthOf(kMaxRequestBytes) + std::string(size_t{300} << 10, 'a');
    Streams stalled = co_await Send(machine, 12, begun);
    EXPECT_LT(co_await TimeOf(machine, size_t{1} << 20), seconds{10});
  });
}

TEST_F(RequestMemoryTest, RequestThatArrivesSlowlyIsServedWhileNobodyElseNeedsItsMemory) {
  Run([](Machine& machine) -> Task<void> {
    std::string frame = FrameOf('a', 100);
    Streams slow = co_await Send(machine, 1, frame.substr(0, 50));
    (void)co_await io::Sleep(10 * kArrivalWindow);
    EXPECT_TRUE(co_await slow[0]->Write(AsBytes(frame).subspan(50)));
    EXPECT_EQ(co_await Hear(*slow[0]), kAnswer);
  });
}

TEST_F(RequestMemoryTest, LargeRequestsThatArriveTogetherAreAllServed) {
  Run([](Machine& machine) -> Task<void> {
    io::Scope scope(machine.loop);
    size_t served = 0;
    auto one = [&]() -> Task<void> {
      EXPECT_LT(co_await TimeOf(machine, size_t{3} << 20), seconds{30});
      ++served;
    };
    for (int i = 0; i < 8; ++i) scope.Spawn(one());
    co_await scope.Join();
    EXPECT_EQ(served, 8U);
  });
}

TEST_F(RequestMemoryTest, RequestsThatWaitForSomethingToHappenHoldNoMemory) {
  Run([this](Machine& machine) -> Task<void> {
    Streams waiting = co_await Send(machine, 20, FrameOf('w', size_t{1} << 20));
    while (begun_ < 20) (void)co_await io::Sleep(milliseconds{10});
    EXPECT_EQ(budget_.taken(), 0U);
    EXPECT_LT(co_await TimeOf(machine, size_t{3} << 20), seconds{1});
    released_ = true;
    changed_.WakeAll();
    for (const auto& stream : waiting) EXPECT_EQ(co_await Hear(*stream), kAnswer);
  });
}

// A client that always reads a little would keep the response's memory for ever.
TEST_F(RequestMemoryTest, ResponseHasADeadlineAsAWhole) {
  Run([](Machine& machine) -> Task<void> {
    for (size_t bytes_a_second : {size_t{256} << 10, size_t{16} << 10}) {
      Streams streams = co_await Send(machine, 1, FrameOf('l', 100));
      TimePoint begin = machine.loop.Now();
      std::vector<uint8_t> space(bytes_a_second);
      size_t heard = 0;
      while (heard < kLargeAnswer) {
        Result<size_t> got = co_await streams[0]->Read(space);
        if (!got || *got == 0) break;
        heard += *got;
        // The read may end early: the pause is for what was read.
        (void)co_await io::Sleep(std::chrono::duration_cast<Duration>(seconds{1}) *
                                 static_cast<int64_t>(*got) / static_cast<int64_t>(bytes_a_second));
      }
      const bool fast = bytes_a_second > kMinSendRate;
      EXPECT_EQ(heard == kLargeAnswer, fast);
      const Duration limit = kWriteTimeout + seconds{kLargeAnswer / kMinSendRate};
      EXPECT_LT(machine.loop.Now() - begin, limit + seconds{30});
      if (!fast) EXPECT_GE(machine.loop.Now() - begin, limit);
    }
  });
}

TEST_F(RequestMemoryTest, WaitForMemoryHasAnEnd) {
  Run([this](Machine& machine) -> Task<void> {
    Streams holding = co_await Send(machine, 1, FrameOf('h', kBudget));
    while (begun_ < 1) (void)co_await io::Sleep(milliseconds{10});
    TimePoint begin = machine.loop.Now();
    Streams refused = co_await Send(machine, 1, FrameOf('a', 100));
    std::string heard = co_await Hear(*refused[0]);
    EXPECT_TRUE(heard == "end" || heard == "reset") << heard;
    Duration waited = machine.loop.Now() - begin;
    EXPECT_GE(waited, kMemoryTimeout);
    EXPECT_LT(waited, kMemoryTimeout + seconds{2});
  });
}

}  // namespace
}  // namespace meridian::queue
