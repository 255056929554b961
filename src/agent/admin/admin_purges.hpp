// What the admin port says about purges:
//
//   POST /.meridian/purge?wait=5000   site::PurgeOrder to site::PurgeReport; waits so many
//                                     milliseconds for the edges
//   POST /.meridian/purges            site::PurgePoll to site::PurgePollAnswer; waits for news
//
// 400: what was sent cannot be read. 503: it could not be written.
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

// What the query of kPurgePath asks for, at most kMaxPurgeTimeout; none: it says something else.
std::optional<Duration> ReadPurgeTimeout(std::optional<std::string_view> query);

}  // namespace meridian::agent
