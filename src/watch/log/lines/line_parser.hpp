// ParseLine: what a line of a log, or several that are one entry, says about itself: time, level,
// trace id and message. Pure; any thread.
//
// A JSON object: the first member of each list, if its value is of use, is taken:
//   time     time, timestamp, ts, @timestamp, t      text, or a number since 1970
//   level    level, severity, lvl, loglevel, log.level
//   message  message, msg, event                     text
//   trace    trace_id, traceId, traceid, trace.id, traceparent
// Time, level and message are taken out; the other members stay as they were written, in `fields`.
// Everything else, also JSON that cannot be parsed, is plain text: its time is at its front, its
// level and trace id are looked for in the first kExaminedBytes, and nothing is taken out.
#pragma once

#include <string_view>

#include "watch/log/entry.hpp"

namespace meridian::watch {

// `text` is printable (AppendPrintable). A time that is not believed is left where it was.
LogLine ParseLine(std::string_view text, LogTime arrival);

// Whether `line` may be a JSON object: such a line is an entry of its own.
bool LooksLikeJson(std::string_view line);

}  // namespace meridian::watch
