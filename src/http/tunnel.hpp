// Tunnel: joins two connections that left HTTP behind (101), byte by byte.
#pragma once

#include "http/exchange.hpp"

namespace meridian::http {

// Copies both ways with backpressure until both directions have ended; the end of one is passed on
// as a half-close. Ends, and breaks both off, when either fails, or when nothing moved either way
// for `idle_timeout`.
io::Task<Result<void>> Tunnel(io::Loop& loop, Upgraded a, Upgraded b, Duration idle_timeout);

}  // namespace meridian::http
