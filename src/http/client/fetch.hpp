// Fetch: a small request whose whole answer is wanted at once: health checks, admin calls, views of
// peers.
#pragma once

#include <string>

#include "http/client/client.hpp"

namespace meridian::http {

struct Fetched {
  int status = 0;
  std::string body;
};

// Sends `request` and reads its answer to the end, all before `deadline`. kTooLarge: the body has
// more than `max_body_bytes`. Whatever status was answered is no error.
io::Task<Result<Fetched>> Fetch(Client& client, const Request& request, size_t max_body_bytes,
                                TimePoint deadline);

}  // namespace meridian::http
