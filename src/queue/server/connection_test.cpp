// Connections in a simulated world, with a handler of the test: order, pipelining, limits, ends.
#include "queue/server/connection.hpp"

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

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/net/stream.hpp"
#include "io/scope.hpp"
#include "io/sim/sim_fixture.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "queue/limits.hpp"
#include "queue/server/byte_budget.hpp"
#include "queue/server/response.hpp"

namespace meridian::queue {
namespace {

using io::Task;
using io::sim::Machine;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;

std::string Frame(std::string_view text) {
  std::string frame(4, '\0');
  frame[2] = static_cast<char>(text.size() >> 8);
  frame[3] = static_cast<char>(text.size());
  return frame.append(text);
}

// Requests are words of the test:
//   "overlap:TEXT" may overlap others, and is answered when the test releases TEXT
//   "wait:TEXT"    is answered when the test releases TEXT, or nothing is to be waited for
//   "silent:TEXT"  has no response
//   "refuse:TEXT"  ends the connection
// Any other is answered at once. The response is the request.
class Script {
 public:
  std::vector<std::string> begun;
  bool stopped = false;

  void Release(const std::string& text) {
    released_.push_back(text);
    changed_.WakeAll();
  }
  void Stop() {
    stopped = true;
    changed_.WakeAll();
  }
  Task<void> Await(const std::string& text, bool stops) {
    while (std::ranges::find(released_, text) == released_.end() && !(stops && stopped)) {
      if (!co_await changed_.Wait()) co_return;
    }
  }

 private:
  std::vector<std::string> released_;
  io::WaitQueue changed_;
};

class ScriptedHandler final : public RequestHandler {
 public:
  explicit ScriptedHandler(Script& script) : script_(script) {}
  bool MayOverlap(Bytes frame) const override { return AsText(frame).starts_with("overlap:"); }
  Task<Result<std::optional<Response>>> Handle(RequestFrame frame) override {
    std::string text(AsText(frame.all()));
    script_.begun.push_back(text);
    std::string rest = text.substr(text.find(':') + 1);
    if (text.starts_with("overlap:")) co_await script_.Await(rest, false);
    if (text.starts_with("wait:")) co_await script_.Await(rest, true);
    if (text.starts_with("silent:")) co_return std::optional<Response>{};
    if (text.starts_with("refuse:")) co_return Fail(Errc::kInvalid, "refused by the test");
    std::string framed = Frame(text);
    Response response;
    response.pieces.push_back({.bytes = {framed.begin(), framed.end()}});
    co_return response;
  }
  void StopWaiting() override { script_.Stop(); }

 private:
  Script& script_;
};

class ConnectionTest : public io::sim::SimTest {
 protected:
  void Run(std::function<Task<void>(Machine&)> use) {
    AddServer([this](Machine& machine) { return Serve(machine); });
    AddClient([this, use = std::move(use)](Machine& machine) { return Use(machine, use); });
    world_.RunToEnd(world_.now() + 3 * kIdleTimeout);
    EXPECT_EQ(world_.failure(), std::nullopt);
    EXPECT_TRUE(served_);
    EXPECT_EQ(left_in_budget_, 0u);
  }

  Task<void> Use(Machine& machine, const std::function<Task<void>(Machine&)>& use) {
    co_await use(machine);
    while (!served_) (void)co_await io::Sleep(milliseconds{10});
  }

  Task<void> Serve(Machine& machine) {
    auto listener = machine.network.Listen(io::sim::kService, {});
    CHECK(listener);
    auto stream = co_await (*listener)->Accept();
    CHECK(stream);
    ByteBudget budget(budget_bytes_);
    Connection connection(machine.loop, std::move(*stream), budget,
                          std::make_unique<ScriptedHandler>(script_));
    connection_ = &connection;
    co_await connection.Run();
    connection_ = nullptr;
    left_in_budget_ = budget.taken();
    served_ = true;
  }

  static Task<std::unique_ptr<io::Stream>> Dial(Machine& machine) {
    auto stream = co_await machine.network.Connect(io::sim::kService, {});
    CHECK(stream);
    co_return std::move(*stream);
  }
  static Task<void> Say(io::Stream& stream, std::string bytes) {
    EXPECT_TRUE(co_await stream.Write(AsBytes(bytes)));
  }
  // The next response; "end", or the error.
  static Task<std::string> Hear(io::Stream& stream) {
    std::string heard;
    std::array<uint8_t, 1> space{};
    size_t wanted = 4;
    while (heard.size() < wanted) {
      Result<size_t> got = co_await stream.Read(space);
      if (!got) co_return std::string(ErrcName(got.error().code));
      if (*got == 0) co_return "end";
      heard += static_cast<char>(space[0]);
      if (heard.size() == 4) wanted = 4 + static_cast<uint8_t>(heard[3]);
    }
    co_return heard.substr(4);
  }
  Task<void> AwaitBegun(size_t count) {
    while (script_.begun.size() < count) (void)co_await io::Sleep(milliseconds{1});
  }

  Script script_;
  size_t budget_bytes_ = 1 << 20;
  Connection* connection_ = nullptr;
  bool served_ = false;
  size_t left_in_budget_ = 1;
};

TEST_F(ConnectionTest, RequestsAreAnsweredInTheirOrder) {
  Run([this](Machine& machine) -> Task<void> {
    auto stream = co_await Dial(machine);
    co_await Say(*stream, Frame("overlap:a") + Frame("overlap:b") + Frame("plain:cc"));
    co_await AwaitBegun(2);
    script_.Release("b");
    script_.Release("a");
    EXPECT_EQ(co_await Hear(*stream), "overlap:a");
    EXPECT_EQ(co_await Hear(*stream), "overlap:b");
    EXPECT_EQ(co_await Hear(*stream), "plain:cc");
  });
  EXPECT_THAT(script_.begun, ElementsAre("overlap:a", "overlap:b", "plain:cc"));
}

TEST_F(ConnectionTest, RequestThatDoesNotOverlapIsAnsweredBeforeTheNextIsRead) {
  Run([this](Machine& machine) -> Task<void> {
    auto stream = co_await Dial(machine);
    co_await Say(*stream, Frame("wait:aaa") + Frame("plain:bb"));
    co_await AwaitBegun(1);
    (void)co_await io::Sleep(seconds{1});
    EXPECT_EQ(script_.begun.size(), 1u);
    script_.Release("aaa");
    EXPECT_EQ(co_await Hear(*stream), "wait:aaa");
    EXPECT_EQ(co_await Hear(*stream), "plain:bb");
  });
}

TEST_F(ConnectionTest, RequestsWithoutAResponseLeaveNoGap) {
  Run([](Machine& machine) -> Task<void> {
    auto stream = co_await Dial(machine);
    co_await Say(*stream, Frame("silent:aa") + Frame("plain:bb"));
    EXPECT_EQ(co_await Hear(*stream), "plain:bb");
  });
}

TEST_F(ConnectionTest, PipelineHasALimit) {
  Run([this](Machine& machine) -> Task<void> {
    auto stream = co_await Dial(machine);
    std::string all;
    for (size_t i = 0; i < kMaxPipelinedRequests + 5; ++i) all += Frame("overlap:x");
    co_await Say(*stream, all);
    co_await AwaitBegun(kMaxPipelinedRequests);
    (void)co_await io::Sleep(seconds{1});
    EXPECT_EQ(script_.begun.size(), kMaxPipelinedRequests);
    script_.Release("x");
    for (size_t i = 0; i < kMaxPipelinedRequests + 5; ++i) {
      EXPECT_EQ(co_await Hear(*stream), "overlap:x");
    }
  });
}

TEST_F(ConnectionTest, NothingIsReadWhileTheBudgetIsTaken) {
  budget_bytes_ = 20;
  Run([this](Machine& machine) -> Task<void> {
    auto stream = co_await Dial(machine);
    co_await Say(*stream, Frame("overlap:first") + Frame("overlap:second"));
    co_await AwaitBegun(1);
    (void)co_await io::Sleep(seconds{1});
    EXPECT_EQ(script_.begun.size(), 1u);
    script_.Release("first");
    script_.Release("second");
    EXPECT_EQ(co_await Hear(*stream), "overlap:first");
    EXPECT_EQ(co_await Hear(*stream), "overlap:second");
  });
}

class HostileFrame : public ConnectionTest, public testing::WithParamInterface<std::string> {};

TEST_P(HostileFrame, EndsTheConnection) {
  Run([](Machine& machine) -> Task<void> {
    auto stream = co_await Dial(machine);
    co_await Say(*stream, GetParam());
    std::string heard = co_await Hear(*stream);
    EXPECT_TRUE(heard == "end" || heard == "reset") << heard;
  });
  EXPECT_TRUE(script_.begun.empty());
}

INSTANTIATE_TEST_SUITE_P(Frames, HostileFrame,
                         testing::Values("GET / HTTP/1.1\r\n\r\n",
                                         std::string("\0\0\0\x07"
                                                     "short!!",
                                                     11),
                                         std::string("\xff\xff\xff\xff", 4),
                                         std::string("\0\0\0\0", 4)));

TEST_F(ConnectionTest, RefusedRequestEndsTheConnectionAfterTheResponsesBefore) {
  Run([](Machine& machine) -> Task<void> {
    auto stream = co_await Dial(machine);
    co_await Say(*stream, Frame("plain:aa"));
    EXPECT_EQ(co_await Hear(*stream), "plain:aa");
    co_await Say(*stream, Frame("refuse:bb") + Frame("plain:cc"));
    std::string heard = co_await Hear(*stream);
    EXPECT_TRUE(heard == "end" || heard == "reset") << heard;
  });
  EXPECT_EQ(script_.begun.size(), 2u);
}

TEST_F(ConnectionTest, RequestThatDoesNotArriveInTimeEndsTheConnection) {
  Run([](Machine& machine) -> Task<void> {
    auto stream = co_await Dial(machine);
    TimePoint begin = machine.loop.Now();
    co_await Say(*stream, Frame("a request of which the end is missing").substr(0, 20));
    std::string heard = co_await Hear(*stream);
    EXPECT_TRUE(heard == "end" || heard == "reset") << heard;
    EXPECT_GE(machine.loop.Now() - begin, kRequestTimeout);
    EXPECT_LT(machine.loop.Now() - begin, kRequestTimeout + seconds{2});
  });
}

TEST_F(ConnectionTest, IdleConnectionIsClosedInTheEnd) {
  Run([](Machine& machine) -> Task<void> {
    auto stream = co_await Dial(machine);
    co_await Say(*stream, Frame("plain:aa"));
    EXPECT_EQ(co_await Hear(*stream), "plain:aa");
    TimePoint begin = machine.loop.Now();
    EXPECT_EQ(co_await Hear(*stream), "end");
    EXPECT_GE(machine.loop.Now() - begin, kIdleTimeout);
  });
}

TEST_F(ConnectionTest, ClientThatHasGoneEndsTheWaitOfItsRequest) {
  Run([this](Machine& machine) -> Task<void> {
    auto stream = co_await Dial(machine);
    co_await Say(*stream, Frame("wait:for ever"));
    co_await AwaitBegun(1);
    stream->Abort();
  });
  EXPECT_TRUE(script_.stopped);
}

TEST_F(ConnectionTest, LeavingConnectionAnswersWhatItHasReadAndCloses) {
  Run([this](Machine& machine) -> Task<void> {
    auto stream = co_await Dial(machine);
    co_await Say(*stream, Frame("overlap:a") + Frame("overlap:b"));
    co_await AwaitBegun(2);
    connection_->Leave();
    co_await Say(*stream, Frame("plain:cc"));
    script_.Release("a");
    script_.Release("b");
    EXPECT_EQ(co_await Hear(*stream), "overlap:a");
    EXPECT_EQ(co_await Hear(*stream), "overlap:b");
    std::string heard = co_await Hear(*stream);
    EXPECT_TRUE(heard == "end" || heard == "reset") << heard;
  });
  EXPECT_EQ(script_.begun.size(), 2u);
}

}  // namespace
}  // namespace meridian::queue
