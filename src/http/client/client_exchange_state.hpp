// The state of a ClientExchange. Private to http/.
#pragma once

#include "http/client/client_exchange.hpp"
#include "http/message_writer.hpp"

namespace meridian::http {

struct ClientExchange::State {
  State(Client& exchange_client, io::Loop& client_loop, const ClientLimits& client_limits,
        std::unique_ptr<ClientConnection> used)
      : client(exchange_client),
        loop(client_loop),
        limits(client_limits),
        connection(std::move(used)),
        writer(loop, *connection->stream, connection->memory->out, limits.write_timeout) {}

  io::Task<Result<const wire::http::ResponseHead*>> ReadHead(TimePoint until);
  io::Task<Result<Bytes>> ReadBody();
  bool IsReusable() const;
  // Whether request and response were transferred completely (after a 101: up to the tunnel).
  bool IsOver() const;

  Client& client;
  io::Loop& loop;
  const ClientLimits& limits;
  std::unique_ptr<ClientConnection> connection;
  MessageWriter writer;
  wire::http::RequestKind request_kind = wire::http::RequestKind::kOrdinary;
  int interim_count = 0;
  TimePoint head_deadline = kNever;  // set by the first ReadHead
  bool final_head = false;
  bool failed = false;
  // Destroyed after the connection was given back.
  std::shared_ptr<void> kept = {};
};

}  // namespace meridian::http
