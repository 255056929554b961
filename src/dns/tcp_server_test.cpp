#include "dns/tcp_server.hpp"

#include <gtest/gtest.h>

#include "dns/photos_site.hpp"
#include "io/net/socket.hpp"
#include "io/wait_queue.hpp"

namespace meridian::dns {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using wire::dns::DecodeResponse;
using wire::dns::Rcode;
using wire::dns::Response;

std::vector<uint8_t> Framed(const std::vector<uint8_t>& message) {
  std::vector<uint8_t> framed = {static_cast<uint8_t>(message.size() >> 8),
                                 static_cast<uint8_t>(message.size())};
  framed.insert(framed.end(), message.begin(), message.end());
  return framed;
}

std::vector<uint8_t> FramedQuery(const std::string& name) {
  return Framed(MessageOf({.name = name}));
}

class TcpServerTest : public testing::Test {
 protected:
  // Runs `client` together with a server.
  template <class ClientFunction>
  void Run(ClientFunction client) {
    auto run = [&]() -> io::Task<void> {
      auto listener = network_.Listen({IpAddress::V4(127, 0, 0, 1), 0}, {}).value();
      at_ = listener->local();
      TcpServer server({loop_, snapshots_, answers_, tcp_metrics_}, std::move(listener), options_);
      io::Scope scope(loop_);
      scope.Spawn(server.Run());
      co_await client();
      server.Stop();
      co_await scope.Join();
    };
    loop_.RunToEnd(run());
  }

  io::Task<std::unique_ptr<io::Stream>> Connected() {
    co_return (co_await network_.Connect(at_, {.deadline = Soon()})).value();
  }

  // The next message, or nothing at the end of the connection.
  io::Task<std::optional<std::vector<uint8_t>>> Receive(io::Stream& stream) {
    std::vector<uint8_t> length = co_await ReadBytes(stream, 2);
    if (length.size() < 2) co_return std::nullopt;
    co_return co_await ReadBytes(stream, static_cast<size_t>(length[0] << 8 | length[1]));
  }

  io::Task<std::vector<uint8_t>> ReadBytes(io::Stream& stream, size_t count) {
    std::vector<uint8_t> bytes(count);
    size_t have = 0;
    while (have < count) {
      Result<size_t> got = co_await stream.Read(MutableBytes(bytes).subspan(have), Soon());
      if (got || got.error().code != Errc::kReset) EXPECT_TRUE(got);
      if (!got || *got == 0) break;
      have += *got;
    }
    bytes.resize(have);
    co_return bytes;
  }

  // Whether the server ends the connection without another byte.
  io::Task<bool> Ends(io::Stream& stream) { co_return (co_await ReadBytes(stream, 1)).size() == 0; }

  TimePoint Soon() const { return loop_.After(seconds{10}); }

  io::EpollDriver driver_;
  io::Loop loop_{driver_};
  io::SystemNetwork network_{driver_};
  Metrics metrics_;
  AnswerMetrics answers_{metrics_, {"us-east", "us-west"}};
  TcpMetrics tcp_metrics_{metrics_};
  Published<Snapshot> snapshots_{1, std::make_unique<const Snapshot>(Photos())};
  TcpOptions options_;
  Endpoint at_;
};

TEST_F(TcpServerTest, AnswersQueriesThatFollowEachOtherInTheirOrder) {
  Run([&]() -> io::Task<void> {
    auto stream = co_await Connected();
    std::vector<uint8_t> queries;
    for (const char* name : {"us-east.photos.example", "nowhere.photos.example", "elsewhere"}) {
      std::vector<uint8_t> query = FramedQuery(name);
      queries.insert(queries.end(), query.begin(), query.end());
    }
    EXPECT_TRUE(co_await stream->Write(queries));
    for (Rcode expected : {Rcode::kNoError, Rcode::kNxDomain, Rcode::kRefused}) {
      auto message = co_await Receive(*stream);
      EXPECT_TRUE(message && DecodeResponse(*message)->rcode == expected);
    }
  });
}

TEST_F(TcpServerTest, AnswersAThousandQueriesSentAtOnce) {
  Run([&]() -> io::Task<void> {
    auto stream = co_await Connected();
    std::vector<uint8_t> queries;
    for (int i = 0; i < 1000; ++i) {
      std::vector<uint8_t> query = FramedQuery("photos.example");
      queries.insert(queries.end(), query.begin(), query.end());
    }
    io::Scope scope(loop_);
    auto send = [&]() -> io::Task<void> { EXPECT_TRUE(co_await stream->Write(queries)); };
    scope.Spawn(send());
    for (int i = 0; i < 1000; ++i) EXPECT_TRUE(co_await Receive(*stream));
    co_await scope.Join();
  });
}

TEST_F(TcpServerTest, QueryMayComeByteByByte) {
  Run([&]() -> io::Task<void> {
    auto stream = co_await Connected();
    for (uint8_t byte : FramedQuery("photos.example")) {
      EXPECT_TRUE(co_await stream->Write(Bytes(&byte, 1)));
      (void)co_await io::Sleep(milliseconds{0});
    }
    EXPECT_TRUE(co_await Receive(*stream));
  });
}

TEST_F(TcpServerTest, GivesLargeAnswersWhole) {
  snapshots_.Publish(std::make_unique<const Snapshot>(LargeSite()));
  Run([&]() -> io::Task<void> {
    auto stream = co_await Connected();
    EXPECT_TRUE(co_await stream->Write(FramedQuery("photos.example")));
    Result<Response> response = DecodeResponse((co_await Receive(*stream)).value());
    EXPECT_FALSE(response->header.truncated);
    EXPECT_EQ(response->answers.size(), kMaxDataCenters * 8);
  });
}

TEST_F(TcpServerTest, LongestQueryIsAnsweredAndALongerOneIsAFormatError) {
  Run([&]() -> io::Task<void> {
    for (size_t extra : {0U, 1U}) {
      auto stream = co_await Connected();
      std::vector<uint8_t> message = MessageOf({.name = "photos.example"});
      message.resize(kMaxTcpQueryBytes + extra);  // bytes behind the question: FORMERR either way
      EXPECT_TRUE(co_await stream->Write(Framed(message)));
      EXPECT_TRUE(co_await stream->Write(FramedQuery("photos.example")));
      auto first = co_await Receive(*stream);
      EXPECT_TRUE(first && DecodeResponse(*first)->rcode == Rcode::kFormErr);
      EXPECT_TRUE(first && DecodeResponse(*first)->header.id == 0x1234);
      EXPECT_EQ((co_await Receive(*stream)).has_value(), extra == 0);
    }
  });
}

TEST_F(TcpServerTest, WhatIsNoQueryEndsTheConnection) {
  Run([&]() -> io::Task<void> {
    std::vector<uint8_t> response = MessageOf({.name = "photos.example"});
    response[2] |= 0x80;
    for (const std::vector<uint8_t>& bytes :
         {std::vector<uint8_t>{0, 0}, std::vector<uint8_t>{0, 11}, Framed(response)}) {
      auto stream = co_await Connected();
      EXPECT_TRUE(co_await stream->Write(bytes));
      EXPECT_TRUE(co_await Ends(*stream));
    }
  });
}

TEST_F(TcpServerTest, ConnectionWithoutAWholeQueryInTimeIsClosed) {
  options_.idle_timeout = milliseconds{20};
  Run([&]() -> io::Task<void> {
    auto silent = co_await Connected();
    auto slow = co_await Connected();
    EXPECT_TRUE(co_await slow->Write(Bytes(FramedQuery("photos.example")).first(5)));
    EXPECT_TRUE(co_await Ends(*silent));
    EXPECT_TRUE(co_await Ends(*slow));
  });
}

TEST_F(TcpServerTest, ClientThatTakesNoAnswersIsCutOff) {
  options_.write_timeout = milliseconds{20};
  snapshots_.Publish(std::make_unique<const Snapshot>(LargeSite()));
  Run([&]() -> io::Task<void> {
    auto stream = co_await Connected();
    std::vector<uint8_t> query = FramedQuery("photos.example");
    Result<void> sent;
    for (int i = 0; i < 100'000 && sent; ++i) sent = co_await stream->Write(query, Soon());
    EXPECT_FALSE(sent);
    EXPECT_NE(sent.error().code, Errc::kTimeout);
  });
}

TEST_F(TcpServerTest, ClientHasSoManyConnectionsAndNotOneMore) {
  options_.max_connections_per_client = 2;
  Run([&]() -> io::Task<void> {
    auto first = co_await Connected();
    auto second = co_await Connected();
    auto third = co_await Connected();
    EXPECT_TRUE(co_await Ends(*third));
    EXPECT_EQ(tcp_metrics_.refused_client.value(), 1U);
    EXPECT_TRUE(co_await second->Write(FramedQuery("photos.example")));
    EXPECT_TRUE(co_await Receive(*second));
    first->Close();
    // The connection stops counting once the server has seen its end.
    while (tcp_metrics_.connections.value() > 1) (void)co_await io::Sleep(milliseconds{1});
    auto fourth = co_await Connected();
    EXPECT_TRUE(co_await fourth->Write(FramedQuery("photos.example")));
    EXPECT_TRUE(co_await Receive(*fourth));
  });
}

TEST_F(TcpServerTest, SiteHasSoManyConnectionsAndTheLongestIdleMakesRoomForOneMore) {
  options_.max_connections = 2;
  Run([&]() -> io::Task<void> {
    auto first = co_await Connected();
    auto second = co_await Connected();
    // The second connection was answered earlier than the first, and half a query does not count.
    for (auto* stream : {second.get(), first.get()}) {
      EXPECT_TRUE(co_await stream->Write(FramedQuery("photos.example")));
      EXPECT_TRUE(co_await Receive(*stream));
    }
    EXPECT_TRUE(co_await second->Write(Bytes(FramedQuery("photos.example")).first(5)));
    auto third = co_await Connected();
    EXPECT_TRUE(co_await Ends(*second));
    for (auto* stream : {first.get(), third.get()}) {
      EXPECT_TRUE(co_await stream->Write(FramedQuery("photos.example")));
      EXPECT_TRUE(co_await Receive(*stream));
    }
    EXPECT_EQ(tcp_metrics_.evicted.value(), 1U);
    EXPECT_EQ(tcp_metrics_.refused_site.value(), 0U);
  });
}

TEST_F(TcpServerTest, ManyWhoConnectAtOnceEvictOneEach) {
  options_.max_connections = 2;
  Run([&]() -> io::Task<void> {
    std::vector<std::unique_ptr<io::Stream>> streams;
    for (int i = 0; i < 10; ++i) streams.push_back(co_await Connected());
    for (int i = 0; i < 8; ++i) EXPECT_TRUE(co_await Ends(*streams[static_cast<size_t>(i)]));
    for (size_t i : {8u, 9u}) {
      EXPECT_TRUE(co_await streams[i]->Write(FramedQuery("photos.example")));
      EXPECT_TRUE(co_await Receive(*streams[i]));
    }
    EXPECT_EQ(tcp_metrics_.connections.value(), 2);
  });
}

}  // namespace
}  // namespace meridian::dns
