#include "io/net/socket.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "io/loop.hpp"
#include "io/net/tls.hpp"
#include "io/scope.hpp"
#include "io/wait_queue.hpp"

namespace meridian::io {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Endpoint kAnyPort{IpAddress::V4(127, 0, 0, 1), 0};

class SocketTest : public testing::Test {
 protected:
  struct Pair {
    std::unique_ptr<Stream> client;
    std::unique_ptr<Stream> server;
  };

  Task<Pair> Connected() {
    std::unique_ptr<Listener> listener = network_.Listen(kAnyPort, {}).value();
    auto client = co_await network_.Connect(listener->local(), {});
    auto server = co_await listener->Accept();
    co_return Pair{std::move(client).value(), std::move(server).value()};
  }

  EpollDriver driver_;
  Loop loop_{driver_};
  SystemNetwork network_{driver_};
};

Task<std::string> ReadToEnd(Stream& stream) {
  std::string all;
  std::vector<uint8_t> space(4096);
  for (;;) {
    Result<size_t> got = co_await stream.Read(space);
    if (!got) co_return all + "!" + std::string(ErrcName(got.error().code));
    if (*got == 0) co_return all;
    all += AsText({space.data(), *got});
  }
}

TEST_F(SocketTest, BytesArriveInOrderAndHalfCloseEndsOneDirectionOnly) {
  auto run = [&]() -> Task<void> {
    Pair pair = co_await Connected();
    EXPECT_TRUE(co_await pair.client->Write({AsBytes("hello "), AsBytes("world")}));
    pair.client->ShutdownWrite();
    EXPECT_EQ(co_await ReadToEnd(*pair.server), "hello world");
    EXPECT_TRUE(co_await pair.server->Write(AsBytes("back")));
    pair.server->Close();
    EXPECT_EQ(co_await ReadToEnd(*pair.client), "back");
  };
  loop_.RunToEnd(run());
}

TEST_F(SocketTest, AWriterWaitsForItsReaderAndLosesNothing) {
  auto run = [&]() -> Task<void> {
    Pair pair = co_await Connected();
    std::string large(8 << 20, 'x');
    for (size_t i = 0; i < large.size(); i += 1000) large[i] = static_cast<char>('a' + i % 26);
    Scope scope(loop_);
    bool written = false;
    auto write = [&]() -> Task<void> {
      EXPECT_TRUE(co_await pair.client->Write(AsBytes(large)));
      written = true;
      pair.client->ShutdownWrite();
    };
    scope.Spawn(write());
    (void)co_await pair.server->Readable();
    EXPECT_FALSE(written);
    EXPECT_EQ(co_await ReadToEnd(*pair.server), large);
    co_await scope.Join();
  };
  loop_.RunToEnd(run());
}

TEST_F(SocketTest, ReadEndsAtItsDeadline) {
  auto run = [&]() -> Task<void> {
    Pair pair = co_await Connected();
    std::vector<uint8_t> space(10);
    Result<size_t> got = co_await pair.server->Read(space, loop_.After(milliseconds(20)));
    EXPECT_EQ(got.error().code, Errc::kTimeout);
    EXPECT_TRUE(co_await pair.client->Write(AsBytes("late")));
    got = co_await pair.server->Read(space, loop_.After(seconds(10)));
    EXPECT_EQ(got.value(), 4u);
  };
  loop_.RunToEnd(run());
}

TEST_F(SocketTest, WriteToAPeerThatDoesNotReadEndsAtItsDeadline) {
  auto run = [&]() -> Task<void> {
    Pair pair = co_await Connected();
    std::string large(64 << 20, 'x');
    Result<void> sent = co_await pair.client->Write(AsBytes(large), loop_.After(milliseconds(20)));
    EXPECT_EQ(sent.error().code, Errc::kTimeout);
  };
  loop_.RunToEnd(run());
}

// A socket that gets room without a notification, as on Linux until a third of its buffer is free.
class QuietStream final : public Stream {
 public:
  bool room = false;

  void ShutdownWrite() override {}
  void Close() override {}
  void Abort() override {}
  Endpoint local() const override { return kAnyPort; }
  Endpoint peer() const override { return kAnyPort; }
  Result<size_t> TryRead(MutableBytes /*into*/) override { return kBlocked; }
  Result<size_t> TryWrite(std::span<const Bytes> pieces) override {
    return room ? pieces[0].size() : kBlocked;
  }
  bool MaybeReadable() const override { return false; }
  bool hung_up() const override { return false; }
};

TEST_F(SocketTest, WriteThatFindsRoomAtItsDeadlineSucceeds) {
  QuietStream stream;
  auto run = [&]() -> Task<void> {
    Scope scope(loop_);
    auto make_room = [&]() -> Task<void> {
      (void)co_await Sleep(milliseconds{5});
      stream.room = true;
    };
    scope.Spawn(make_room());
    EXPECT_TRUE(co_await stream.Write(AsBytes("late"), loop_.After(milliseconds{20})));
    stream.room = false;
    Result<void> sent = co_await stream.Write(AsBytes("never"), loop_.After(milliseconds{20}));
    EXPECT_EQ(sent.error().code, Errc::kTimeout);
    co_await scope.Join();
  };
  loop_.RunToEnd(run());
}

TEST_F(SocketTest, AbortIsSeenAsResetAndWakesTheWatcher) {
  auto run = [&]() -> Task<void> {
    Pair pair = co_await Connected();
    pair.client->Abort();
    EXPECT_TRUE(co_await pair.server->Hangup(loop_.After(seconds(10))));
    EXPECT_EQ(co_await ReadToEnd(*pair.server), "!reset");
  };
  loop_.RunToEnd(run());
}

TEST_F(SocketTest, HalfClosedPeerIsNotHungUp) {
  auto run = [&]() -> Task<void> {
    Pair pair = co_await Connected();
    pair.client->ShutdownWrite();
    EXPECT_EQ(co_await ReadToEnd(*pair.server), "");
    EXPECT_FALSE(pair.server->hung_up());
    Result<void> watched = co_await pair.server->Hangup(loop_.After(milliseconds(5)));
    EXPECT_EQ(watched.error().code, Errc::kTimeout);
  };
  loop_.RunToEnd(run());
}

TEST_F(SocketTest, HalfClosedPeerHasEndedThoughItsBytesAreUnread) {
  auto run = [&]() -> Task<void> {
    Pair pair = co_await Connected();
    EXPECT_FALSE(pair.server->peer_ended());
    EXPECT_TRUE(co_await pair.client->Write(AsBytes("last")));
    pair.client->ShutdownWrite();
    EXPECT_TRUE(co_await pair.server->PeerEnd(loop_.After(seconds(10))));
    EXPECT_FALSE(pair.server->hung_up());
    EXPECT_EQ(co_await ReadToEnd(*pair.server), "last");
  };
  loop_.RunToEnd(run());
}

TEST_F(SocketTest, AskReadableSeesAnEndBeforeItsEvent) {
  auto run = [&]() -> Task<void> {
    Pair pair = co_await Connected();
    std::array<uint8_t, 8> space{};
    EXPECT_EQ(pair.client->TryRead(space).value(), Stream::kBlocked);
    EXPECT_FALSE(pair.client->AskReadable());
    pair.server->Close();
    EXPECT_FALSE(pair.client->MaybeReadable());
    EXPECT_TRUE(pair.client->AskReadable());
    co_return;
  };
  loop_.RunToEnd(run());
}

TEST_F(SocketTest, ClosingWakesWhoeverWaits) {
  auto run = [&]() -> Task<void> {
    Pair pair = co_await Connected();
    Scope scope(loop_);
    std::string got;
    auto read = [&]() -> Task<void> { got = co_await ReadToEnd(*pair.server); };
    scope.Spawn(read());
    (void)co_await Sleep(milliseconds(1));
    pair.server->Close();
    co_await scope.Join();
    EXPECT_EQ(got, "!closed");
  };
  loop_.RunToEnd(run());
}

TEST_F(SocketTest, APortThatSpeaksBothTellsTlsByItsFirstByteAndLeavesIt) {
  auto run = [&](std::string_view sent, bool tls) -> Task<void> {
    Pair pair = co_await Connected();
    EXPECT_EQ((co_await BeginsTls(*pair.server, loop_.After(milliseconds(1)))).error().code,
              Errc::kTimeout);
    EXPECT_TRUE(co_await pair.client->Write(AsBytes(sent)));
    EXPECT_EQ((co_await BeginsTls(*pair.server, loop_.After(seconds(10)))).value(), tls);
    pair.client->Close();
    EXPECT_EQ(co_await ReadToEnd(*pair.server), sent);
  };
  loop_.RunToEnd(run("\x16\x03\x01", true));
  loop_.RunToEnd(run("GET /", false));
}

TEST_F(SocketTest, RefusedConnectionNamesTheEndpoint) {
  auto run = [&]() -> Task<void> {
    Endpoint nobody = network_.Listen(kAnyPort, {}).value()->local();
    auto stream = co_await network_.Connect(nobody, {});
    EXPECT_EQ(stream.error().code, Errc::kRefused);
    EXPECT_NE(stream.error().message.find(nobody.ToString()), std::string::npos);
  };
  loop_.RunToEnd(run());
}

TEST_F(SocketTest, ConnectionComesFromTheChosenAddress) {
  auto run = [&]() -> Task<void> {
    std::unique_ptr<Listener> listener = network_.Listen(kAnyPort, {}).value();
    ConnectOptions options{.from = IpAddress::V4(127, 9, 8, 7)};
    auto client = co_await network_.Connect(listener->local(), options);
    EXPECT_TRUE(client);
    auto server = co_await listener->Accept();
    EXPECT_EQ(server.value()->peer().address, IpAddress::V4(127, 9, 8, 7));
  };
  loop_.RunToEnd(run());
}

TEST_F(SocketTest, PeerAddressIsKnownAfterTheConnectionIsLost) {
  auto run = [&]() -> Task<void> {
    std::unique_ptr<Listener> listener = network_.Listen(kAnyPort, {}).value();
    auto client = co_await network_.Connect(listener->local(), {});
    auto server = co_await listener->Accept();
    const Endpoint came = (*client)->local();
    (*client)->Abort();
    EXPECT_TRUE(co_await (*server)->Hangup());
    EXPECT_EQ((*server)->peer(), came);
  };
  loop_.RunToEnd(run());
}

TEST_F(SocketTest, TakenPortIsReportedAsExisting) {
  std::unique_ptr<Listener> listener = network_.Listen(kAnyPort, {}).value();
  auto second = network_.Listen(listener->local(), {});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::kExists);
}

TEST_F(SocketTest, UnixSocketsCarryBytesAndRemoveTheirFile) {
  std::string path = testing::TempDir() + "meridian_socket_test.sock";
  auto run = [&]() -> Task<void> {
    std::unique_ptr<Listener> listener = network_.ListenUnix(path).value();
    auto client = co_await network_.ConnectUnix(path, kNever);
    auto server = co_await listener->Accept();
    EXPECT_TRUE(co_await client.value()->Write(AsBytes("x")));
    client.value()->Close();
    EXPECT_EQ(co_await ReadToEnd(*server.value()), "x");
  };
  loop_.RunToEnd(run());
  EXPECT_NE(::access(path.c_str(), F_OK), 0);
}

TEST_F(SocketTest, UnixSocketPathHasALimit) {
  auto listener = network_.ListenUnix(std::string(108, 'x'));
  ASSERT_FALSE(listener);
  EXPECT_EQ(listener.error().code, Errc::kTooLarge);
}

TEST_F(SocketTest, DatagramsTellWhereTheyCameFrom) {
  auto run = [&]() -> Task<void> {
    std::unique_ptr<Datagrams> a = network_.Bind(kAnyPort).value();
    std::unique_ptr<Datagrams> b = network_.Bind(kAnyPort).value();
    EXPECT_TRUE(a->Send(AsBytes("question"), b->local()));
    std::vector<uint8_t> space(100);
    auto got = co_await b->Receive(space, loop_.After(seconds(10)));
    EXPECT_EQ(AsText({space.data(), got.value().bytes}), "question");
    EXPECT_EQ(got.value().from, a->local());
    got = co_await b->Receive(space, loop_.After(milliseconds(5)));
    EXPECT_EQ(got.error().code, Errc::kTimeout);
  };
  loop_.RunToEnd(run());
}

TEST_F(SocketTest, AFiberThatIsAlwaysReadyDoesNotStarveTheOthers) {
  auto run = [&]() -> Task<void> {
    Pair pair = co_await Connected();
    bool other_ran = false;
    int writes = 0;
    Scope scope(loop_);
    auto busy = [&]() -> Task<void> {
      std::vector<uint8_t> space(16);
      while (!other_ran && writes < 100'000) {
        ++writes;
        EXPECT_TRUE(co_await pair.client->Write(AsBytes("x")));
        EXPECT_TRUE(co_await pair.server->Read(space));
      }
    };
    auto other = [&]() -> Task<void> {
      (void)co_await Sleep(Duration::zero());
      other_ran = true;
    };
    scope.Spawn(other());
    scope.Spawn(busy());
    co_await scope.Join();
    EXPECT_LT(writes, 1000);
  };
  loop_.RunToEnd(run());
}

}  // namespace
}  // namespace meridian::io
