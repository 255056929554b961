// The searching half of LogStore.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/blocking.hpp"
#include "io/fiber.hpp"
#include "io/loop.hpp"
#include "io/task.hpp"
#include "watch/log/limits.hpp"
#include "watch/log/log_store.hpp"
#include "watch/log/search/log_query.hpp"
#include "watch/log/search/log_search.hpp"
#include "watch/log/segment/segment_writer.hpp"

namespace meridian::watch {

LogView LogStore::View() const {
  LogView view;
  view.segments.assign(segments_.begin(), segments_.end());
  auto add_open = [&](const OpenSegment& open) {
    view.open_files.push_back(
        {.path = open.writer->paths().log, .number = open.writer->number(), .blocks = open.blocks});
  };
  for (const auto& open : closing_) add_open(*open);
  if (open_) add_open(*open_);
  view.raw_blocks.assign(waiting_.begin(), waiting_.end());
  if (pending_.lines() > 0) {
    view.raw_blocks.push_back(std::make_shared<RawBlock>(RawBlock{.segment = segment_,
                                                                  .first_line = first_line_,
                                                                  .range = pending_.range(),
                                                                  .raw = pending_.Encode()}));
  }
  view.problems = problems_;
  view.end_sequence = end_sequence();
  return view;
}

io::Task<Result<LogPage>> LogStore::Search(LogQuery query, TimePoint deadline) {
  if (searches_ >= kMaxSearches) {
    co_return Fail(Errc::kUnavailable, "{} searches of the log run already", searches_);
  }
  struct Running {
    size_t& count;
    explicit Running(size_t& searches) : count(searches) { ++count; }
    ~Running() { --count; }
  } running(searches_);
  io::Fiber& fiber = co_await io::ThisFiber{};
  deadline = std::min({deadline, fiber.limit(), loop_.After(kMaxSearchTime)});
  LogSearch search(std::move(query), View());
  const Clock& clock = loop_.driver();
  for (;;) {
    if (fiber.cancelled()) co_return Fail(Errc::kCancelled, "the search was cancelled");
    bool done = co_await io::RunBlocking(
        pool_, [&] { return search.Step(clock, clock.Now() + kSearchSlice); });
    if (done || loop_.Now() >= deadline) break;
  }
  co_return search.TakePage();
}

io::Task<Result<void>> LogStore::AwaitEntry(uint64_t sequence, TimePoint deadline) {
  while (end_sequence() <= sequence) {
    Result<void> woken = co_await arrivals_.Wait(deadline);
    if (!woken) co_return woken;
  }
  co_return Result<void>{};
}

}  // namespace meridian::watch
