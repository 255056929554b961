// What goes first to another data center's copy when there is more than the link takes: warnings
// and errors of Meridian's own processes, which say why a data center died. Pure; any thread.
#pragma once

#include "watch/copies/copy_frame.hpp"
#include "watch/log/entry.hpp"
#include "watch/log/search/log_query.hpp"
#include "watch/log/search/log_search.hpp"

namespace meridian::watch {

// Of the application and its workers nothing is: they may print anything, and much of it.
bool IsUrgent(const LogEntry& entry);

// The next page of all entries, and the next page of those that may be urgent.
LogQuery RestQuery(const CopyCursor& cursor);
LogQuery UrgentQuery(const CopyCursor& cursor);

// The frame that a page of UrgentQuery makes: of its urgent entries.
CopyFrame UrgentFrame(CopyCursor cursor, LogPage page);
// The frame that a page of RestQuery makes: without the urgent entries that were sent before.
CopyFrame RestFrame(CopyCursor cursor, LogPage page);

}  // namespace meridian::watch
