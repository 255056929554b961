// The part of CacheHandler that looks at what fetches cost: whether better headers would have saved
// them.
#include <cstdint>
#include <optional>
#include <string>

#include "edge/cache/cache_key.hpp"
#include "edge/cache/content_kind.hpp"
#include "edge/cache/freshness.hpp"
#include "edge/cache/request_directives.hpp"
#include "edge/cache/stored_response.hpp"
#include "edge/cache/vary.hpp"
#include "edge/cache_handler.hpp"
#include "edge/costs.hpp"
#include "edge/fill.hpp"
#include "edge/forwarder.hpp"
#include "edge/trip.hpp"
#include "edge/waste.hpp"
#include "edge/wasteful_urls.hpp"
#include "wire/http/message.hpp"

namespace meridian::edge {
namespace {

using wire::http::ResponseHead;
using Stored = WasteInput::Stored;

Stored StoredOf(const StoredResponse* stale) {
  if (stale == nullptr) return Stored::kNone;
  return stale->validators.any() ? Stored::kWithValidator : Stored::kWithoutValidator;
}

}  // namespace

std::optional<Waste> CacheHandler::FindWaste(const KeyView& key, const ResponseHead& head,
                                             const StoredResponse* stale, WasteInput input) {
  input.status = head.status;
  input.stored = StoredOf(stale);
  if (head.status == 200) {
    const ResponseDirectives directives = DirectivesOf(head.fields);
    input.says_freshness = FreshnessLifetime(directives, head.fields, head.status,
                                             options_.loop.Wall(), options_.config.cache.heuristics)
                               .has_value();
    const WastefulUrls::Before before = costs_.wasteful().Remember(key.hash, ContentMark(head));
    input.asked_before = before.asked;
    input.same_as_before = before.same;
  }
  const std::string vary = ParseVary(head.fields).value_or("");
  input.vary = vary;
  return JudgeWaste(input);
}

void CacheHandler::NoteFetch(Trip& trip, const ResponseHead& head) {
  const bool confirms = head.status == 304 && trip.stale != nullptr;
  trip.content =
      confirms ? trip.stale->kind : ContentKindOf(head.fields.Find("Content-Type").value_or(""));
  const bool for_cache = trip.asked.bypass == Bypass::kNone && trip.key && !trip.asked.head;
  if (!for_cache || trip.judged) return;
  trip.judged = true;
  trip.waste = FindWaste(*trip.key, head, trip.stale.get(),
                         {.content = trip.content,
                          .storability = trip.storability,
                          .demanded = trip.status.forwarded == Forwarded::kRequest,
                          .other_variant = trip.status.forwarded == Forwarded::kVaryMiss});
}

void CacheHandler::NoteRevalidation(const Fill& fill, const StoredResponse& stale,
                                    const CacheRequest& asked, const Forwarding& forwarding) {
  if (forwarding.kind != Forwarding::Kind::kTaken) return;
  const ResponseHead& head = forwarding.taken->head();
  const KeyView key = fill.key.view();
  const Storability storability = maker_.Judge(asked, head);
  const auto waste =
      FindWaste(key, head, &stale, {.content = stale.kind, .storability = storability});
  using Framing = wire::http::BodyFraming::Kind;
  const bool has_length = head.body.kind == Framing::kContentLength && head.status == 200;
  const uint64_t bytes = has_length ? head.body.length : 0;
  if (waste) costs_.wasteful().Add(KeyText(key), *waste, stale.kind, bytes);
  // A body is counted where it is read, if it is.
  if (head.status == 304) costs_.CountFetch(stale.kind, forwarding.crosses, HeadBytes(head));
}

}  // namespace meridian::edge
