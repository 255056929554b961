// A search of the log as JSON, between the data center that asks and the one that keeps the lines:
// one query, answered with one page. The page says where the next query goes on, so nobody keeps
// a search open.
//
//   {"dc": "us-east", "level": 4, "limit": 500, "order": "newest", "terms": ["refused"], ...}
//   {"end": 17, "entries": [{"text": "...", "time": 1795224138000000, ...}], "next": {...}, ...}
//
// Times are microseconds since the Unix epoch. What is empty is left out. Pure; any thread.
//
// STRICT. A query with a member that is not known is refused: an older data center that ignored a
// filter would answer with wrong lines. Unknown members of a page are ignored. Whatever a peer
// sends, the entries that are read keep what entry.hpp promises of their texts: they can be shown
// in a terminal.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "watch/log/search/log_query.hpp"
#include "watch/log/search/log_search.hpp"

namespace meridian::watch {

std::string ToJson(const LogQuery& query);
// kInvalid: not a query, with the member and what is wrong. kTooLarge: past a limit of a query.
Result<LogQuery> ReadLogQuery(std::string_view json);

// At most kMaxPageMessageBytes: entries that would pass it are left to the next page, in `order`.
std::string ToJson(const LogPage& page, LogOrder order);
// kInvalid, kTooLarge, as above.
Result<LogPage> ReadLogPage(std::string_view json);

}  // namespace meridian::watch
