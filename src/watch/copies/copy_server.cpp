#include "watch/copies/copy_server.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "io/loop.hpp"
#include "io/net/stream.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "watch/copies/copy_frame.hpp"
#include "watch/copies/copy_lanes.hpp"
#include "watch/copies/limits.hpp"
#include "watch/log/entry.hpp"
#include "watch/log/log_store.hpp"
#include "watch/log/search/log_query.hpp"
#include "watch/log/search/log_search.hpp"

namespace meridian::watch {

struct CopyServer::Session {
  io::Stream& stream;
  io::Scope scope;
  CopyCursor cursor = {};
  bool gap = false;   // before the cursor, and no frame has said so yet
  uint64_t sent = 0;  // frames
  uint64_t taken = 0;
  io::WaitQueue taken_changed = {};

  // What is before it is not sent. A follower that begins misses nothing.
  void SkipTo(uint64_t sequence) {
    gap = gap || (cursor.rest > 0 && cursor.rest < sequence);
    cursor.rest = std::max(cursor.rest, sequence);
    cursor.urgent = std::max(cursor.urgent, sequence);
  }
};

namespace {

constexpr uint64_t kNanosecondsPerSecond = 1'000'000'000;

}  // namespace

io::Task<void> CopyServer::Serve(std::unique_ptr<io::Stream> stream,
                                 std::function<bool(std::string_view data_center)> allowed) {
  if (store_ == nullptr) co_return;
  Session session{.stream = *stream, .scope = io::Scope(loop_)};
  auto request = co_await ReadRequest(session);
  if (request && !allowed(request->data_center)) {
    request = Fail(Errc::kPermission, "its certificate is not that of \"{}\"",
                   request->data_center.substr(0, 64));
  }
  if (!request) {
    const bool wrong =
        request.error().code == Errc::kInvalid || request.error().code == Errc::kPermission;
    if (wrong && refused_.OnProblem(request.error().message, loop_.Now())) {
      LOG_WARNING("refused to send copies of lines", {"peer", stream->peer().ToString()},
                  {"problem", request.error().message});
    }
    co_return;
  }
  if (store_ == nullptr) co_return;
  session.cursor = request->from;
  session.cursor.urgent = std::max(session.cursor.urgent, session.cursor.rest);
  // The store was made anew, and has lower sequences. (Where they are higher, what was before them
  // has been removed.)
  if (session.cursor.urgent > store_->end_sequence()) {
    session.cursor = {};
    session.gap = true;
  }
  // What the follower would remove at once is not sent.
  session.SkipTo(store_->SequenceOfNewest(request->max_bytes));
  io::Stream*& of_peer = streams_[request->data_center];
  if (of_peer != nullptr) of_peer->Close();
  of_peer = stream.get();
  session.scope.Spawn(Send(session));
  session.scope.Spawn(ReadTaken(session));
  co_await session.scope.Join();
  auto found = streams_.find(request->data_center);
  if (found != streams_.end() && found->second == stream.get()) streams_.erase(found);
}

io::Task<Result<CopyRequest>> CopyServer::ReadRequest(Session& session) {
  Buffer in(kMaxCopyRequestBytes);
  const TimePoint deadline = session.scope.loop().After(kCopyDialTimeout);
  while (true) {
    auto request = TakeCopyRequest(in);
    if (!request) co_return Fail(std::move(request.error()));
    if (*request) co_return std::move(**request);
    auto got = co_await session.stream.Read(in.Prepare(kMaxCopyRequestBytes - in.size()), deadline);
    if (!got) co_return Fail(std::move(got.error()));
    if (*got == 0) co_return Fail(Errc::kClosed, "it closed the connection");
    in.Commit(*got);
  }
}

io::Task<void> CopyServer::ReadTaken(Session& session) {
  std::array<uint8_t, kCopyWindow> bytes{};
  while (true) {
    auto got = co_await session.stream.Read(bytes);
    if (!got || *got == 0) break;
    session.taken += *got;
    if (session.taken > session.sent) break;
    session.taken_changed.WakeAll();
  }
  session.scope.Cancel();
}

io::Task<void> CopyServer::Send(Session& session) {
  co_await SendFrames(session);
  session.scope.Cancel();
}

io::Task<void> CopyServer::SendFrames(Session& session) {
  TimePoint heartbeat = loop_.Now();
  while (true) {
    while (session.sent - session.taken >= kCopyWindow) {
      if (!co_await session.taken_changed.Wait(loop_.After(kCopyTakeTimeout))) co_return;
    }
    if (store_ == nullptr) co_return;
    auto frame = co_await NextFrame(session);
    if (!frame) {
      // Too many search; or this fiber has been cancelled, or the store is being closed.
      if (!co_await io::Sleep(kCopyInterval)) co_return;
      continue;
    }
    if (store_ == nullptr) co_return;
    session.cursor = frame->cursor;
    frame->gap = frame->gap || session.gap;
    if (!frame->gap && frame->page.entries.empty() && frame->current && loop_.Now() < heartbeat) {
      auto woken = co_await store_->AwaitEntry(session.cursor.rest, heartbeat);
      if (!woken && woken.error().code != Errc::kTimeout) co_return;
      continue;
    }
    frame->kept = store_->kept_sequence();
    frame->first = store_->first_sequence();
    session.gap = false;
    const std::string text = EncodeCopyFrame(*frame);
    ++session.sent;  // before it can be taken
    auto sent = co_await session.stream.Write(AsBytes(text), loop_.After(kCopyTakeTimeout));
    if (!sent) co_return;
    heartbeat = loop_.After(kCopyHeartbeat);
    const auto pause = std::chrono::nanoseconds(
        static_cast<int64_t>(text.size() * kNanosecondsPerSecond / kCopyBytesPerSecond));
    if (!co_await io::Sleep(std::max<Duration>(pause, kCopyInterval))) co_return;
  }
}

// Urgent entries go first where not all are sent at once. Among many errors of the application they
// may take several searches to be found.
io::Task<Result<CopyFrame>> CopyServer::NextFrame(Session& session) {
  Result<void> turn = co_await AwaitTurn();
  if (!turn) co_return Fail(std::move(turn.error()));
  session.SkipTo(store_->removed_sequence());  // at the moment that the search sees
  CopyCursor cursor = session.cursor;
  const LogTime searched = ToLogTime(loop_.Wall());
  auto page = co_await Search(RestQuery(cursor));
  if (!page) co_return Fail(std::move(page.error()));
  // What is removed during the search may not be on its page.
  if (cursor.rest < store_->removed_sequence()) session.gap = true;
  const TimePoint until = loop_.After(kUrgentSearchTime);
  while (page->next && cursor.urgent < page->end_sequence && loop_.Now() < until) {
    turn = co_await AwaitTurn();
    if (!turn) co_return Fail(std::move(turn.error()));
    auto urgent = co_await Search(UrgentQuery(cursor));
    if (!urgent) co_return Fail(std::move(urgent.error()));
    CopyFrame frame = UrgentFrame(cursor, std::move(*urgent));
    if (!frame.page.entries.empty()) co_return frame;
    cursor = frame.cursor;
  }
  CopyFrame frame = RestFrame(cursor, std::move(*page));
  frame.searched = searched;
  co_return frame;
}

io::Task<Result<void>> CopyServer::AwaitTurn() {
  const TimePoint deadline = loop_.After(kCopySearchTime);
  while (searching_ >= kMaxCopySearches) {
    Result<void> waited = co_await search_ended_.Wait(deadline);
    if (!waited) co_return waited;
  }
  if (store_ == nullptr) co_return Fail(Errc::kCancelled, "the log store is being closed");
  co_return Result<void>{};
}

io::Task<Result<LogPage>> CopyServer::Search(LogQuery query) {
  ++searching_;
  auto page = co_await store_->Search(std::move(query), loop_.After(kCopySearchTime));
  --searching_;
  search_ended_.WakeOne();
  if (store_ == nullptr) co_return Fail(Errc::kCancelled, "the log store is being closed");
  co_return page;
}

}  // namespace meridian::watch
