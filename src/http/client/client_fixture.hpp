// For tests: a client with memory streams and simulated time; the test is the server.
#pragma once

#include <string>

#include <gtest/gtest.h>

#include "http/client/client.hpp"
#include "http/memory_network.hpp"
#include "http/raw_peer.hpp"
#include "io/scope.hpp"

namespace meridian::http {

constexpr std::string_view kOkResponse = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

class ClientFixture : public testing::Test {
 protected:
  // Runs `serve()` and `use(client)` concurrently. When `use` ends, the client's idle connections
  // are closed, so that a server that waits for more requests ends.
  template <class Serve, class Use>
  void Run(Serve serve, Use use) {
    Client client(loop_, network_, {.address = {IpAddress::V4(127, 0, 0, 1), 80}}, limits_);
    auto run = [&]() -> io::Task<void> {
      io::Scope server(loop_);
      server.Spawn(serve());
      co_await use(client);
      client.CloseIdle();
      co_await server.Join();
    };
    loop_.RunToEnd(run());
  }

  // The status and body of the response to `request`, or the error.
  static io::Task<std::string> Fetch(Client& client, Request request) {
    Sent sent = co_await client.Send(request);
    if (sent) co_return co_await ReadResponse(*sent);
    std::string failure(ErrcName(sent.error().error.code));
    co_return failure + (sent.error().never_sent ? ", never sent" : "");
  }
  static io::Task<std::string> ReadResponse(ClientExchange& exchange) {
    auto head = co_await exchange.ReadHead();
    while (head && (*head)->is_interim()) head = co_await exchange.ReadHead();
    if (!head) co_return "!" + std::string(ErrcName(head.error().code));
    std::string text = std::to_string((*head)->status) + " ";
    for (;;) {
      Result<Bytes> data = co_await exchange.ReadBody();
      if (!data) co_return text + "!" + std::string(ErrcName(data.error().code));
      if (data->empty()) co_return text;
      text += AsText(*data);
    }
  }

  // Reads one request without body from `stream`, and answers it.
  static io::Task<void> AnswerOn(MemoryStream& stream, std::string_view answer) {
    RawPeer peer(stream);
    (void)co_await peer.ReadHead();
    (void)co_await peer.Send(answer);
  }
  // Accepts the next connection and answers one request.
  io::Task<std::unique_ptr<MemoryStream>> AnswerOnce(std::string_view answer) {
    std::unique_ptr<MemoryStream> stream = co_await network_.Accept();
    co_await AnswerOn(*stream, answer);
    co_return stream;
  }
  // AnswerOnce, then waits until the client closes the connection.
  io::Task<void> AnswerAndWait(std::string_view answer) {
    std::unique_ptr<MemoryStream> stream = co_await AnswerOnce(answer);
    (void)co_await RawPeer(*stream).ReadToEnd();
  }
  // A server to which no client connects.
  static io::Task<void> UnusedServer() { co_return; }

  JumpingDriver driver_;
  io::Loop loop_{driver_};
  MemoryNetwork network_;
  ClientLimits limits_;
};

}  // namespace meridian::http
