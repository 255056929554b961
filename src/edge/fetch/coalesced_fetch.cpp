#include "edge/fetch/coalesced_fetch.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "edge/cache/cache_key.hpp"
#include "edge/cache/storage/body.hpp"
#include "edge/cache/storage/optional_mutex.hpp"
#include "edge/cache/storage/stored_response.hpp"
#include "edge/limits.hpp"
#include "http/client/client_exchange.hpp"
#include "io/fiber.hpp"
#include "io/loop.hpp"
#include "io/task.hpp"
#include "io/threads/loop_signal.hpp"

namespace meridian::edge {
namespace {

using State = CoalescedFetch::State;

class BodyReader {
 public:
  BodyReader(const CoalescedFetchOptions& options, CoalescedFetch& fetch,
             http::ClientExchange& from)
      : options_(options), fetch_(fetch), from_(from), body_(*fetch.response->body) {}

  io::Task<State> Run() {
    Result<Bytes> data = from_.BodyAtHand();
    for (;;) {
      if (!data) co_return State::kBroken;
      Take(*data);
      if (from_.body_ended()) break;
      fetch_.WakeReaders();
      if (!co_await fetch_.KeepPace()) co_return State::kBroken;
      data = co_await from_.ReadBody();
    }
    if (!co_await AddTail()) co_return State::kBroken;
    // A body of another length than announced is not the announced representation.
    if (fetch_.length && body_.size() != *fetch_.length) co_return State::kBroken;
    fetch_.response->body->Complete();
    co_return State::kDone;
  }

 private:
  io::Task<bool> AddTail() {
    if (fetch_.tail == nullptr) co_return true;
    const Body& stored = *fetch_.tail->body;
    uint64_t at = fetch_.tail_from;
    if (body_.size() + (stored.size() - at) != fetch_.length) co_return false;
    while (at < stored.size()) {
      const Bytes data = stored.At(at);
      at += data.size();
      Take(data);
      fetch_.WakeReaders();
      if (!co_await fetch_.KeepPace()) co_return false;
    }
    co_return true;
  }

  void Take(Bytes data) {
    if (body_.counted()) {
      const bool too_large = body_.size() + data.size() > options_.max_object_bytes;
      size_t taken = too_large ? 0 : fetch_.Append(data, Expected());
      data = data.subspan(taken);
      if (data.empty()) return;
      if (too_large) {
        options_.too_large.Add(fetch_.key.view().hash, options_.loop.Now());
      }
      // The fetch goes on for its present readers; no request joins it.
      options_.table.Remove(fetch_);
      fetch_.StopCounting();
    }
    (void)fetch_.Append(data, 0);
  }

  uint64_t Expected() const {
    return fetch_.length.value_or(0) - std::min(body_.size(), fetch_.length.value_or(0));
  }

  const CoalescedFetchOptions& options_;
  CoalescedFetch& fetch_;
  http::ClientExchange& from_;
  const Body& body_;  // written on this loop alone, by the fetch
};

}  // namespace

CoalescedFetch::Reader::Reader(std::shared_ptr<CoalescedFetch> fetch, io::Loop& loop)
    : fetch_(std::move(fetch)), loop_(loop) {
  CoalescedFetch& of = *fetch_;
  const OptionalLock lock(of.mutex_);
  joined_ = !of.is_window_;
  if (!joined_) return;
  if (&loop != &of.home) {
    auto found = std::ranges::find_if(
        of.others_, [&](const std::shared_ptr<LoopReaders>& each) { return &each->loop == &loop; });
    if (found == of.others_.end()) {
      found = of.others_.insert(found, std::make_shared<LoopReaders>(loop));
    }
    waiting_ = *found;
    ++waiting_->readers;
  }
  of.readers_.push_back(this);
  of.ReleaseUnread();
}

CoalescedFetch::Reader::~Reader() {
  CoalescedFetch& fetch = *fetch_;
  bool last = false;
  {
    const OptionalLock lock(fetch.mutex_);
    if (waiting_ != nullptr) --waiting_->readers;
    last = std::erase(fetch.readers_, this) > 0 && fetch.readers_.empty();
  }
  fetch.WakeFetcher(loop_);
  if (!last || fetch.state() != State::kReceiving) return;
  if (&loop_ == &fetch.home) {
    fetch.CancelIfUnwanted();
  } else {
    fetch.home.Post([of = fetch_] { of->CancelIfUnwanted(); });
  }
}

Bytes CoalescedFetch::Reader::At(uint64_t offset) const {
  const Body& body = *fetch_->response->body;
  if (body.complete()) return body.At(offset);
  const OptionalLock lock(fetch_->mutex_);
  return body.At(offset);
}

void CoalescedFetch::Reader::Advance(uint64_t position) {
  {
    const OptionalLock lock(fetch_->mutex_);
    position_ = position;
  }
  fetch_->WakeFetcher(loop_);
}

void CoalescedFetch::WakeFetcher(io::Loop& loop) {
  if (&loop == &home) {
    if (!room_.empty()) room_.WakeAll();
    return;
  }
  {
    const OptionalLock lock(mutex_);
    if (!std::exchange(waits_for_room_, false)) return;
  }
  home.Post([fetch = shared_from_this()] { fetch->room_.WakeAll(); });
}

void CoalescedFetch::WakeReaders() {
  changed_.WakeAll();
  if (!mutex_.shared()) return;
  const OptionalLock lock(mutex_);
  for (const std::shared_ptr<LoopReaders>& each : others_) {
    if (each->readers > 0) each->signal.Notify();
  }
}

void CoalescedFetch::SetState(State next) {
  state_.store(next, std::memory_order_release);
  WakeReaders();
}

void CoalescedFetch::BeginReading(io::Fiber& fiber, UnreadFetches& unread,
                                  uint64_t max_object_bytes) {
  fiber_ = &fiber;
  const OptionalLock lock(mutex_);
  unread_ = &unread;
  max_object_bytes_ = max_object_bytes;
}

void CoalescedFetch::EndReading() {
  fiber_ = nullptr;
  const OptionalLock lock(mutex_);
  ReleaseUnread();
  unread_ = nullptr;
}

size_t CoalescedFetch::Append(Bytes data, uint64_t expected) {
  const OptionalLock lock(mutex_);
  return response->body->Append(data, expected);
}

void CoalescedFetch::StopCounting() {
  const OptionalLock lock(mutex_);
  response->body->StopCounting();
  is_window_ = true;
}

io::Task<bool> CoalescedFetch::KeepPace() {
  Body& body = *response->body;
  for (;;) {
    {
      const OptionalLock lock(mutex_);
      if (readers_.empty() && !ContinuesUnread()) co_return false;
      if (body.counted()) co_return true;
      const uint64_t needed = NeededFrom();
      body.ReleaseBefore(needed);
      if (body.size() - needed <= kFetchWindowBytes) co_return true;
      waits_for_room_ = true;
    }
    if (!co_await room_.Wait()) co_return false;
  }
}

uint64_t CoalescedFetch::NeededFrom() const {
  uint64_t needed = response->body->size();
  for (const Reader* reader : readers_) needed = std::min(needed, reader->position_);
  return needed;
}

bool CoalescedFetch::ContinuesUnread() {
  const Body& body = *response->body;
  if (!body.counted() || forbidden || unread_ == nullptr) return false;
  if (unread_bytes_) return true;
  const uint64_t whole = length.value_or(max_object_bytes_);
  const uint64_t missing = whole - std::min(whole, body.size());
  if (!unread_->Reserve(missing)) return false;
  unread_bytes_ = missing;
  return true;
}

void CoalescedFetch::ReleaseUnread() {
  if (unread_bytes_) unread_->Release(*unread_bytes_);
  unread_bytes_.reset();
}

void CoalescedFetch::CancelIfUnwanted() {
  if (fiber_ == nullptr || state() != State::kReceiving) return;
  {
    const OptionalLock lock(mutex_);
    if (!readers_.empty() || ContinuesUnread()) return;
  }
  fiber_->Cancel();
}

bool UnreadFetches::Reserve(uint64_t missing) {
  const OptionalLock lock(mutex_);
  const bool room = fetches_ < kMaxUnreadFetches && bytes_ <= kMaxUnreadFetchBytes &&
                    missing <= kMaxUnreadFetchBytes - bytes_;
  if (!room && fetches_ > 0) return false;
  ++fetches_;
  bytes_ += missing;
  return true;
}

void UnreadFetches::Release(uint64_t missing) {
  const OptionalLock lock(mutex_);
  --fetches_;
  bytes_ -= missing;
}

FetchTable::FetchTable(bool shared) {
  for (size_t i = 0; i < (shared ? kFetchTableParts : 1); ++i) {
    parts_.push_back(std::make_unique<Part>(shared));
  }
}

FetchTable::Joined FetchTable::FindOrAdd(
    const KeyView& key, const std::string& slot,
    const std::function<bool(CoalescedFetch&)>& may_join,
    const std::function<std::shared_ptr<CoalescedFetch>()>& make) {
  Part& part = PartOf(key);
  const OptionalLock lock(part.mutex);
  std::shared_ptr<CoalescedFetch>& at = part.fetches[slot];
  if (at != nullptr && may_join(*at)) return {.fetch = at, .is_new = false};
  at = make();
  return {.fetch = at, .is_new = true};
}

void FetchTable::Add(const std::shared_ptr<CoalescedFetch>& fetch) {
  Part& part = PartOf(fetch->key.view());
  const OptionalLock lock(part.mutex);
  part.fetches[fetch->slot] = fetch;
}

void FetchTable::Move(const std::shared_ptr<CoalescedFetch>& fetch, std::string slot) {
  Part& part = PartOf(fetch->key.view());
  std::shared_ptr<CoalescedFetch> replaced;  // freed without the mutex
  const OptionalLock lock(part.mutex);
  const auto found = part.fetches.find(fetch->slot);
  if (found != part.fetches.end() && found->second == fetch) part.fetches.erase(found);
  fetch->slot = std::move(slot);
  replaced = std::exchange(part.fetches[fetch->slot], fetch);
}

void FetchTable::Remove(const CoalescedFetch& fetch) {
  if (fetch.slot.empty()) return;
  Part& part = PartOf(fetch.key.view());
  std::shared_ptr<CoalescedFetch> removed;  // freed without the mutex
  const OptionalLock lock(part.mutex);
  auto found = part.fetches.find(fetch.slot);
  if (found == part.fetches.end() || found->second.get() != &fetch) return;
  removed = std::move(found->second);
  part.fetches.erase(found);
}

void FetchTable::Forbid(const KeyView& key) {
  std::string first = FetchSlot(KeyText(key), {}, {});
  Part& part = PartOf(key);
  const OptionalLock lock(part.mutex);
  auto at = part.fetches.lower_bound(first);
  while (at != part.fetches.end() && at->first.starts_with(first)) {
    at->second->forbidden = true;
    at = part.fetches.erase(at);
  }
}

std::string FetchSlot(std::string_view key, std::string_view vary, std::string_view variant) {
  // A line end is unambiguous: no key contains one.
  std::string slot(key);
  slot.append("\n").append(vary).append("\n").append(variant);
  return vary.empty() ? slot.substr(0, key.size() + 1) : slot;
}

std::string UnsharedFetchSlot(std::string_view key, uint64_t number) {
  // A shared slot has nothing after an empty line for Vary.
  return FetchSlot(key, {}, {}).append("\n").append(std::to_string(number));
}

io::Task<void> ReadBodyInto(CoalescedFetchOptions options, std::shared_ptr<CoalescedFetch> fetch,
                            std::unique_ptr<http::ClientExchange> from) {
  fetch->BeginReading(co_await io::ThisFiber{}, options.unread, options.max_object_bytes);
  BodyReader fiber(options, *fetch, *from);
  State state = co_await fiber.Run();
  fetch->EndReading();
  // The connection returns to the pool before a waiting request needs one.
  from.reset();
  const StoredResponse& response = *fetch->response;
  options.costs.CountFetch(response.kind, fetch->crosses,
                           response.lines.size() + response.body->size() -
                               std::min(fetch->stored_bytes, response.body->size()));
  const bool storable = state == State::kDone && fetch->response->body->counted();
  fetch->stored =
      storable && options.store.Store(fetch->key.view(), fetch->response,
                                      {.mark = fetch->mark, .forbidden = &fetch->forbidden});
  options.table.Remove(*fetch);
  fetch->SetState(state);
}

}  // namespace meridian::edge
