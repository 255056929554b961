// StoredResponse: a response in the cache, with its field lines ready to be sent. Shared by the
// index and the requests that send it, on all loops. It does not change after it was made, except
// for atomics: its freshness (a soft purge or a HEAD makes it stale), and what became of it in the
// store. A 304 makes a new StoredResponse with the same body.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "edge/cache/freshness.hpp"
#include "edge/cache/piece.hpp"
#include "edge/cache/stale.hpp"
#include "edge/cache/storage/body.hpp"
#include "edge/cache/storage/content_kind.hpp"
#include "edge/cache/validation.hpp"
#include "edge/cache/vary.hpp"
#include "wire/http/fields/cache_control.hpp"
#include "wire/http/message.hpp"

namespace meridian::edge {

struct StoredResponse {
  explicit StoredResponse(std::shared_ptr<ByteBudget> budget) : charge(std::move(budget)) {}

  int status = 200;
  // "Name: value\r\n" for each field that is sent on, with Date, without Age, framing fields, and
  // ids of the request.
  std::string lines;
  // The same for a 304: the fields of BelongsIn304.
  std::string lines_of_304;
  std::string content_type;
  ContentKind kind = ContentKind::kOther;  // of content_type
  Validators validators;                   // views into `lines`
  wire::http::CacheControl control;
  SharedFreshness freshness;
  // It has left the store: evicted, purged or replaced.
  std::atomic<bool> removed = false;
  // A newer response of its URL answers requests with its `variant`, or has another Vary, so that
  // they must be compared: such requests are for the store to answer.
  std::atomic<bool> superseded = false;
  // A loop served it without the store, which counts as use when a response is to be evicted.
  std::atomic<bool> was_hot = false;
  std::string vary;     // by ParseVary
  std::string variant;  // by VariantKey, for the request that this answered
  std::string codings;  // by CodingsOf
  // In no order; views into `lines`.
  std::vector<std::string_view> tags;
  // The request had cookies and the response was not public; inherited by a validated response.
  bool by_cookie = false;
  std::optional<Piece> piece;  // the range in `body` when that is not the whole; the status is 206
  std::shared_ptr<Body> body;
  Charge charge;  // for all memory but the body's

  // The fields of `lines`, as views.
  wire::http::HeaderFields ParseLines() const;
  bool needs_validation_each_time() const { return NeedsValidationEachTime(freshness, control); }
  // Whether it answers a request with this VariantKey, made for `vary`.
  bool Answers(std::string_view asked) const {
    return VariantAnswers({.names = vary, .key = variant, .codings = codings}, asked);
  }
  // The memory in use, without the body.
  size_t MemoryBytes() const;
};

struct StoredResponseInput {
  int status = 200;
  const wire::http::HeaderFields& fields;   // that are sent on
  const wire::http::HeaderFields& request;  // selecting fields for Vary
  wire::http::CacheControl control;
  Freshness freshness;
  WallTime received;  // replaces a missing Date
  std::shared_ptr<Body> body;
  std::optional<Piece> piece = {};
  // The stored response that this one updates or completes; may be null. Its variant is kept when
  // Vary is the same.
  const StoredResponse* confirms = nullptr;
};

// Null: the budget has no room, or VariantKey is too long. `fields` come from the parser, so that
// they are valid.
std::shared_ptr<StoredResponse> MakeStoredResponse(const StoredResponseInput& input,
                                                   const std::shared_ptr<ByteBudget>& budget);

}  // namespace meridian::edge
