#include "edge/fetch/cache_handler.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/core.h>

#include "base/clock.hpp"
#include "base/metrics.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "edge/cache/cache_key.hpp"
#include "edge/cache/cache_status.hpp"
#include "edge/cache/freshness.hpp"
#include "edge/cache/invalidation.hpp"
#include "edge/cache/piece.hpp"
#include "edge/cache/request_directives.hpp"
#include "edge/cache/stale.hpp"
#include "edge/cache/storage/stored_response.hpp"
#include "edge/cache/vary.hpp"
#include "edge/costs/costs.hpp"
#include "edge/costs/waste.hpp"
#include "edge/fetch/answer.hpp"
#include "edge/fetch/coalesced_fetch.hpp"
#include "edge/fetch/hot_responses.hpp"
#include "edge/fetch/own_origin.hpp"
#include "edge/fetch/stored_response_maker.hpp"
#include "edge/fetch/transaction.hpp"
#include "edge/hosts/cdn_host.hpp"
#include "edge/limits.hpp"
#include "edge/visitors/visitor_record.hpp"
#include "http/exchange.hpp"
#include "http/forward.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "wire/http/fields/byte_range.hpp"
#include "wire/http/message.hpp"

namespace meridian::edge {
namespace {

using wire::http::HeaderFields;
using wire::http::ResponseHead;
using State = CoalescedFetch::State;

constexpr const char* kRequests = "meridian_edge_cache_requests_total";
constexpr const char* kRequestsHelp = "Requests of visitors by the cache's result.";

// Whether the request may be coalesced with others.
bool MayShare(const Transaction& transaction) {
  return transaction.asked.bypass == Bypass::kNone && transaction.key && !transaction.asked.head &&
         !transaction.asked.control.no_store;
}

// Whether the response may differ for each visitor, so that only the origin can tell who may get
// it.
bool IsPersonal(const StoredResponse& response) {
  return response.by_cookie && response.needs_validation_each_time();
}

// Whether a piece answers a request: all requested ranges are in it (RFC 9111 3.3).
bool CanAnswer(const StoredResponse& response, const CacheRequest& asked, WallTime now) {
  const wire::http::RangeOutcome ranges =
      PlanPiece(asked, response.validators, *response.piece, now);
  return ranges.kind == wire::http::RangeOutcome::Kind::kParts;
}

VisitorResult ResultOf(const Transaction& transaction) {
  switch (transaction.costs.source) {
    case Costs::Source::kCache:
      if (transaction.status.collapsed) return VisitorResult::kCollapsed;
      return transaction.status.hit && transaction.status.ttl > Duration::zero()
                 ? VisitorResult::kHit
                 : VisitorResult::kStale;
    case Costs::Source::kConfirmed:
      return VisitorResult::kConfirmed;
    case Costs::Source::kOrigin:
    case Costs::Source::kDataCenter:
      return VisitorResult::kForwarded;
    case Costs::Source::kHere:
      return VisitorResult::kHere;
  }
  return VisitorResult::kHere;
}

// Whether a response has become stale while its body still arrives.
bool IsOutdated(const StoredResponse& response, TimePoint now) {
  return JudgeUse(response.freshness, response.control, {}, now) == Use::kRevalidate;
}

}  // namespace

CacheHandler::CacheHandler(Options options)
    : options_(std::move(options)),
      random_(EntropySeed()),
      shared_(options_.shared),
      store_(shared_.store),
      fetches_(shared_.fetches),
      passes_(shared_.passes),
      too_large_(shared_.too_large),
      costs_(options_.metrics, options_.loop.Now(), shared_.wasteful),
      maker_(options_.loop, options_.config, store_, random_),
      hits_(options_.metrics.AddCounter(kRequests, kRequestsHelp, {{"result", "hit"}})),
      stale_hits_(options_.metrics.AddCounter(kRequests, kRequestsHelp, {{"result", "stale"}})),
      collapsed_(options_.metrics.AddCounter(kRequests, kRequestsHelp, {{"result", "collapsed"}})),
      forwarded_(options_.metrics.AddCounter(kRequests, kRequestsHelp, {{"result", "forwarded"}})),
      fetched_(
          options_.metrics.AddCounter("meridian_edge_cache_fetches_total",
                                      "Responses of the origin that were fetched for storing.")),
      confirmed_(
          options_.metrics.AddCounter("meridian_edge_cache_confirmed_total",
                                      "Stored responses that a 304 of the origin validated.")),
      stale_if_error_(options_.metrics.AddCounter(
          "meridian_edge_cache_stale_if_error_total",
          "Stale responses that were served because the origin failed.")),
      unavailable_(
          options_.metrics.AddCounter("meridian_edge_unavailable_total",
                                      "Requests answered 503: no data center could serve them, or "
                                      "too many waited.")),
      bytes_(options_.metrics.AddGauge("meridian_edge_cache_bytes", "Memory of the cache in use.")),
      objects_(options_.metrics.AddGauge("meridian_edge_cache_objects", "Stored responses.")) {
  if (!shared_.shared()) return;
  hot_ = std::make_unique<HotResponses>(store_.budget()->limit(), shared_.loops);
  options_.scope.Spawn(DropUnusedHot());
}

CacheHandler::~CacheHandler() = default;

void CacheHandler::ReportSize() {
  bytes_.Set(static_cast<double>(store_.budget()->used()));
  objects_.Set(static_cast<double>(store_.objects()));
}

io::Task<void> CacheHandler::Handle(http::Exchange& exchange, Requester requester) {
  VisitorRecord unused_record;
  Transaction transaction{.exchange = exchange,
                          .record = requester.record == nullptr ? unused_record : *requester.record,
                          .asked = ReadCacheRequest(exchange.request()),
                          .debug = requester.debug};
  transaction.key =
      MakeKey(exchange.request(), exchange.secure(), options_.default_host, store_.seed());
  transaction.without_cookies = IsCdnHost(exchange.request().authority, options_.cdn_domain);
  transaction.own_origin = OwnOrigin(exchange.request(), options_.default_host);
  if (requester.debug) transaction.path = fmt::format("edge={} cache", options_.here);
  transaction.lookup = LookUp(transaction);
  switch (transaction.lookup.outcome) {
    case Lookup::Outcome::kAnswer:
      co_await AnswerHit(transaction);
      break;
    case Lookup::Outcome::kOnlyIfCached:
      co_await AnswerHere(exchange, 504, "no stored response can answer this (only-if-cached)\n",
                          {.detail = "only-if-cached"});
      break;
    case Lookup::Outcome::kForward:
      co_await Miss(transaction);
      if (transaction.costs.waste) {
        const uint64_t bytes = WastesBody(*transaction.costs.waste) ? exchange.sent_bytes() : 0;
        costs_.wasteful().Add(KeyText(*transaction.key), *transaction.costs.waste,
                              transaction.costs.content, bytes);
      }
  }
  transaction.record.result = ResultOf(transaction);
  // No bytes: the visitor left before the answer.
  const uint64_t sent = exchange.sent_bytes();
  if (sent > 0 && !requester.own)
    costs_.CountVisitor(transaction.costs.content, transaction.costs.source, sent);
}

// Not a coroutine, so that a hit has one frame less.
io::Task<void> CacheHandler::AnswerHit(Transaction& transaction) {
  return AnswerStored(transaction.exchange, {.asked = transaction.asked,
                                             .response = std::move(transaction.lookup.hit),
                                             .status = transaction.status,
                                             .path = transaction.path,
                                             .own_origin = transaction.own_origin,
                                             .nonce = random_.Next()});
}

void CacheHandler::TakeHit(Transaction& transaction, Duration left,
                           std::shared_ptr<StoredResponse> response, Lookup* lookup) {
  (left > Duration::zero() ? hits_ : stale_hits_).Add();
  transaction.status = {.hit = true, .ttl = left};
  transaction.costs.content = response->kind;
  transaction.costs.source = Costs::Source::kCache;
  lookup->hit = std::move(response);
}

Lookup CacheHandler::LookUp(Transaction& transaction) {
  Lookup lookup;
  if (transaction.asked.control.only_if_cached) lookup.outcome = Lookup::Outcome::kOnlyIfCached;
  if (transaction.asked.bypass != Bypass::kNone || !transaction.key) {
    bool method = transaction.asked.bypass == Bypass::kMethod;
    transaction.status.forwarded = method ? Forwarded::kMethod : Forwarded::kBypass;
    return lookup;
  }
  MemoryStore::Found found = Find(transaction);
  transaction.status.forwarded = found.has_url ? Forwarded::kVaryMiss : Forwarded::kUriMiss;
  lookup.vary = std::move(found.vary);
  if (found.response != nullptr && found.response->piece &&
      !CanAnswer(*found.response, transaction.asked, options_.loop.Wall())) {
    transaction.status.forwarded = Forwarded::kPartial;
    lookup.variant = found.response->variant;
    lookup.partial = std::move(found.response);
  } else if (found.response != nullptr) {
    TimePoint now = options_.loop.Now();
    const Freshness freshness = found.response->freshness;
    const bool asks = isolated() || IsPersonal(*found.response);
    Use use = asks ? Use::kRevalidate
                   : JudgeUse(freshness, found.response->control, transaction.asked.control, now);
    Duration left = freshness.Left(now);
    if (use != Use::kRevalidate) {
      if (use == Use::kWhileRevalidating) FetchInBackground(transaction, found.response);
      TakeHit(transaction, left, std::move(found.response), &lookup);
      lookup.outcome = Lookup::Outcome::kAnswer;
      return lookup;
    }
    bool fresh = left > Duration::zero() && !found.response->control.no_cache;
    transaction.status.forwarded = fresh ? Forwarded::kRequest : Forwarded::kStale;
    lookup.variant = found.response->variant;
    lookup.stale = std::move(found.response);
  } else if (!lookup.vary.empty()) {
    lookup.variant = VariantKey(lookup.vary, transaction.request().fields).value_or("");
  }
  return lookup;
}

io::Task<void> CacheHandler::Miss(Transaction& transaction) {
  // Requests without a key (OPTIONS *, a host that is too long) are among those.
  if (!MayShare(transaction)) {
    co_return co_await FetchFromOrigin(transaction, MakeUnsharedFetch(transaction));
  }
  const TimePoint now = options_.loop.Now();
  // A range of an object that is too large to be stored is fetched alone.
  const bool fetches_range_alone =
      transaction.asked.range &&
      (too_large_.Passes(transaction.key->hash, now) ||
       (transaction.lookup.partial &&
        transaction.lookup.partial->piece->whole_length > options_.config.cache.max_object_bytes));
  // Each request validates such a response itself: the origin may tell visitors apart by cookies.
  const bool validates_alone =
      transaction.lookup.stale && transaction.lookup.stale->needs_validation_each_time();
  const bool waits = transaction.lookup.stale || !passes_.Passes(transaction.key->hash, now);
  if (!fetches_range_alone && !validates_alone && waits) {
    const std::string key = KeyText(*transaction.key);
    for (int joins = 0; joins < kMaxWaits; ++joins) {
      std::string slot = FetchSlot(key, transaction.lookup.vary, transaction.lookup.variant);
      FetchTable::Joined found = fetches_.FindOrAdd(
          *transaction.key, slot, [&](CoalescedFetch& fetch) { return MayJoin(fetch, key); },
          [&] { return MakeFetch(*transaction.key, slot); });
      if (found.is_new && WasStoredMeanwhile(transaction)) {
        End(*found.fetch, State::kAbandoned);
        co_return co_await AnswerHit(transaction);
      }
      if (found.is_new) {
        transaction.origin.shared = true;
        co_return co_await FetchFromOrigin(transaction, std::move(found.fetch));
      }
      WaitResult joined = co_await WaitFor(transaction, std::move(found.fetch));
      if (joined == WaitResult::kAnswered) co_return;
      if (joined == WaitResult::kFetchAlone) break;
    }
  }
  co_await FetchFromOrigin(transaction, MakeUnsharedFetch(transaction));
}

std::shared_ptr<CoalescedFetch> CacheHandler::MakeUnsharedFetch(const Transaction& transaction) {
  static constexpr KeyView kNoKey;
  const KeyView key = transaction.key.value_or(kNoKey);
  const bool may_store = transaction.key && transaction.asked.bypass == Bypass::kNone;
  if (!may_store) return MakeFetch(key, "");
  std::shared_ptr<CoalescedFetch> fetch = MakeFetch(key, UnsharedSlot(key));
  fetches_.Add(fetch);  // so that an unsafe request forbids it
  return fetch;
}

std::shared_ptr<CoalescedFetch> CacheHandler::MakeFetch(const KeyView& key, std::string slot) {
  return std::make_shared<CoalescedFetch>(key, std::move(slot), store_.mark(), options_.loop,
                                          shared_.shared());
}

std::string CacheHandler::UnsharedSlot(const KeyView& key) {
  constexpr int kLoopShift = 48;  // the numbers of different loops differ
  return UnsharedFetchSlot(KeyText(key), (options_.loop_index << kLoopShift) + ++unshared_fetches_);
}

bool CacheHandler::MayJoin(CoalescedFetch& fetch, const std::string& key) {
  // The response is there when the state says so.
  const StoredResponse* response =
      fetch.state() == State::kAwaitingHead ? nullptr : fetch.response.get();
  // A response that was requested before a purge is not for requests that come after it.
  const bool purged = response == nullptr ? store_.MayForbid(fetch.mark, key)
                                          : store_.Forbids(fetch.mark, key, response->tags);
  if (purged) return false;
  if (response == nullptr || !IsOutdated(*response, options_.loop.Now())) return true;
  fetch.forbidden = true;  // the fetch that now begins is newer
  return false;
}

MemoryStore::Found CacheHandler::Find(const Transaction& transaction) {
  if (hot_ == nullptr) return store_.Find(*transaction.key, transaction.request().fields);
  const TimePoint now = options_.loop.Now();
  const wire::http::HeaderFields& fields = transaction.request().fields;
  if (auto response = hot_->Find(*transaction.key, fields, now)) {
    const std::string& vary = response->vary;
    return {.response = std::move(response), .has_url = true, .vary = vary};
  }
  MemoryStore::Found found = store_.Find(*transaction.key, fields);
  if (found.response == nullptr) return found;
  const bool was_empty = hot_->empty();
  hot_->OnFound(*transaction.key, fields, found.response, now);
  if (was_empty && !hot_->empty()) hot_added_.WakeAll();
  return found;
}

io::Task<void> CacheHandler::DropUnusedHot() {
  for (;;) {
    const Result<void> waited =
        hot_->empty() ? co_await hot_added_.Wait() : co_await io::Sleep(kHotLife);
    if (!waited) co_return;
    hot_->DropUnused(options_.loop.Now());
  }
}

// A fetch of another loop may have been stored, and have left the table, between the look-up in the
// store and the look-up in the table.
bool CacheHandler::WasStoredMeanwhile(Transaction& transaction) {
  if (!shared_.shared() || isolated()) return false;
  std::shared_ptr<StoredResponse> found =
      store_.Find(*transaction.key, transaction.request().fields).response;
  if (found == nullptr || found->piece || IsPersonal(*found)) return false;
  const TimePoint now = options_.loop.Now();
  if (JudgeUse(found->freshness, found->control, transaction.asked.control, now) != Use::kFresh) {
    return false;
  }
  const Duration left = found->freshness.Left(now);
  TakeHit(transaction, left, std::move(found), &transaction.lookup);
  return true;
}

io::Task<CacheHandler::WaitResult> CacheHandler::WaitFor(Transaction& transaction,
                                                         std::shared_ptr<CoalescedFetch> fetch) {
  CoalescedFetch::Reader reader(fetch, options_.loop);
  if (!reader.joined()) co_return WaitResult::kLookUpAgain;
  TimePoint deadline = options_.loop.After(kCollapseTimeout);
  while (fetch->state() == State::kAwaitingHead) {
    Result<void> waited = co_await reader.Changed(deadline);
    if (waited) continue;
    co_return waited.error().code == Errc::kTimeout ? WaitResult::kFetchAlone
                                                    : WaitResult::kAnswered;
  }
  switch (fetch->state()) {
    case State::kAwaitingHead:
    case State::kAbandoned:
    case State::kBroken:
      co_return WaitResult::kLookUpAgain;
    case State::kNotShared:
      co_return WaitResult::kFetchAlone;
    case State::kFailed:
      // Each request gets the failing origin's own error, unless a stale response may be served.
      if (fetch->failed_status != 0 && StaleReason(transaction.lookup.stale.get(),
                                                   transaction.asked.control, fetch->failed_status)
                                           .empty()) {
        co_return WaitResult::kFetchAlone;
      }
      co_await AnswerFailure(transaction, fetch->error, fetch->failed_status);
      co_return WaitResult::kAnswered;
    case State::kReceiving:
    case State::kDone:
      if (fetch->response->needs_validation_each_time() || fetch->response->piece) {
        co_return WaitResult::kFetchAlone;
      }
      co_return co_await AnswerFromFetch(transaction, reader);
  }
  co_return WaitResult::kFetchAlone;
}

io::Task<CacheHandler::WaitResult> CacheHandler::AnswerFromFetch(Transaction& transaction,
                                                                 CoalescedFetch::Reader& reader) {
  const std::shared_ptr<StoredResponse>& response = reader.fetch().response;
  if (!response->vary.empty()) {
    auto variant = VariantKey(response->vary, transaction.request().fields);
    if (!variant) co_return WaitResult::kFetchAlone;
    if (!response->Answers(*variant)) {
      transaction.lookup.vary = response->vary;
      transaction.lookup.variant = std::move(*variant);
      transaction.lookup.stale = nullptr;
      co_return WaitResult::kLookUpAgain;
    }
  }
  collapsed_.Add();
  transaction.costs.content = response->kind;
  transaction.costs.source = Costs::Source::kCache;
  transaction.status.collapsed = true;
  transaction.status.stored = reader.fetch().stored;
  transaction.status.ttl = response->freshness.Left(options_.loop.Now());
  co_await AnswerStored(transaction.exchange, {.asked = transaction.asked,
                                               .response = response,
                                               .status = transaction.status,
                                               .reader = &reader,
                                               .path = transaction.path,
                                               .own_origin = transaction.own_origin,
                                               .nonce = random_.Next()});
  co_return WaitResult::kAnswered;
}

std::string_view CacheHandler::StaleReason(const StoredResponse* stored,
                                           const wire::http::CacheControl& request,
                                           int status) const {
  const bool is_failure = status == 0 || IsErrorForStale(status);
  // An old error is no better than a new one.
  if (stored == nullptr || !is_failure || stored->status >= 500) return {};
  if (IsPersonal(*stored)) return {};
  const TimePoint now = options_.loop.Now();
  if (MayServeOnError(stored->freshness, stored->control, request, now)) return "stale-if-error";
  const bool unreached = status == 0 || IsGatewayFailure(status);
  const Duration limit = options_.config.cache.stale_on_failure;
  if (unreached && MayServeOnFailure(stored->freshness, stored->control, now, limit)) {
    return "stale-on-failure";
  }
  return {};
}

io::Task<void> CacheHandler::AnswerFailure(Transaction& transaction, Error error, int status) {
  const std::string_view reason =
      StaleReason(transaction.lookup.stale.get(), transaction.asked.control, status);
  if (!reason.empty()) {
    stale_if_error_.Add();
    transaction.costs.content = transaction.lookup.stale->kind;
    transaction.costs.source = Costs::Source::kCache;
    transaction.status.ttl = transaction.lookup.stale->freshness.Left(options_.loop.Now());
    transaction.status.detail = reason;
    co_await AnswerStored(transaction.exchange, {.asked = transaction.asked,
                                                 .response = transaction.lookup.stale,
                                                 .status = transaction.status,
                                                 .path = transaction.path,
                                                 .own_origin = transaction.own_origin,
                                                 .nonce = random_.Next()});
    co_return;
  }
  if (error.code == Errc::kUnavailable) unavailable_.Add();
  if (transaction.lookup.stale != nullptr &&
      MustBeValidatedWhenStale(transaction.lookup.stale->control)) {
    transaction.status.detail = "must-revalidate";
    co_await AnswerHere(transaction.exchange, 504,
                        "no data center could validate the stored response\n", transaction.status);
  } else if (error.code == Errc::kUnavailable) {
    co_await AnswerHere(transaction.exchange, 503, error.message + "\n", transaction.status);
  } else {
    co_await AnswerHere(transaction.exchange, http::FailureStatus(error),
                        "no data center could answer\n", transaction.status);
  }
}

void CacheHandler::StopSharing(const std::shared_ptr<CoalescedFetch>& fetch) {
  const KeyView key = fetch->key.view();
  fetches_.Move(fetch, UnsharedSlot(key));  // it stays, so that an unsafe request forbids it
  passes_.Add(key.hash, options_.loop.Now());
}

void CacheHandler::End(CoalescedFetch& fetch, State state) {
  fetches_.Remove(fetch);
  fetch.SetState(state);
}

CoalescedFetchOptions CacheHandler::OptionsOfFetch() {
  return {.table = fetches_,
          .store = store_,
          .costs = costs_,
          .unread = shared_.unread,
          .too_large = too_large_,
          .loop = options_.loop,
          .max_object_bytes = options_.config.cache.max_object_bytes};
}

io::Task<void> CacheHandler::AwaitStored(CoalescedFetch::Reader& reader) {
  const CoalescedFetch& fetch = reader.fetch();  // of this loop, which writes the body
  const TimePoint deadline = options_.loop.After(kMaxStoredWait);
  while (fetch.state() == State::kReceiving) {
    if (fetch.length.value_or(fetch.response->body->size()) > kMaxAwaitedBytes) co_return;
    if (!co_await reader.Changed(deadline)) co_return;
  }
}

void CacheHandler::Invalidate(const Transaction& transaction, const ResponseHead& upstream) {
  wire::http::RequestHead target;
  target.authority = transaction.request().authority;
  bool https = transaction.exchange.secure();
  for (const InvalidatedTarget& each :
       InvalidatedTargets(transaction.request(), https, upstream.fields)) {
    target.path = each.path;
    target.query.reset();
    if (each.query) target.query = *each.query;
    // A change over one scheme invalidates the response of the other scheme too.
    for (bool scheme : {false, true}) {
      auto key = MakeKey(target, scheme, options_.default_host, store_.seed());
      if (!key) continue;
      // In this order: a fetch that is stored in between is removed.
      fetches_.Forbid(*key);
      store_.Remove(*key);
    }
  }
}

}  // namespace meridian::edge
