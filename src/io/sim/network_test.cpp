#include "io/net/network.hpp"

#include <algorithm>

#include "io/sim/limits.hpp"
#include "io/sim/sim_fixture.hpp"

namespace meridian::io::sim {
namespace {

class SimNetworkTest : public SimTest {
 protected:
  // Connects, writes `text`, ends its direction, and reads the answer, all within 5 s.
  Main Say(std::string text, std::string* heard, Duration timeout = seconds{5}) {
    return [=](Machine& machine) -> Task<void> {
      TimePoint deadline = machine.loop.After(timeout);
      auto stream = co_await machine.network.Connect(kService, {.deadline = deadline});
      if (!stream) {
        *heard = ErrcName(stream.error().code);
        co_return;
      }
      Result<void> written = co_await (*stream)->Write(AsBytes(text), deadline);
      if (!written) {
        *heard = "write " + std::string(ErrcName(written.error().code));
        co_return;
      }
      (*stream)->ShutdownWrite();
      *heard = co_await ReadToEnd(**stream, deadline);
    };
  }
  std::string heard_;
};

TEST_F(SimNetworkTest, BytesAndTheEndComeInOrder) {
  AddServer(Echo);
  world_.fabric().options.short_reads = 0.7;
  std::string text;
  for (int i = 0; i < 5000; ++i) text += static_cast<char>('a' + i % 26);
  AddClient(Say(text, &heard_, std::chrono::minutes{5}));
  there() = {.latency = milliseconds{5}, .jitter = milliseconds{50}, .loss = 0.3};
  RunClient();
  EXPECT_EQ(heard_, text + "|end");
}

TEST_F(SimNetworkTest, FileIsSentInPartsAndAShortOneIsAnError) {
  AddServer([](Machine& machine) -> Task<void> {
    auto file = (co_await machine.disk.Open("sent", OpenMode::kCreate)).value();
    EXPECT_TRUE(co_await file->WriteAt(0, AsBytes(std::string(300'000, 'x'))));
    auto listener = machine.network.Listen(kService, {}).value();
    auto stream = (co_await listener->Accept()).value();
    EXPECT_TRUE(co_await stream->SendFile(*file, {.offset = 1, .bytes = 200'000}));
    auto sent = co_await stream->SendFile(*file, {.offset = 299'999, .bytes = 2});
    EXPECT_EQ(sent.error().code, Errc::kIo);
    stream->ShutdownWrite();
    (void)co_await ReadToEnd(*stream);
  });
  world_.fabric().options.short_reads = 0.7;
  AddClient(Say("", &heard_, std::chrono::minutes{5}));
  RunClient();
  EXPECT_EQ(heard_, std::string(200'001, 'x') + "|end");
}

TEST_F(SimNetworkTest, LatencyIsFeltEachWay) {
  AddServer(Echo);
  AddClient(Say("x", &heard_));
  there().latency = milliseconds{30};
  back().latency = milliseconds{70};
  RunClient();
  EXPECT_EQ(heard_, "x|end");
  EXPECT_EQ(world_.elapsed(), milliseconds{200});  // two round trips
}

TEST_F(SimNetworkTest, RateLimitsThroughput) {
  AddServer(Echo);
  AddClient(Say(std::string(100'000, 'x'), &heard_, seconds{100}));
  there().bytes_per_second = 10'000;
  RunClient();
  EXPECT_NEAR(Seconds(world_.elapsed()), 10, 0.5);
}

TEST_F(SimNetworkTest, PortWithoutListenerRefuses) {
  AddServer([](Machine&) -> Task<void> { co_return; });
  AddClient(Say("x", &heard_));
  RunClient();
  EXPECT_EQ(heard_, "refused");
}

TEST_F(SimNetworkTest, RefusedPortRefusesDespiteAListener) {
  AddServer(Echo);
  AddClient(Say("x", &heard_));
  world_.fabric().RefuseConnects(kService, true);
  RunClient();
  EXPECT_EQ(heard_, "refused");
}

TEST_F(SimNetworkTest, CutLinkIsSilentInEitherDirection) {
  AddServer(Echo);
  AddClient(Say("x", &heard_));
  there().cut = true;
  RunClient();
  EXPECT_EQ(heard_, "timed out");
}

TEST_F(SimNetworkTest, HalfCutLinkIsSilent) {
  AddServer(Echo);
  AddClient(Say("x", &heard_));
  back().cut = true;
  RunClient();
  EXPECT_EQ(heard_, "timed out");
}

TEST_F(SimNetworkTest, DataSentIntoACutArrivesAfterItHeals) {
  AddServer(Echo);
  AddClient(Say("x", &heard_, seconds{60}));
  world_.After(milliseconds{1}, [&] { world_.fabric().CutBothWays(0, 1, true); });
  world_.After(seconds{20}, [&] { world_.fabric().CutBothWays(0, 1, false); });
  RunClient();
  EXPECT_EQ(heard_, "x|end");
  EXPECT_GE(world_.elapsed(), seconds{20});
  EXPECT_LE(world_.elapsed(), seconds{25});
}

TEST_F(SimNetworkTest, WriterWaitsForAReaderThatDoesNotRead) {
  AddServer([](Machine& machine) -> Task<void> {
    auto listener = machine.network.Listen(kService, {}).value();
    auto stream = co_await listener->Accept();
    (void)co_await Sleep(seconds{100});
  });
  AddClient(Say(std::string(kStreamWindowBytes + 1, 'x'), &heard_));
  RunClient();
  EXPECT_EQ(heard_, "write timed out");
}

TEST_F(SimNetworkTest, WindowFullOfBytesIsTakenWithoutAReader) {
  AddServer([](Machine& machine) -> Task<void> {
    auto listener = machine.network.Listen(kService, {}).value();
    auto stream = co_await listener->Accept();
    (void)co_await Sleep(seconds{100});
  });
  AddClient(Say(std::string(kStreamWindowBytes, 'x'), &heard_));
  RunClient();
  EXPECT_EQ(heard_, "|timed out");
}

TEST_F(SimNetworkTest, ResetTakesUnreadBytesWithIt) {
  AddServer([](Machine& machine) -> Task<void> {
    auto listener = machine.network.Listen(kService, {}).value();
    auto stream = co_await listener->Accept();
    CHECK(co_await (*stream)->Write(AsBytes("half of an answ")));
    (void)co_await Sleep(milliseconds{10});
    (*stream)->Abort();
  });
  AddClient([&](Machine& machine) -> Task<void> {
    auto stream = co_await machine.network.Connect(kService, {});
    CHECK(stream);
    (void)co_await Sleep(seconds{1});
    heard_ = co_await ReadToEnd(**stream);
  });
  RunClient();
  EXPECT_EQ(heard_, "|reset");
}

TEST_F(SimNetworkTest, ClosingWithUnreadBytesResetsThePeer) {
  AddServer([](Machine& machine) -> Task<void> {
    auto listener = machine.network.Listen(kService, {}).value();
    auto stream = co_await listener->Accept();
    (void)co_await Sleep(seconds{1});
  });
  AddClient(Say("never read", &heard_));
  RunClient();
  EXPECT_EQ(heard_, "|reset");
}

TEST_F(SimNetworkTest, CrashedProcessEndsItsConnections) {
  SimProcess& server = AddServer(Echo);
  AddClient([&](Machine& machine) -> Task<void> {
    auto stream = co_await machine.network.Connect(kService, {});
    CHECK(stream);
    heard_ = co_await ReadToEnd(**stream, machine.loop.After(seconds{60}));
  });
  world_.After(seconds{1}, [&] { server.Crash(CrashKind::kProcess); });
  RunClient();
  EXPECT_EQ(heard_, "|end");
}

TEST_F(SimNetworkTest, CrashedMachineSaysNothing) {
  SimProcess& server = AddServer(Echo);
  AddClient([&](Machine& machine) -> Task<void> {
    auto stream = co_await machine.network.Connect(kService, {});
    CHECK(stream);
    heard_ = co_await ReadToEnd(**stream, machine.loop.After(seconds{60}));
  });
  world_.After(seconds{1}, [&] { server.Crash(CrashKind::kMachine); });
  RunClient();
  EXPECT_EQ(heard_, "|timed out");
}

TEST_F(SimNetworkTest, RestartedMachineResetsUnknownConnections) {
  SimProcess& server = AddServer(Echo);
  AddClient([&](Machine& machine) -> Task<void> {
    auto stream = co_await machine.network.Connect(kService, {});
    CHECK(stream);
    (void)co_await Sleep(seconds{10});
    CHECK(co_await (*stream)->Write(AsBytes("still there?")));
    heard_ = co_await ReadToEnd(**stream, machine.loop.After(seconds{60}));
  });
  world_.After(seconds{1}, [&] { server.Crash(CrashKind::kMachine); });
  world_.After(seconds{2}, [&] { server.Restart(); });
  RunClient();
  EXPECT_EQ(heard_, "|reset");
}

TEST_F(SimNetworkTest, ResetConnectionsEndBothWays) {
  AddServer(Echo);
  AddClient([&](Machine& machine) -> Task<void> {
    auto stream = co_await machine.network.Connect(kService, {});
    CHECK(stream);
    CHECK(co_await (*stream)->Hangup());
    heard_ = co_await ReadToEnd(**stream);
  });
  world_.After(seconds{1}, [&] { world_.fabric().ResetConnections(0, 1); });
  RunClient();
  EXPECT_EQ(heard_, "|reset");
}

TEST_F(SimNetworkTest, PortIsTakenOnce) {
  AddServer(Echo);
  Errc second = Errc::kIo;
  auto listen = [&](Machine& machine) -> Task<void> {
    auto first = machine.network.Listen({kClientAddress, 80}, {});
    CHECK(first);
    second = machine.network.Listen({kClientAddress, 80}, {}).error().code;
    co_return;
  };
  AddClient(listen);
  RunClient();
  EXPECT_EQ(second, Errc::kExists);
}

// Sends 1,000 numbered datagrams and notes what arrives.
class SimDatagramsTest : public SimTest {
 protected:
  std::vector<int> Arrivals() {
    std::vector<int> arrived;
    AddServer([&](Machine& machine) -> Task<void> {
      auto socket = machine.network.Bind(kService).value();
      std::array<uint8_t, 16> space{};
      while (auto got = co_await socket->Receive(space)) {
        arrived.push_back(space[0] * 256 + space[1]);
      }
    });
    AddClient([](Machine& machine) -> Task<void> {
      auto socket = machine.network.Bind({kClientAddress, 0}).value();
      for (int i = 0; i < 1000; ++i) {
        std::array<uint8_t, 2> bytes{static_cast<uint8_t>(i / 256), static_cast<uint8_t>(i % 256)};
        CHECK(socket->Send(bytes, kService));
        CHECK(co_await Sleep(milliseconds{1}));
      }
    });
    RunClient();
    world_.RunFor(seconds{10});
    return arrived;
  }
};

TEST_F(SimDatagramsTest, WithoutFaultsAllArriveInOrder) {
  std::vector<int> arrived = Arrivals();
  EXPECT_EQ(arrived.size(), 1000U);
  EXPECT_TRUE(std::ranges::is_sorted(arrived));
}

TEST_F(SimDatagramsTest, SomeAreLost) {
  world_.After({}, [&] { there().loss = 0.3; });
  EXPECT_NEAR(static_cast<double>(Arrivals().size()), 700, 60);
}

TEST_F(SimDatagramsTest, SomeComeTwice) {
  world_.After({}, [&] { there().duplication = 0.3; });
  EXPECT_NEAR(static_cast<double>(Arrivals().size()), 1300, 60);
}

TEST_F(SimDatagramsTest, SomeAreOvertaken) {
  world_.After({}, [&] {
    there().latency = milliseconds{10};
    there().reordering = 0.3;
  });
  std::vector<int> arrived = Arrivals();
  EXPECT_EQ(arrived.size(), 1000U);
  EXPECT_FALSE(std::ranges::is_sorted(arrived));
}

}  // namespace
}  // namespace meridian::io::sim
