#include "edge/fetch/coalesced_fetch.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "edge/cache/storage/body.hpp"
#include "edge/cache/storage/stored_response.hpp"
#include "edge/limits.hpp"
#include "http/client/client_exchange.hpp"
#include "io/fiber.hpp"
#include "io/task.hpp"

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
      fetch_.changed.WakeAll();
      if (!co_await KeepPace()) co_return State::kBroken;
      data = co_await from_.ReadBody();
    }
    if (!co_await AddTail()) co_return State::kBroken;
    // A body of another length than announced is not the announced representation.
    if (fetch_.length && body_.size() != *fetch_.length) co_return State::kBroken;
    body_.Complete();
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
      fetch_.changed.WakeAll();
      if (!co_await KeepPace()) co_return false;
    }
    co_return true;
  }

  void Take(Bytes data) {
    if (body_.counted()) {
      const bool too_large = body_.size() + data.size() > options_.max_object_bytes;
      size_t taken = too_large ? 0 : body_.Append(data, Expected());
      data = data.subspan(taken);
      if (data.empty()) return;
      if (too_large) {
        options_.too_large.Add(fetch_.key.view().hash, options_.loop.Now());
      }
      // The fetch goes on for its present readers; no request joins it.
      body_.StopCounting();
      options_.table.Remove(fetch_);
    }
    (void)body_.Append(data, 0);
  }

  uint64_t Expected() const {
    return fetch_.length.value_or(0) - std::min(body_.size(), fetch_.length.value_or(0));
  }

  // Waits while the slowest reader of a body that is not stored is too far behind. False: no reader
  // is left.
  io::Task<bool> KeepPace() {
    for (;;) {
      if (fetch_.readers.empty() && !fetch_.ContinuesUnread()) co_return false;
      if (body_.counted()) co_return true;
      uint64_t needed = fetch_.NeededFrom();
      body_.ReleaseBefore(needed);
      if (body_.size() - needed <= kFetchWindowBytes) co_return true;
      if (!co_await fetch_.room.Wait()) co_return false;
    }
  }

  const CoalescedFetchOptions& options_;
  CoalescedFetch& fetch_;
  http::ClientExchange& from_;
  Body& body_;
};

}  // namespace

CoalescedFetch::Reader::Reader(std::shared_ptr<CoalescedFetch> fetch) : fetch_(std::move(fetch)) {
  fetch_->readers.push_back(this);
  fetch_->ReleaseUnread();
}

CoalescedFetch::Reader::~Reader() {
  std::erase(fetch_->readers, this);
  fetch_->room.WakeAll();
  bool unwanted = fetch_->state == State::kReceiving && fetch_->readers.empty();
  if (unwanted && fetch_->fiber != nullptr && !fetch_->ContinuesUnread()) fetch_->fiber->Cancel();
}

void CoalescedFetch::Reader::Advance(uint64_t position) {
  position_ = position;
  if (!fetch_->room.empty()) fetch_->room.WakeAll();
}

uint64_t CoalescedFetch::NeededFrom() const {
  uint64_t needed = response->body->size();
  for (const Reader* reader : readers) needed = std::min(needed, reader->position());
  return needed;
}

bool UnreadFetches::Reserve(uint64_t missing) {
  const bool room = fetches_ < kMaxUnreadFetches && bytes_ <= kMaxUnreadFetchBytes &&
                    missing <= kMaxUnreadFetchBytes - bytes_;
  if (!room && fetches_ > 0) return false;
  ++fetches_;
  bytes_ += missing;
  return true;
}

void UnreadFetches::Release(uint64_t missing) {
  --fetches_;
  bytes_ -= missing;
}

bool CoalescedFetch::ContinuesUnread() {
  const Body& body = *response->body;
  if (!body.counted() || forbidden || unread == nullptr) return false;
  if (unread_bytes) return true;
  const uint64_t whole = length.value_or(max_object_bytes);
  const uint64_t missing = whole - std::min(whole, body.size());
  if (!unread->Reserve(missing)) return false;
  unread_bytes = missing;
  return true;
}

void CoalescedFetch::ReleaseUnread() {
  if (unread_bytes) unread->Release(*unread_bytes);
  unread_bytes.reset();
}

void CoalescedFetch::SetState(State next) {
  state = next;
  changed.WakeAll();
}

std::shared_ptr<CoalescedFetch> FetchTable::Find(const std::string& slot) const {
  auto found = fetches_.find(slot);
  return found == fetches_.end() ? nullptr : found->second;
}

void FetchTable::Remove(const CoalescedFetch& fetch) {
  auto found = fetches_.find(fetch.slot);
  if (found != fetches_.end() && found->second.get() == &fetch) fetches_.erase(found);
}

void FetchTable::Forbid(std::string_view key) {
  std::string first = FetchSlot(key, {}, {});
  auto at = fetches_.lower_bound(first);
  while (at != fetches_.end() && at->first.starts_with(first)) {
    at->second->forbidden = true;
    at = fetches_.erase(at);
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
  fetch->fiber = &co_await io::ThisFiber{};
  fetch->unread = &options.unread;
  fetch->max_object_bytes = options.max_object_bytes;
  BodyReader fiber(options, *fetch, *from);
  State state = co_await fiber.Run();
  fetch->fiber = nullptr;
  fetch->ReleaseUnread();
  fetch->unread = nullptr;
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
