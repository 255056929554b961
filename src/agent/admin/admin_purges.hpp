// The purge paths of the admin port:
//
//   POST /.meridian/purge?wait=5000   site::PurgeOrder to site::PurgeReport; waits up to 5000 ms
//   for the edges POST /.meridian/purges            site::PurgePoll to site::PurgePollAnswer; waits
//   for new orders
//
// 400: the request is malformed. 503: the order could not be written.
#pragma once

#include <optional>
#include <string_view>

#include "agent/purges/purges.hpp"
#include "base/clock.hpp"
#include "http/exchange.hpp"
#include "io/task.hpp"

namespace meridian::agent {

inline constexpr std::string_view kPurgePath = "/.meridian/purge";
inline constexpr std::string_view kPurgesPath = "/.meridian/purges";

io::Task<void> ServePurge(Purges& purges, http::Exchange& exchange);
io::Task<void> ServePurgePoll(Purges& purges, http::Exchange& exchange);

// The timeout in the query of kPurgePath, at most kMaxPurgeTimeout; none: the query is malformed.
std::optional<Duration> ReadPurgeTimeout(std::optional<std::string_view> query);

}  // namespace meridian::agent
