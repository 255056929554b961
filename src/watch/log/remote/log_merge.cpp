#include "watch/log/remote/log_merge.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "base/result.hpp"
#include "watch/log/entry.hpp"
#include "watch/log/search/log_query.hpp"
#include "watch/log/search/log_search.hpp"

namespace meridian::watch {

LogMerge::LogMerge(LogQuery query, size_t sources, uint64_t total)
    : query_(std::move(query)), sources_(sources), left_(total) {
  CHECK(query_.order != LogOrder::kArrival);
}

LogPosition LogMerge::PositionIn(const LogEntry& entry) const {
  return PositionOf(entry.time, entry.sequence, query_.order);
}

std::vector<size_t> LogMerge::Wanted() const {
  std::vector<size_t> wanted;
  if (left_ == 0) return wanted;
  for (size_t i = 0; i < sources_.size(); ++i) {
    if (sources_[i].entries.empty() && !sources_[i].ended) wanted.push_back(i);
  }
  return wanted;
}

LogQuery LogMerge::QueryOf(size_t source) const {
  LogQuery query = query_;
  query.after = sources_[source].after;
  query.limit = std::min<uint64_t>(query.limit, std::max<uint64_t>(left_, 1));
  return query;
}

// A source that is wrong here would make the search endless, or its order wrong.
Result<void> LogMerge::Check(const Source& source, const LogPage& page) const {
  std::optional<LogPosition> last = source.after;
  for (const LogEntry& entry : page.entries) {
    const LogPosition position = PositionIn(entry);
    if (last && position <= *last) return Fail(Errc::kInvalid, "its entries are not in order");
    last = position;
  }
  if (!page.next || !page.entries.empty()) return {};
  if (!page.timed_out) return Fail(Errc::kInvalid, "its page is empty and not the last one");
  if (last && *page.next <= *last) {
    return Fail(Errc::kTimeout, "it found nothing and came no further in its time");
  }
  return {};
}

Result<void> LogMerge::Put(size_t source, LogPage page) {
  Source& into = sources_[source];
  CHECK(into.entries.empty() && !into.ended);
  if (Result<void> good = Check(into, page); !good) {
    into.ended = true;
    return good;
  }
  into.ended = !page.next;
  // Never back, or entries would be given twice.
  if (page.next) into.after = std::max(into.after.value_or(*page.next), *page.next);
  if (!page.entries.empty()) {
    const LogPosition last = PositionIn(page.entries.back());
    into.after = std::max(into.after.value_or(last), last);
  }
  into.entries.assign(std::make_move_iterator(page.entries.begin()),
                      std::make_move_iterator(page.entries.end()));
  return {};
}

void LogMerge::Remove(size_t source) { sources_[source].ended = true; }

std::vector<MergedEntry> LogMerge::Take() {
  std::vector<MergedEntry> taken;
  while (left_ > 0 && Wanted().empty()) {
    Source* first = nullptr;
    for (Source& source : sources_) {
      if (source.entries.empty()) continue;
      // Sequences of two data centers say nothing of each other.
      if (first == nullptr ||
          PositionIn(source.entries.front()).rank < PositionIn(first->entries.front()).rank) {
        first = &source;
      }
    }
    if (first == nullptr) break;
    taken.push_back({.source = static_cast<size_t>(first - sources_.data()),
                     .entry = std::move(first->entries.front())});
    first->entries.pop_front();
    --left_;
  }
  return taken;
}

bool LogMerge::done() const { return left_ == 0 || !has_more(); }

bool LogMerge::has_more() const {
  return std::ranges::any_of(
      sources_, [](const Source& source) { return !source.entries.empty() || !source.ended; });
}

}  // namespace meridian::watch
