// Fetch: sends a request and reads the whole, small answer: health checks, admin calls, views of
// peers.
#pragma once

#include <string>

#include "http/client/client.hpp"

namespace meridian::http {

struct Fetched {
  int status = 0;
  std::string body;
};

// Sends `request` and reads the whole answer before `deadline`. kTooLarge: the body has more than
// `max_body_bytes`. No status is an error.
io::Task<Result<Fetched>> Fetch(Client& client, const Request& request, size_t max_body_bytes,
                                TimePoint deadline);

}  // namespace meridian::http
