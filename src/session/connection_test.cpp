// Connections to a server in a simulated world: what they answer, what they refuse, how they end.
#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/hybrid_clock.hpp"
#include "io/net/stream.hpp"
#include "io/scope.hpp"
#include "io/sim/sim_fixture.hpp"
#include "io/task.hpp"
#include "session/engine/engine.hpp"
#include "session/limits.hpp"
#include "session/replication/acknowledgements.hpp"
#include "session/replication/change_journal.hpp"
#include "session/server.hpp"

namespace meridian::session {
namespace {

using io::Task;
using io::sim::Machine;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Says of nothing that it is durable until the test lets it.
class HeldJournal final : public ChangeJournal {
 public:
  bool wants_changes() const override { return true; }
  std::string refusal() const override { return {}; }
  uint64_t Append(Bytes /*record*/) override { return ++end_; }
  uint64_t durable_end_offset() const override { return held ? held_at : end_; }
  Task<Result<void>> AwaitDurable(uint64_t offset) override {
    while (durable_end_offset() < offset) {
      if (Result<void> slept = co_await io::Sleep(milliseconds{1}); !slept) co_return slept;
    }
    if (fails) co_return Fail(Errc::kIo, "the disk");
    co_return Result<void>{};
  }

  bool held = false;
  uint64_t held_at = 0;
  bool fails = false;

 private:
  uint64_t end_ = 0;
};

// Nobody has a copy.
class NoCopies final : public Acknowledgements {
 public:
  size_t Count(uint64_t /*offset*/) const override { return 0; }
  Task<size_t> Await(uint64_t /*offset*/, size_t /*count*/, TimePoint deadline) override {
    (void)co_await io::SleepUntil(deadline);
    co_return 0;
  }
};

class ConnectionTest : public io::sim::SimTest {
 protected:
  // A server with these options, and one client that is `use`.
  void Run(std::function<Task<void>(Machine&)> use) {
    AddServer([this](Machine& machine) { return Serve(machine); });
    AddClient(std::move(use));
    RunClient();
  }

  Task<void> Serve(Machine& machine) {
    HybridClock clock(machine.loop.driver(), seconds{5});
    options_.keyspace.journaled = true;
    Engine engine({machine.loop.driver(), clock, journal_}, options_);
    engine.set_acknowledgements(&copies_);
    Server server(machine.loop, engine, nullptr);
    auto listener = machine.network.Listen(io::sim::kService, {});
    CHECK(listener);
    server.Serve(std::move(*listener));
    while (!drain_ && co_await io::Sleep(milliseconds{1})) {
    }
    TimePoint begin = machine.loop.Now();
    co_await server.Drain();
    drained_after_ = machine.loop.Now() - begin;
    drained_ = true;
  }

  static Task<std::unique_ptr<io::Stream>> Dial(Machine& machine) {
    auto stream = co_await machine.network.Connect(io::sim::kService, {});
    CHECK(stream);
    co_return std::move(*stream);
  }

  // Says `text`; what comes until `ends`, or the end or an error of the connection.
  static Task<std::string> Talk(io::Stream& stream, std::string text, std::string ends) {
    EXPECT_TRUE(co_await stream.Write(AsBytes(text)));
    co_return co_await Hear(stream, std::move(ends));
  }
  static Task<std::string> Hear(io::Stream& stream, std::string ends) {
    std::string heard;
    std::array<uint8_t, 65536> space{};
    while (!heard.ends_with(ends)) {
      Result<size_t> got = co_await stream.Read(space);
      if (!got) co_return heard + "|" + std::string(ErrcName(got.error().code));
      if (*got == 0) co_return heard + "|end";
      heard += AsText(Bytes(space).first(*got));
    }
    co_return heard;
  }
  Task<void> Drained() {
    while (!drained_ && co_await io::Sleep(milliseconds{1})) {
    }
  }

  EngineOptions options_;
  HeldJournal journal_;
  NoCopies copies_;
  bool drain_ = false;
  bool drained_ = false;
  Duration drained_after_{};
};

TEST_F(ConnectionTest, PipelineIsAnsweredInOrder) {
  Run([](Machine& machine) -> Task<void> {
    auto stream = co_await Dial(machine);
    std::string asked;
    std::string expected;
    for (int i = 1; i <= 5000; ++i) {
      asked += "INCR n\r\n";
      expected += ":" + std::to_string(i) + "\r\n";
    }
    EXPECT_EQ(co_await Talk(*stream, asked, ":5000\r\n"), expected);
  });
}

// A message that waited for an earlier write took the reply along.
TEST_F(ConnectionTest, ReplyBehindAMessageWaitsForItsOwnWrite) {
  Run([this](Machine& machine) -> Task<void> {
    auto stream = co_await Dial(machine);
    auto other = co_await Dial(machine);
    (void)co_await Talk(*stream, "HELLO 3\r\n", "modules\r\n*0\r\n");
    (void)co_await Talk(*stream, "SUBSCRIBE n\r\n", ":1\r\n");
    journal_.held = true;
    EXPECT_TRUE(co_await stream->Write(AsBytes("CLIENT REPLY SKIP\r\nSET a 1\r\n")));
    (void)co_await io::Sleep(milliseconds{50});
    EXPECT_EQ(co_await Talk(*other, "PUBLISH n hello\r\n", "\r\n"), ":1\r\n");
    EXPECT_TRUE(co_await stream->Write(AsBytes("SET b 2\r\n")));
    (void)co_await io::Sleep(milliseconds{50});
    journal_.held_at = 1;
    std::array<uint8_t, 1000> space{};
    auto nothing = co_await stream->Read(space, machine.loop.After(milliseconds{50}));
    EXPECT_FALSE(nothing);
    journal_.held = false;
    std::string heard = co_await Hear(*stream, "+OK\r\n");
    EXPECT_TRUE(heard.contains("hello")) << heard;
  });
}

TEST_F(ConnectionTest, RequestInPiecesIsAnsweredWhenItIsWhole) {
  Run([](Machine& machine) -> Task<void> {
    auto stream = co_await Dial(machine);
    std::string request = "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nvalue\r\n";
    for (char c : request) {
      EXPECT_TRUE(co_await stream->Write(AsBytes(std::string_view(&c, 1))));
      (void)co_await io::Sleep(milliseconds{1});
    }
    EXPECT_EQ(co_await Talk(*stream, "GET k\r\n", "value\r\n"), "+OK\r\n$5\r\nvalue\r\n");
  });
}

TEST_F(ConnectionTest, ProtocolErrorIsAnsweredAfterEarlierRequestsAndClosesTheConnection) {
  Run([](Machine& machine) -> Task<void> {
    auto stream = co_await Dial(machine);
    EXPECT_EQ(co_await Talk(*stream, "PING\r\n*1\r\n:5\r\nPING\r\n", "never"),
              "+PONG\r\n-ERR Protocol error: expected '$', got ':'\r\n|end");
  });
}

TEST_F(ConnectionTest, LastClientWithinTheLimitIsServedAndTheNextIsRefused) {
  options_.max_clients = 2;
  Run([](Machine& machine) -> Task<void> {
    auto first = co_await Dial(machine);
    EXPECT_EQ(co_await Talk(*first, "PING\r\n", "\r\n"), "+PONG\r\n");
    auto second = co_await Dial(machine);
    EXPECT_EQ(co_await Talk(*second, "PING\r\n", "\r\n"), "+PONG\r\n");
    auto third = co_await Dial(machine);
    EXPECT_TRUE(
        (co_await Hear(*third, "never")).starts_with("-ERR max number of clients reached\r\n|"));
    EXPECT_EQ(co_await Talk(*second, "QUIT\r\n", "never"), "+OK\r\n|end");
    second.reset();
    (void)co_await io::Sleep(seconds{3});
    auto fourth = co_await Dial(machine);
    EXPECT_EQ(co_await Talk(*fourth, "PING\r\n", "\r\n"), "+PONG\r\n");
  });
}

// Past kMaxRefusing connections at a time the error is not sent.
TEST_F(ConnectionTest, RefusedClientsAreBoundedToo) {
  options_.max_clients = 1;
  Run([](Machine& machine) -> Task<void> {
    auto only = co_await Dial(machine);
    EXPECT_EQ(co_await Talk(*only, "PING\r\n", "\r\n"), "+PONG\r\n");
    std::vector<std::unique_ptr<io::Stream>> refused;
    io::Scope dialling(machine.loop);
    auto dial = [&]() -> Task<void> { refused.push_back(co_await Dial(machine)); };
    for (size_t i = 0; i < kMaxRefusing + 1; ++i) dialling.Spawn(dial());
    co_await dialling.Join();
    size_t expiry_reported = 0;
    for (auto& stream : refused) {
      std::string heard = co_await Hear(*stream, "never");
      EXPECT_TRUE(heard.starts_with("-ERR max number") || heard.starts_with("|")) << heard;
      if (heard.starts_with("-ERR max number")) ++expiry_reported;
    }
    EXPECT_EQ(expiry_reported, kMaxRefusing);
    EXPECT_EQ(co_await Talk(*only, "PING\r\n", "\r\n"), "+PONG\r\n");
  });
}

// All connections that were accepted in one loop iteration were admitted.
TEST_F(ConnectionTest, ClientsThatComeTogetherAreCountedTogether) {
  options_.max_clients = 3;
  Run([](Machine& machine) -> Task<void> {
    std::vector<std::unique_ptr<io::Stream>> streams;
    io::Scope dialling(machine.loop);
    auto dial = [&]() -> Task<void> { streams.push_back(co_await Dial(machine)); };
    for (int i = 0; i < 10; ++i) dialling.Spawn(dial());
    co_await dialling.Join();
    int served = 0;
    for (auto& stream : streams) {
      std::string heard = co_await Talk(*stream, "PING\r\n", "\r\n");
      if (heard == "+PONG\r\n") ++served;
    }
    EXPECT_EQ(served, 3);
  });
}

constexpr std::string_view kOutOfTime = "-NOAUTH no authentication came in time\r\n|end";

TEST_F(ConnectionTest, ConnectionThatDoesNotAuthenticateIsClosedAfterItsTime) {
  options_.passwords = {{"default", "secret"}};
  Run([](Machine& machine) -> Task<void> {
    TimePoint begin = machine.loop.Now();
    auto silent = co_await Dial(machine);
    auto half = co_await Dial(machine);
    EXPECT_TRUE(co_await half->Write(AsBytes("*2\r\n$4\r\nAUTH\r\n")));
    auto authenticated = co_await Dial(machine);
    EXPECT_EQ(co_await Talk(*authenticated, "AUTH secret\r\n", "\r\n"), "+OK\r\n");
    EXPECT_EQ(co_await Hear(*silent, "never"), kOutOfTime);
    EXPECT_EQ(co_await Hear(*half, "never"), kOutOfTime);
    Duration after = machine.loop.Now() - begin;
    EXPECT_GE(after, kAuthenticationTimeout);
    EXPECT_LT(after, kAuthenticationTimeout + seconds{1});
    (void)co_await io::Sleep(2 * kAuthenticationTimeout);
    EXPECT_EQ(co_await Talk(*authenticated, "PING\r\n", "\r\n"), "+PONG\r\n");
  });
}

TEST_F(ConnectionTest, ConnectionThatTakesItsAuthenticationBackIsClosedAfterTheSameTime) {
  options_.passwords = {{"default", "secret"}};
  Run([](Machine& machine) -> Task<void> {
    auto stream = co_await Dial(machine);
    EXPECT_EQ(co_await Talk(*stream, "AUTH secret\r\n", "\r\n"), "+OK\r\n");
    (void)co_await io::Sleep(2 * kAuthenticationTimeout);
    TimePoint begin = machine.loop.Now();
    EXPECT_EQ(co_await Talk(*stream, "RESET\r\n", "never"), "+RESET\r\n" + std::string(kOutOfTime));
    EXPECT_GE(machine.loop.Now() - begin, kAuthenticationTimeout);
  });
}

TEST_F(ConnectionTest, ConnectionWithoutAPasswordToShowIsNotClosed) {
  Run([](Machine& machine) -> Task<void> {
    auto stream = co_await Dial(machine);
    (void)co_await io::Sleep(2 * kAuthenticationTimeout);
    EXPECT_EQ(co_await Talk(*stream, "PING\r\n", "\r\n"), "+PONG\r\n");
  });
}

// As many silent connections as there may be clients locked the application out.
TEST_F(ConnectionTest, OldestConnectionThatHasNotAuthenticatedMakesRoomForANewOne) {
  options_.passwords = {{"default", "secret"}};
  options_.max_clients = 3;
  Run([](Machine& machine) -> Task<void> {
    std::vector<std::unique_ptr<io::Stream>> silent;
    for (int i = 0; i < 3; ++i) {
      silent.push_back(co_await Dial(machine));
      (void)co_await io::Sleep(milliseconds{1});
    }
    std::vector<std::unique_ptr<io::Stream>> application;
    for (auto& victim : silent) {
      application.push_back(co_await Dial(machine));
      EXPECT_EQ(co_await Talk(*application.back(), "AUTH secret\r\n", "\r\n"), "+OK\r\n");
      EXPECT_TRUE((co_await Hear(*victim, "never")).starts_with("-NOAUTH closed to make room"));
    }
    auto more = co_await Dial(machine);
    EXPECT_TRUE((co_await Hear(*more, "never")).starts_with("-ERR max number of clients reached"));
    for (auto& stream : application) {
      EXPECT_EQ(co_await Talk(*stream, "PING\r\n", "\r\n"), "+PONG\r\n");
    }
    EXPECT_EQ(co_await Talk(*application[0], "QUIT\r\n", "never"), "+OK\r\n|end");
    application[0].reset();
    (void)co_await io::Sleep(seconds{3});
    auto next = co_await Dial(machine);
    EXPECT_EQ(co_await Talk(*next, "AUTH secret\r\n", "\r\n"), "+OK\r\n");
  });
}

// Connections accepted in the same loop iteration had not begun, and none of them was closed.
TEST_F(ConnectionTest, ConnectionsThatComeTogetherMakeRoomForEachOther) {
  options_.passwords = {{"default", "secret"}};
  options_.max_clients = 2;
  Run([](Machine& machine) -> Task<void> {
    std::vector<std::unique_ptr<io::Stream>> silent;
    io::Scope dialling(machine.loop);
    auto dial = [&]() -> Task<void> { silent.push_back(co_await Dial(machine)); };
    for (int i = 0; i < 10; ++i) dialling.Spawn(dial());
    co_await dialling.Join();
    int closed = 0;
    for (size_t i = 0; i + 2 < silent.size(); ++i) {
      std::string heard = co_await Hear(*silent[i], "never");
      if (heard.starts_with("-NOAUTH closed to make room")) ++closed;
    }
    EXPECT_EQ(closed, 8);
  });
}

// A page in a browser can send a request whose body has commands.
TEST_F(ConnectionTest, HttpRequestClosesTheConnectionBeforeItsBodyIsExecuted) {
  Run([](Machine& machine) -> Task<void> {
    auto witness = co_await Dial(machine);
    for (std::string head : {"POST / HTTP/1.1\r\n", "post / HTTP/1.1\r\n",
                             "GET / HTTP/1.1\r\nHost: sessions\r\n", "*1\r\n$4\r\nPOST\r\n"}) {
      auto browser = co_await Dial(machine);
      std::string heard = co_await Talk(*browser, head + "\r\nSET stolen yes\r\n", "never");
      EXPECT_TRUE(heard.starts_with("|")) << heard;
      EXPECT_EQ(co_await Talk(*witness, "EXISTS stolen\r\n", "\r\n"), ":0\r\n") << head;
    }
  });
}

TEST_F(ConnectionTest, ReplyOfManyIsWholeAndComesBeforeTheNext) {
  Run([](Machine& machine) -> Task<void> {
    auto writer = co_await Dial(machine);
    constexpr size_t kKeys = 50'000;
    for (size_t i = 0; i < kKeys; i += 1000) {
      std::string asked = "MSET";
      for (size_t j = i; j < i + 1000; ++j) asked += " key:" + std::to_string(j) + " v";
      EXPECT_EQ(co_await Talk(*writer, asked + "\r\n", "\r\n"), "+OK\r\n");
    }
    std::string heard = co_await Talk(*writer, "KEYS *\r\nPING\r\n", "+PONG\r\n");
    EXPECT_TRUE(heard.starts_with("*50000\r\n$"));
    EXPECT_EQ(static_cast<size_t>(std::ranges::count(heard, '$')), kKeys);
  });
}

TEST_F(ConnectionTest, ClientThatDoesNotReadIsCutOffInTime) {
  Run([](Machine& machine) -> Task<void> {
    auto deaf = co_await Dial(machine);
    std::string value(1 << 20, 'x');
    EXPECT_EQ(
        co_await Talk(*deaf, "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1048576\r\n" + value + "\r\n", "\r\n"),
        "+OK\r\n");
    std::string asked;
    for (int i = 0; i < 100; ++i) asked += "GET k\r\n";
    EXPECT_TRUE(co_await deaf->Write(AsBytes(asked)));
    (void)co_await io::Sleep(kWriteTimeout + seconds{1});
    auto other = co_await Dial(machine);
    EXPECT_TRUE((co_await Talk(*other, "INFO clients\r\n", "\r\n\r\n"))
                    .contains("connected_clients:1\r\n"));
  });
}

TEST_F(ConnectionTest, ReplyToAWriteWaitsForTheDisk) {
  journal_.held = true;
  Run([this](Machine& machine) -> Task<void> {
    auto writer = co_await Dial(machine);
    EXPECT_TRUE(co_await writer->Write(AsBytes("SET k v\r\n")));
    auto reader = co_await Dial(machine);
    EXPECT_EQ(co_await Talk(*reader, "PING\r\n", "\r\n"), "+PONG\r\n");
    std::array<uint8_t, 16> space{};
    auto early = co_await writer->Read(space, machine.loop.After(seconds{1}));
    EXPECT_EQ(early.error().code, Errc::kTimeout);
    journal_.held = false;
    EXPECT_EQ(co_await Hear(*writer, "\r\n"), "+OK\r\n");
  });
}

TEST_F(ConnectionTest, WriteThatCannotBecomeDurableIsNotAnswered) {
  journal_.held = journal_.fails = true;
  Run([this](Machine& machine) -> Task<void> {
    auto stream = co_await Dial(machine);
    EXPECT_TRUE(co_await stream->Write(AsBytes("SET k v\r\n")));
    (void)co_await io::Sleep(milliseconds{50});
    journal_.held = false;
    EXPECT_TRUE((co_await Hear(*stream, "never")).starts_with("|"));
  });
}

// --- SIGTERM

TEST_F(ConnectionTest, DrainClosesIdleConnectionsAtOnce) {
  Run([this](Machine& machine) -> Task<void> {
    auto idle = co_await Dial(machine);
    EXPECT_EQ(co_await Talk(*idle, "PING\r\n", "\r\n"), "+PONG\r\n");
    auto listener = co_await Dial(machine);
    EXPECT_TRUE((co_await Talk(*listener, "SUBSCRIBE c\r\n", ":1\r\n")).ends_with(":1\r\n"));
    drain_ = true;
    EXPECT_EQ(co_await Hear(*idle, "never"), "|end");
    EXPECT_EQ(co_await Hear(*listener, "never"), "|end");
    co_await Drained();
    EXPECT_LT(drained_after_, milliseconds{100});
  });
}

TEST_F(ConnectionTest, DrainAnswersRequestsThatHaveArrived) {
  journal_.held = true;
  Run([this](Machine& machine) -> Task<void> {
    auto stream = co_await Dial(machine);
    EXPECT_TRUE(co_await stream->Write(AsBytes("INCR n\r\n")));
    (void)co_await io::Sleep(milliseconds{50});
    // The first waits for the disk; the others are not read yet.
    EXPECT_TRUE(co_await stream->Write(AsBytes("INCR n\r\nINCR n\r\n")));
    (void)co_await io::Sleep(milliseconds{50});
    drain_ = true;
    (void)co_await io::Sleep(milliseconds{50});
    journal_.held = false;
    EXPECT_EQ(co_await Hear(*stream, "never"), ":1\r\n:2\r\n:3\r\n|end");
    stream.reset();
    co_await Drained();
    EXPECT_LT(drained_after_, kDrainGrace);
  });
}

TEST_F(ConnectionTest, DrainWaitsForTheRestOfARequestForItsGraceAndNoLonger) {
  Run([this](Machine& machine) -> Task<void> {
    auto completes = co_await Dial(machine);
    auto never = co_await Dial(machine);
    EXPECT_TRUE(co_await completes->Write(AsBytes("*1\r\n$4\r\nPI")));
    EXPECT_TRUE(co_await never->Write(AsBytes("*1\r\n$4\r\nPI")));
    (void)co_await io::Sleep(milliseconds{50});
    drain_ = true;
    (void)co_await io::Sleep(kDrainGrace - milliseconds{100});
    EXPECT_EQ(co_await Talk(*completes, "NG\r\n", "never"), "+PONG\r\n|end");
    completes.reset();
    EXPECT_TRUE((co_await Hear(*never, "never")).starts_with("|"));
    never.reset();
    co_await Drained();
    EXPECT_GE(drained_after_, kDrainGrace);
    EXPECT_LT(drained_after_, kDrainGrace + milliseconds{100});
  });
}

TEST_F(ConnectionTest, DrainDisconnectsABusyClientAfterItsGrace) {
  Run([this](Machine& machine) -> Task<void> {
    auto stream = co_await Dial(machine);
    EXPECT_TRUE(co_await stream->Write(AsBytes("PING\r\n")));
    drain_ = true;
    std::array<uint8_t, 64> space{};
    // Each time before the reply has come, so that something is always there to be read.
    while (co_await stream->Write(AsBytes("PING\r\nPING\r\n"))) {
      Result<size_t> got = co_await stream->Read(space);
      if (!got || *got == 0) break;
    }
    stream.reset();
    co_await Drained();
    EXPECT_LT(drained_after_, kDrainGrace + seconds{3});
  });
}

TEST_F(ConnectionTest, DrainAnswersAWaitWithTheAcknowledgementsSoFar) {
  Run([this](Machine& machine) -> Task<void> {
    auto stream = co_await Dial(machine);
    EXPECT_EQ(co_await Talk(*stream, "SET k v\r\n", "\r\n"), "+OK\r\n");
    EXPECT_TRUE(co_await stream->Write(AsBytes("WAIT 1 60000\r\n")));
    (void)co_await io::Sleep(milliseconds{50});
    drain_ = true;
    EXPECT_EQ(co_await Hear(*stream, "never"), ":0\r\n|end");
    stream.reset();
    co_await Drained();
    EXPECT_LT(drained_after_, kDrainGrace + milliseconds{100});
  });
}

}  // namespace
}  // namespace meridian::session
