// StoredResponse: a response as the cache keeps it, with all that is needed to judge and send it
// again. Its field lines stand ready to be sent. Shared by the index and whoever is sending it; one
// thread. Only its freshness ever changes (a soft purge or a HEAD makes it stale); what a 304
// confirms is a new one with the same body.
#pragma once

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
  // "Name: value\r\n" for each field that is sent on, Date among them; not Age, nor what frames.
  std::string lines;
  // The same for a 304: those of the fields that it repeats.
  std::string lines_of_304;
  std::string content_type;
  ContentKind kind = ContentKind::kOther;  // by that
  Validators validators;                   // views into `lines`
  wire::http::CacheControl control;
  Freshness freshness;
  std::string vary;     // as ParseVary gives it
  std::string variant;  // as VariantKey gives it, for the request that this answered
  std::string codings;  // as CodingsOf gives them
  // Sorted by nothing; views into `lines`.
  std::vector<std::string_view> tags;
  // It answered a request with cookies, and was not public; so did what it confirms.
  bool by_cookie = false;
  std::optional<Piece> piece;  // what `body` is, when it is not the whole; the status is 206
  std::shared_ptr<Body> body;
  Charge charge;  // for all of it but the body

  // The fields of `lines`, as views.
  wire::http::HeaderFields ParseLines() const;
  bool confirmed_each_time() const { return IsConfirmedEachTime(freshness, control); }
  // Whether it answers a request with this VariantKey, made for `vary`.
  bool Answers(std::string_view asked) const {
    return VariantAnswers({.names = vary, .key = variant, .codings = codings}, asked);
  }
  // What the memory of this comes to, the body apart.
  size_t MemoryBytes() const;
};

struct StoredResponseInput {
  int status = 200;
  const wire::http::HeaderFields& fields;   // that are sent on
  const wire::http::HeaderFields& request;  // what Vary is held against
  wire::http::CacheControl control;
  Freshness freshness;
  WallTime received;  // for a Date that is missing
  std::shared_ptr<Body> body;
  std::optional<Piece> piece = {};
  // What this confirms or completes, whose variant it is as long as it varies by the same. May be
  // null.
  const StoredResponse* confirms = nullptr;
};

// Null: the budget has no room for it, or what it varies by is too long. `fields` were parsed, so
// that they can be written.
std::shared_ptr<StoredResponse> MakeStoredResponse(const StoredResponseInput& input,
                                                   const std::shared_ptr<ByteBudget>& budget);

}  // namespace meridian::edge
