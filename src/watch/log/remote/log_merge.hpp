// LogMerge: one list of entries, in the order of time, from the pages of several data centers. An
// entry is given when no data center can have one before it. Pure; owned by one search.
//
//   LogMerge merge(query, sources);
//   while (!merge.done()) {
//     for (size_t source : merge.Wanted()) {
//       ... ask the data center merge.QueryOf(source), then merge.Put(source, page), or
//       merge.Remove(source) if it does not answer ...
//     }
//     for (MergedEntry& found : merge.Take()) ...
//   }
//
// MEMORY. One page of each source. A search for everything is shown page by page.
//
// A source that is removed leaves a gap, which its owner tells: entries of it that come later in
// the order are missing, those that it gave are not taken back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "base/result.hpp"
#include "watch/log/entry.hpp"
#include "watch/log/search/log_query.hpp"
#include "watch/log/search/log_search.hpp"

namespace meridian::watch {

struct MergedEntry {
  size_t source = 0;
  LogEntry entry;
};

class LogMerge {
 public:
  // `query.order` is by time (CHECK). `total`: entries that are given in all.
  LogMerge(LogQuery query, size_t sources, uint64_t total);

  // The sources whose next page is needed before Take gives more. They can be asked at once.
  std::vector<size_t> Wanted() const;
  // The query for the next page of `source`.
  LogQuery QueryOf(size_t source) const;
  // The answer to QueryOf(source), which must be wanted (CHECK). On an error the page is not taken,
  // and the source is removed. kTimeout: its time was over before it found anything or came
  // further. kInvalid: its entries are not in the order, or before those that it gave.
  Result<void> Put(size_t source, LogPage page);
  // Its entries that were put and not given are still given.
  void Remove(size_t source);

  // The entries that nothing can come before any more. Equal times: by source.
  std::vector<MergedEntry> Take();
  // Nothing is left, or `total` entries were given.
  bool done() const;
  // Whether there may be more than was given.
  bool has_more() const;

 private:
  struct Source {
    std::deque<LogEntry> entries;
    std::optional<LogPosition> after;
    bool ended = false;  // no page follows
  };

  Result<void> Check(const Source& source, const LogPage& page) const;
  LogPosition PositionIn(const LogEntry& entry) const;

  LogQuery query_;
  std::vector<Source> sources_;
  uint64_t left_;
};

}  // namespace meridian::watch
