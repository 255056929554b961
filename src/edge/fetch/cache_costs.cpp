// The part of CacheHandler that counts fetches, and judges whether better headers would have saved
// them.
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "edge/cache/cache_key.hpp"
#include "edge/cache/cache_status.hpp"
#include "edge/cache/freshness.hpp"
#include "edge/cache/request_directives.hpp"
#include "edge/cache/stale.hpp"
#include "edge/cache/storage/content_kind.hpp"
#include "edge/cache/storage/stored_response.hpp"
#include "edge/cache/vary.hpp"
#include "edge/costs/costs.hpp"
#include "edge/costs/waste.hpp"
#include "edge/costs/wasteful_urls.hpp"
#include "edge/fetch/cache_handler.hpp"
#include "edge/fetch/stored_response_maker.hpp"
#include "edge/fetch/transaction.hpp"
#include "wire/http/message.hpp"

namespace meridian::edge {
namespace {

using wire::http::ResponseHead;
using Stored = WasteInput::Stored;

Stored StoredOf(const StoredResponse* stale) {
  if (stale == nullptr) return Stored::kNone;
  return stale->validators.any() ? Stored::kWithValidator : Stored::kWithoutValidator;
}

ContentKind ContentOf(const ResponseHead& head, const StoredResponse* stale) {
  const bool confirms = head.status == 304 && stale != nullptr;
  return confirms ? stale->kind : ContentKindOf(head.fields.Find("Content-Type").value_or(""));
}

}  // namespace

std::optional<Waste> CacheHandler::FindWaste(const KeyView& key, const ResponseHead& head,
                                             const StoredResponse* stale, WasteInput input) {
  input.status = head.status;
  input.stored = StoredOf(stale);
  const ResponseDirectives directives = DirectivesOf(head.fields);
  const std::optional<Duration> lifetime = FreshnessLifetime(
      directives, head.fields, head.status, options_.loop.Wall(), options_.config.cache.heuristics);
  input.says_freshness = lifetime || directives.control.no_cache;
  const Freshness freshness{.lifetime = lifetime.value_or(Duration::zero())};
  input.never_fresh =
      input.says_freshness && NeedsValidationEachTime(freshness, directives.control);
  // A 304 may leave out unchanged fields. A purge may have made the stored response stale.
  const Duration stored_lifetime =
      stale == nullptr ? Duration::zero() : stale->freshness.Read().lifetime;
  input.lifetime = lifetime.value_or(stored_lifetime);
  if (head.status == 200) {
    const WastefulUrls::Before before = costs_.wasteful().Remember(key.hash, ContentMark(head));
    input.asked_before = before.asked;
    input.same_as_before = before.same;
    input.changed = before.changed;
  }
  const std::string vary = ParseVary(head.fields).value_or("");
  input.vary = vary;
  return JudgeWaste(input);
}

void CacheHandler::RecordFetch(Transaction& transaction, const ResponseHead& head) {
  transaction.costs.content = ContentOf(head, transaction.lookup.stale.get());
  const bool for_cache =
      transaction.asked.bypass == Bypass::kNone && transaction.key && !transaction.asked.head;
  if (!for_cache || transaction.costs.judged) return;
  transaction.costs.judged = true;
  transaction.costs.waste =
      FindWaste(*transaction.key, head, transaction.lookup.stale.get(),
                {.content = transaction.costs.content,
                 .storability = transaction.costs.storability,
                 .demanded = transaction.status.forwarded == Forwarded::kRequest,
                 .other_variant = transaction.status.forwarded == Forwarded::kVaryMiss});
}

void CacheHandler::RecordBackgroundFetch(const KeyView& key, const StoredResponse* stale,
                                         const StoredResponseMaker::RequestContext& asking,
                                         const ResponseHead& head) {
  const ContentKind content = ContentOf(head, stale);
  const auto waste =
      FindWaste(key, head, stale, {.content = content, .storability = maker_.Judge(asking, head)});
  if (!waste) return;
  const bool whole = head.body.kind == wire::http::BodyFraming::Kind::kContentLength;
  costs_.wasteful().Add(KeyText(key), *waste, content,
                        WastesBody(*waste) && whole ? head.body.length : 0);
}

void CacheHandler::CountHeadOnly(const ResponseHead& head, const StoredResponse* stale,
                                 bool crosses) {
  costs_.CountFetch(ContentOf(head, stale), crosses, HeadBytes(head));
}

}  // namespace meridian::edge
