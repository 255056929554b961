// ClientConnection: one connection of a Client. Private to http/. Owned by the exchange that uses
// it, else by the client's pool.
#pragma once

#include <memory>
#include <string>

#include "http/incoming_body.hpp"
#include "http/limits.hpp"
#include "http/message_writer.hpp"
#include "io/net/stream.hpp"
#include "wire/http/head_parser.hpp"

namespace meridian::http {

// The memory that a connection needs only during an exchange.
struct ResponseMemory {
  explicit ResponseMemory(const ClientLimits& limits)
      : in(IncomingLimit(limits.head.max_head_bytes)),
        out(kMaxWrittenHeadBytes),
        parser(limits.head) {}

  // Moves a parsed head of `size` bytes out of `in`, which then begins after it.
  void DetachHead(size_t size);
  void Clear();

  Buffer in;
  Buffer out;
  std::string head_text;
  wire::http::ResponseHeadParser parser;
  wire::http::ResponseHead head;
  IncomingBody body;
};

struct ClientConnection {
  // Whether the connection can carry another request: since the last response, neither a byte nor
  // an end arrived, according to events and, with `ask`, according to the kernel.
  bool IsFresh(bool ask);

  std::unique_ptr<io::Stream> stream;
  std::unique_ptr<ResponseMemory> memory;  // null while idle
  TimePoint idle_until = kNever;           // time at which an idle connection is closed
  bool reused = false;                     // it carried a request before
};

}  // namespace meridian::http
