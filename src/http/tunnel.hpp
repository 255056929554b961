// Tunnel: joins two connections after a switch of protocols (101), byte by byte.
#pragma once

#include "http/exchange.hpp"

namespace meridian::http {

// Copies in both directions with backpressure until both have ended; passes the end of one
// direction on as a half-close. Aborts both connections when one fails, or when no byte moved in
// either direction for `idle_timeout`.
io::Task<Result<void>> Tunnel(io::Loop& loop, Upgraded a, Upgraded b, Duration idle_timeout);

}  // namespace meridian::http
