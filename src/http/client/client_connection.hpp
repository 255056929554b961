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

// What a connection needs only while an exchange uses it.
struct ResponseMemory {
  explicit ResponseMemory(const ClientLimits& limits)
      : in(IncomingLimit(limits.head.max_head_bytes)),
        out(kMaxWrittenHeadBytes),
        parser(limits.head) {}

  // Takes a parsed head of `size` bytes out of `in`, which then begins behind it.
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
  // Nothing came and nothing ended since the last response: the connection can carry another
  // request as far as we can see: from what events have told, and with `ask` from the kernel
  // itself.
  bool IsFresh(bool ask);

  std::unique_ptr<io::Stream> stream;
  std::unique_ptr<ResponseMemory> memory;  // null while idle
  TimePoint idle_until = kNever;           // while idle: when to close it
  bool reused = false;                     // it has carried a request before
};

}  // namespace meridian::http
