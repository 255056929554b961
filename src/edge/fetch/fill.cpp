#include "edge/fetch/fill.hpp"

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

using State = Fill::State;

class Filler {
 public:
  Filler(const FillOptions& options, Fill& fill, http::ClientExchange& from)
      : options_(options), fill_(fill), from_(from), body_(*fill.response->body) {}

  io::Task<State> Run() {
    Result<Bytes> data = from_.BodyAtHand();
    for (;;) {
      if (!data) co_return State::kBroken;
      Take(*data);
      if (from_.body_ended()) break;
      fill_.changed.WakeAll();
      if (!co_await KeepPace()) co_return State::kBroken;
      data = co_await from_.ReadBody();
    }
    if (!co_await AddTail()) co_return State::kBroken;
    // More or less than was said would be a piece of something else.
    if (fill_.length && body_.size() != *fill_.length) co_return State::kBroken;
    body_.Complete();
    co_return State::kDone;
  }

 private:
  io::Task<bool> AddTail() {
    if (fill_.tail == nullptr) co_return true;
    const Body& stored = *fill_.tail->body;
    uint64_t at = fill_.tail_from;
    if (body_.size() + (stored.size() - at) != fill_.length) co_return false;
    while (at < stored.size()) {
      const Bytes data = stored.At(at);
      at += data.size();
      Take(data);
      fill_.changed.WakeAll();
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
        options_.too_large.Add(fill_.key.view().hash, options_.loop.Now());
      }
      // It goes on to those who read it already, and to nobody else.
      body_.StopCounting();
      options_.table.Remove(fill_);
    }
    (void)body_.Append(data, 0);
  }

  uint64_t Expected() const {
    return fill_.length.value_or(0) - std::min(body_.size(), fill_.length.value_or(0));
  }

  // Waits while the slowest reader of what is not stored is too far behind. False: nobody wants it.
  io::Task<bool> KeepPace() {
    for (;;) {
      if (fill_.readers.empty() && !fill_.GoesOnUnread()) co_return false;
      if (body_.counted()) co_return true;
      uint64_t needed = fill_.NeededFrom();
      body_.ReleaseBefore(needed);
      if (body_.size() - needed <= kFillWindowBytes) co_return true;
      if (!co_await fill_.room.Wait()) co_return false;
    }
  }

  const FillOptions& options_;
  Fill& fill_;
  http::ClientExchange& from_;
  Body& body_;
};

}  // namespace

Fill::Reader::Reader(std::shared_ptr<Fill> fill) : fill_(std::move(fill)) {
  fill_->readers.push_back(this);
  fill_->GiveUnread();
}

Fill::Reader::~Reader() {
  std::erase(fill_->readers, this);
  fill_->room.WakeAll();
  bool unwanted = fill_->state == State::kArriving && fill_->readers.empty();
  if (unwanted && fill_->filler != nullptr && !fill_->GoesOnUnread()) fill_->filler->Cancel();
}

void Fill::Reader::Advance(uint64_t position) {
  position_ = position;
  if (!fill_->room.empty()) fill_->room.WakeAll();
}

uint64_t Fill::NeededFrom() const {
  uint64_t needed = response->body->size();
  for (const Reader* reader : readers) needed = std::min(needed, reader->position());
  return needed;
}

bool UnreadFills::Take(uint64_t missing) {
  const bool room = fills_ < kMaxUnreadFills && bytes_ <= kMaxUnreadFillBytes &&
                    missing <= kMaxUnreadFillBytes - bytes_;
  if (!room && fills_ > 0) return false;
  ++fills_;
  bytes_ += missing;
  return true;
}

void UnreadFills::Give(uint64_t missing) {
  --fills_;
  bytes_ -= missing;
}

bool Fill::GoesOnUnread() {
  const Body& body = *response->body;
  if (!body.counted() || forbidden || unread == nullptr) return false;
  if (unread_bytes) return true;
  const uint64_t whole = length.value_or(max_object_bytes);
  const uint64_t missing = whole - std::min(whole, body.size());
  if (!unread->Take(missing)) return false;
  unread_bytes = missing;
  return true;
}

void Fill::GiveUnread() {
  if (unread_bytes) unread->Give(*unread_bytes);
  unread_bytes.reset();
}

void Fill::Become(State next) {
  state = next;
  changed.WakeAll();
}

std::shared_ptr<Fill> FillTable::Find(const std::string& slot) const {
  auto found = fills_.find(slot);
  return found == fills_.end() ? nullptr : found->second;
}

void FillTable::Remove(const Fill& fill) {
  auto found = fills_.find(fill.slot);
  if (found != fills_.end() && found->second.get() == &fill) fills_.erase(found);
}

void FillTable::Forbid(std::string_view key) {
  std::string first = FillSlot(key, {}, {});
  auto at = fills_.lower_bound(first);
  while (at != fills_.end() && at->first.starts_with(first)) {
    at->second->forbidden = true;
    at = fills_.erase(at);
  }
}

std::string FillSlot(std::string_view key, std::string_view vary, std::string_view variant) {
  // No key has a line end.
  std::string slot(key);
  slot.append("\n").append(vary).append("\n").append(variant);
  return vary.empty() ? slot.substr(0, key.size() + 1) : slot;
}

std::string LoneFillSlot(std::string_view key, uint64_t number) {
  // After an empty line: no Vary is.
  return FillSlot(key, {}, {}).append("\n").append(std::to_string(number));
}

io::Task<void> FillBody(FillOptions options, std::shared_ptr<Fill> fill,
                        std::unique_ptr<http::ClientExchange> from) {
  fill->filler = &co_await io::ThisFiber{};
  fill->unread = &options.unread;
  fill->max_object_bytes = options.max_object_bytes;
  Filler filler(options, *fill, *from);
  State state = co_await filler.Run();
  fill->filler = nullptr;
  fill->GiveUnread();
  fill->unread = nullptr;
  // A connection that is done with goes back before anybody asks for another.
  from.reset();
  const StoredResponse& response = *fill->response;
  options.costs.CountFetch(response.kind, fill->crosses,
                           response.lines.size() + response.body->size() -
                               std::min(fill->had_bytes, response.body->size()));
  const bool storable =
      state == State::kDone && fill->response->body->counted() && !fill->forbidden;
  fill->stored = storable && options.store.Store(fill->key.view(), fill->response, fill->mark);
  options.table.Remove(*fill);
  fill->Become(state);
}

}  // namespace meridian::edge
