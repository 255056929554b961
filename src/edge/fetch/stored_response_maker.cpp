#include "edge/fetch/stored_response_maker.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "edge/cache/cache_key.hpp"
#include "edge/cache/freshness.hpp"
#include "edge/cache/limits.hpp"
#include "edge/cache/piece.hpp"
#include "edge/cache/storability.hpp"
#include "edge/cache/storage/body.hpp"
#include "edge/cache/storage/found_response.hpp"
#include "edge/cache/storage/stored_response.hpp"
#include "edge/cache/validation.hpp"
#include "edge/cache/vary.hpp"
#include "edge/fetch/coalesced_fetch.hpp"
#include "edge/fetch/routes.hpp"
#include "http/relay.hpp"
#include "site/tier/internal_fields.hpp"
#include "wire/http/message.hpp"

namespace meridian::edge {
namespace {

// Copies the first `count` bytes; the body will have `expected`. False: there is no room.
bool AppendFrom(const Body& from, uint64_t count, uint64_t expected, Body& to) {
  while (to.size() < count) {
    Bytes data = from.At(to.size());
    data = data.first(static_cast<size_t>(std::min<uint64_t>(data.size(), count - to.size())));
    if (to.Append(data, expected - to.size()) != data.size()) return false;
  }
  return true;
}

}  // namespace

using wire::http::HeaderFields;
using wire::http::ResponseHead;

HeaderFields EndToEndFields(const ResponseHead& head) {
  HeaderFields fields;
  fields.Reserve(head.fields.size() + 1);
  http::CopyForwardable(head.fields, head.nominates_fields, &fields);
  fields.Add("Via", ViaEntry(head.minor_version));
  site::RemoveInternalFields(fields);
  return fields;
}

Storability StoredResponseMaker::Judge(const RequestContext& asking,
                                       const ResponseHead& head) const {
  ResponseDirectives directives = DirectivesOf(head.fields);
  return JudgeStorability(
      {.request = asking.asked,
       .response = head,
       .directives = directives,
       .lifetime = FreshnessLifetime(directives, head.fields, head.status, loop_.Wall(),
                                     config_.cache.heuristics),
       .rules = {.max_object_bytes = config_.cache.max_object_bytes,
                 .errors = config_.cache.store_errors,
                 // At the CDN's host cookies are dropped, so that none can be shared.
                 .set_cookie = config_.cache.store_set_cookie || asking.without_cookies}});
}

bool StoredResponseMaker::SaysFreshness(const ResponseHead& head) const {
  return FreshnessLifetime(DirectivesOf(head.fields), head.fields, head.status, loop_.Wall(), false)
      .has_value();
}

Freshness StoredResponseMaker::FreshnessOf(const HeaderFields& answer, TimePoint asked_at,
                                           std::optional<Duration> lifetime) {
  TimePoint now = loop_.Now();
  return {.received = now,
          .initial_age = InitialAge(answer, loop_.Wall(), now - asked_at),
          .lifetime = Jittered(lifetime.value_or(Duration::zero()), random_.Next())};
}

Storability StoredResponseMaker::Begin(const RequestContext& asking, const ResponseHead& head,
                                       CoalescedFetch& fetch) {
  HeaderFields fields = EndToEndFields(head);
  if (asking.without_cookies) fields.Remove("Set-Cookie");
  ResponseDirectives directives = DirectivesOf(head.fields);
  auto lifetime = FreshnessLifetime(directives, head.fields, head.status, loop_.Wall(),
                                    config_.cache.heuristics);
  std::shared_ptr<StoredResponse> response =
      MakeStoredResponse({.status = head.status,
                          .fields = fields,
                          .request = asking.request,
                          .control = directives.control,
                          .freshness = FreshnessOf(head.fields, asking.at, lifetime),
                          .received = loop_.Wall(),
                          .body = std::make_shared<Body>(store_.budget())},
                         store_.budget());
  const Storability storability = Put(asking, fields, std::move(response), fetch);
  if (storability != Storability::kStore) return storability;
  using Framing = wire::http::BodyFraming::Kind;
  if (head.body.kind == Framing::kNone) fetch.length = 0;
  if (head.body.kind == Framing::kContentLength) fetch.length = head.body.length;
  return Storability::kStore;
}

Storability StoredResponseMaker::Put(const RequestContext& asking, const HeaderFields& fields,
                                     std::shared_ptr<StoredResponse> response,
                                     CoalescedFetch& fetch) {
  if (response == nullptr) {
    const std::string vary = ParseVary(fields).value_or("");
    return VariantKey(vary, asking.request) ? Storability::kRoom : Storability::kVariant;
  }
  if (fetch.forbidden || store_.Forbids(fetch.mark, KeyText(fetch.key.view()), response->tags)) {
    return Storability::kRoom;
  }
  fetch.response = std::move(response);
  return Storability::kStore;
}

Storability StoredResponseMaker::BeginPiece(const RequestContext& asking, const ResponseHead& head,
                                            const std::shared_ptr<StoredResponse>& stored,
                                            CoalescedFetch& fetch) {
  const std::optional<Piece> arrived = ParsePiece(head.fields.Find("Content-Range").value_or(""));
  if (!arrived) return Storability::kStatus;
  HeaderFields fields = EndToEndFields(head);
  if (asking.without_cookies) fields.Remove("Set-Cookie");
  const uint64_t limit = std::min(kMaxCombinedBytes, config_.cache.max_object_bytes);
  std::optional<Piece> combined;
  if (stored != nullptr && stored->piece) {
    combined =
        Combined(*stored->piece, stored->validators, *arrived, ValidatorsOf(head.fields), limit);
  }
  if (combined) fields = UpdatedFields(stored->ParseLines(), fields);
  const Piece piece = combined.value_or(*arrived);
  const ResponseDirectives directives = DirectivesOf(head.fields);
  auto lifetime = FreshnessLifetime(directives, head.fields, head.status, loop_.Wall(),
                                    config_.cache.heuristics);
  auto body = std::make_shared<Body>(store_.budget());
  if (combined) {
    const uint64_t before =
        arrived->range.first - std::min(arrived->range.first, piece.range.first);
    if (!AppendFrom(*stored->body, before, piece.range.size(), *body)) return Storability::kRoom;
  }
  const bool is_whole = piece.is_whole();
  std::shared_ptr<StoredResponse> response =
      MakeStoredResponse({.status = is_whole ? 200 : 206,
                          .fields = fields,
                          .request = asking.request,
                          .control = directives.control,
                          .freshness = FreshnessOf(head.fields, asking.at, lifetime),
                          .received = loop_.Wall(),
                          .body = body,
                          .piece = is_whole ? std::nullopt : std::optional(piece),
                          .confirms = combined ? stored.get() : nullptr},
                         store_.budget());
  const Storability storability = Put(asking, fields, std::move(response), fetch);
  if (storability != Storability::kStore) return storability;
  fetch.length = piece.range.size();
  fetch.stored_bytes = piece.range.size() - arrived->range.size();
  if (combined && stored->piece->range.last > arrived->range.last) {
    fetch.tail = stored;
    fetch.tail_from = arrived->range.last + 1 - stored->piece->range.first;
  }
  return Storability::kStore;
}

bool StoredResponseMaker::Confirm(const RequestContext& asking, const ResponseHead& not_modified,
                                  const std::shared_ptr<StoredResponse>& stale,
                                  CoalescedFetch& fetch) {
  const bool each_time = stale->needs_validation_each_time();
  if (!Confirms(not_modified.fields, stale->validators, each_time)) return false;
  Freshen(asking, not_modified, stale, fetch);
  return true;
}

void StoredResponseMaker::Freshen(const RequestContext& asking, const ResponseHead& head,
                                  const std::shared_ptr<StoredResponse>& stale,
                                  CoalescedFetch& fetch) {
  HeaderFields stored = stale->ParseLines();
  HeaderFields news = EndToEndFields(head);
  if (asking.without_cookies) news.Remove("Set-Cookie");
  ResponseHead updated;
  updated.status = stale->piece ? 200 : stale->status;  // a piece is judged as its whole
  updated.fields = UpdatedFields(stored, news);
  ResponseDirectives directives = DirectivesOf(updated.fields);
  auto lifetime = FreshnessLifetime(directives, updated.fields, stale->status, loop_.Wall(),
                                    config_.cache.heuristics);
  Freshness freshness = FreshnessOf(head.fields, asking.at, lifetime);
  fetch.length = stale->body->size();
  fetch.response = MakeStoredResponse({.status = stale->status,
                                       .fields = updated.fields,
                                       .request = asking.request,
                                       .control = directives.control,
                                       .freshness = freshness,
                                       .received = loop_.Wall(),
                                       .body = stale->body,
                                       .piece = stale->piece,
                                       .confirms = stale.get()},
                                      store_.budget());
  const Storability storability = Judge(asking, updated);
  // A response that needs validation for each use stays if it can be validated: a 304 costs less
  // than the whole.
  fetch.shareable = storability == Storability::kStore ||
                    (storability == Storability::kFreshness &&
                     CanBeValidatedEachTime(directives.control, ValidatorsOf(updated.fields)));
  const StoreConditions conditions{.mark = fetch.mark, .forbidden = &fetch.forbidden};
  if (fetch.response == nullptr) {
    // No room for another head: the old response is served as validated.
    fetch.response = stale;
    fetch.stored =
        fetch.shareable && store_.Refresh(fetch.key.view(), *stale, freshness, conditions);
  } else if (fetch.shareable) {
    fetch.stored = store_.Store(fetch.key.view(), fetch.response, conditions);
  }
  // A Set-Cookie of the new response does not invalidate the old one.
  const bool stays = fetch.shareable || ConcernsRequestAlone(storability) ||
                     storability == Storability::kSetCookie;
  if (!stays) store_.Remove(fetch.key.view());
}

}  // namespace meridian::edge
