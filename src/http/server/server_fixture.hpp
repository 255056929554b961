// For tests: a server with memory streams and simulated time.
#pragma once

#include <utility>

#include <gtest/gtest.h>

#include "http/memory_stream.hpp"
#include "http/raw_peer.hpp"
#include "http/server/server.hpp"

namespace meridian::http {

class ServerFixture : public testing::Test {
 protected:
  // Runs `client(stream)` with a new connection to a server, and drains the server afterwards.
  template <class ClientFunction>
  void Run(ClientFunction client, size_t capacity = size_t{64} * 1024) {
    Server server(loop_, {.limits = limits_, .metrics = metrics_}, handler_);
    server_ = &server;
    auto run = [&]() -> io::Task<void> {
      auto connection = Connect(capacity);
      co_await client(*connection);
      connection->Close();
      co_await server.Drain(loop_.After(std::chrono::seconds{100}));
    };
    loop_.RunToEnd(run());
    server_ = nullptr;
  }

  // Sends `request`, ends this direction, and returns the whole answer, without dates.
  std::string Talk(std::string_view request) {
    std::string answer;
    Run([&](MemoryStream& stream) -> io::Task<void> {
      RawPeer peer(stream);
      (void)co_await peer.Send(request);
      stream.ShutdownWrite();
      answer = WithoutDate(co_await peer.ReadToEnd());
    });
    return answer;
  }

  std::unique_ptr<MemoryStream> Connect(size_t capacity = size_t{64} * 1024) {
    auto [ours, theirs] = MemoryStream::Pair(capacity);
    server_->ServeStream(std::move(theirs));
    return std::move(ours);
  }

  JumpingDriver driver_;
  io::Loop loop_{driver_};
  ServerLimits limits_;
  ServerMetrics* metrics_ = nullptr;
  Server::Handler handler_;
  Server* server_ = nullptr;
};

}  // namespace meridian::http
