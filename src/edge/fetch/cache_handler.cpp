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
#include "edge/fetch/fill.hpp"
#include "edge/fetch/fill_maker.hpp"
#include "edge/fetch/own_origin.hpp"
#include "edge/fetch/trip.hpp"
#include "edge/hosts/cdn_host.hpp"
#include "edge/limits.hpp"
#include "edge/visitors/visitor_record.hpp"
#include "http/exchange.hpp"
#include "http/forward.hpp"
#include "io/task.hpp"
#include "wire/http/fields/byte_range.hpp"
#include "wire/http/message.hpp"

namespace meridian::edge {
namespace {

using wire::http::HeaderFields;
using wire::http::ResponseHead;
using State = Fill::State;

constexpr const char* kRequests = "meridian_edge_cache_requests_total";
constexpr const char* kRequestsHelp = "Requests of visitors by what the cache did.";

// Whether others may wait for what this one asks, and it for them.
bool MayShare(const Trip& trip) {
  return trip.asked.bypass == Bypass::kNone && trip.key && !trip.asked.head &&
         !trip.asked.control.no_store;
}

// Each visitor may have another: without the origin nobody can tell whose it is.
bool IsPersonal(const StoredResponse& response) {
  return response.by_cookie && response.confirmed_each_time();
}

// Whether a piece answers a request: one for what is in it (RFC 9111 3.3).
bool CanAnswer(const StoredResponse& response, const CacheRequest& asked, WallTime now) {
  const wire::http::RangeOutcome ranges =
      PlanPiece(asked, response.validators, *response.piece, now);
  return ranges.kind == wire::http::RangeOutcome::Kind::kParts;
}

VisitorResult ResultOf(const Trip& trip) {
  switch (trip.source) {
    case Costs::Source::kCache:
      if (trip.status.collapsed) return VisitorResult::kCollapsed;
      return trip.status.hit && trip.status.ttl > Duration::zero() ? VisitorResult::kHit
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

// A body may take longer to arrive than its response may be used.
bool IsOutdated(const Fill& fill, TimePoint now) {
  if (fill.response == nullptr) return false;
  const StoredResponse& response = *fill.response;
  return JudgeUse(response.freshness, response.control, {}, now) == Use::kRevalidate;
}

}  // namespace

CacheHandler::CacheHandler(Options options)
    : options_(std::move(options)),
      random_(EntropySeed()),
      costs_(options_.metrics, options_.loop.Now()),
      store_(options_.config.cache.bytes, random_.Next()),
      maker_(options_.loop, options_.config, store_, random_),
      hits_(options_.metrics.AddCounter(kRequests, kRequestsHelp, {{"result", "hit"}})),
      stale_hits_(options_.metrics.AddCounter(kRequests, kRequestsHelp, {{"result", "stale"}})),
      collapsed_(options_.metrics.AddCounter(kRequests, kRequestsHelp, {{"result", "collapsed"}})),
      forwarded_(options_.metrics.AddCounter(kRequests, kRequestsHelp, {{"result", "forwarded"}})),
      filled_(options_.metrics.AddCounter("meridian_edge_cache_fills_total",
                                          "Answers of the origin that were for storing.")),
      confirmed_(options_.metrics.AddCounter("meridian_edge_cache_confirmed_total",
                                             "Stored responses that the origin has confirmed.")),
      stood_in_(
          options_.metrics.AddCounter("meridian_edge_cache_stale_if_error_total",
                                      "Stale responses that stood in for an origin that failed.")),
      unavailable_(
          options_.metrics.AddCounter("meridian_edge_unavailable_total",
                                      "Requests answered 503: no data center could serve them, or "
                                      "too many waited.")),
      bytes_(options_.metrics.AddGauge("meridian_edge_cache_bytes",
                                       "What the cache holds, all told.")),
      objects_(options_.metrics.AddGauge("meridian_edge_cache_objects", "Stored responses.")) {}

void CacheHandler::ReportSize() {
  bytes_.Set(static_cast<double>(store_.budget()->used()));
  objects_.Set(static_cast<double>(store_.objects()));
}

io::Task<void> CacheHandler::Handle(http::Exchange& exchange, Asker asker) {
  VisitorRecord nobodys;
  Trip trip{.exchange = exchange,
            .record = asker.record == nullptr ? nobodys : *asker.record,
            .asked = ReadCacheRequest(exchange.request()),
            .debug = asker.debug};
  trip.key = MakeKey(exchange.request(), exchange.secure(), options_.default_host, store_.seed());
  trip.without_cookies = IsCdnHost(exchange.request().authority, options_.cdn_domain);
  trip.own_origin = OwnOrigin(exchange.request(), options_.default_host);
  if (asker.debug) trip.path = fmt::format("edge={} cache", options_.here);
  switch (LookUp(trip)) {
    case Look::kAnswer:
      co_await AnswerStored(exchange, {.asked = trip.asked,
                                       .response = std::move(trip.hit),
                                       .status = trip.status,
                                       .path = trip.path,
                                       .own_origin = trip.own_origin,
                                       .nonce = random_.Next()});
      break;
    case Look::kOnlyIfCached:
      co_await AnswerHere(exchange, 504, "this is not in the cache\n",
                          {.detail = "only-if-cached"});
      break;
    case Look::kForward:
      co_await Miss(trip);
      if (trip.waste) {
        const uint64_t bytes = WastesBody(*trip.waste) ? exchange.sent_bytes() : 0;
        costs_.wasteful().Add(KeyText(*trip.key), *trip.waste, trip.content, bytes);
      }
  }
  trip.record.result = ResultOf(trip);
  // Nothing, when the visitor has left before there was an answer.
  const uint64_t sent = exchange.sent_bytes();
  if (sent > 0 && !asker.own) costs_.CountVisitor(trip.content, trip.source, sent);
}

CacheHandler::Look CacheHandler::LookUp(Trip& trip) {
  if (trip.asked.bypass != Bypass::kNone || !trip.key) {
    bool method = trip.asked.bypass == Bypass::kMethod;
    trip.status.forwarded = method ? Forwarded::kMethod : Forwarded::kBypass;
    return trip.asked.control.only_if_cached ? Look::kOnlyIfCached : Look::kForward;
  }
  MemoryStore::Found found = store_.Find(*trip.key, trip.request().fields);
  trip.status.forwarded = found.has_url ? Forwarded::kVaryMiss : Forwarded::kUriMiss;
  trip.vary = found.vary;
  if (found.response != nullptr && found.response->piece &&
      !CanAnswer(*found.response, trip.asked, options_.loop.Wall())) {
    trip.status.forwarded = Forwarded::kPartial;
    trip.variant = found.response->variant;
    trip.partial = std::move(found.response);
  } else if (found.response != nullptr) {
    TimePoint now = options_.loop.Now();
    const Freshness& freshness = found.response->freshness;
    const bool asks = isolated_ || IsPersonal(*found.response);
    Use use = asks ? Use::kRevalidate
                   : JudgeUse(freshness, found.response->control, trip.asked.control, now);
    Duration left = freshness.Left(now);
    if (use != Use::kRevalidate) {
      (left > Duration::zero() ? hits_ : stale_hits_).Add();
      if (use == Use::kWhileRevalidating) FetchBehind(trip, found.response);
      trip.status = {.hit = true, .ttl = left};
      trip.content = found.response->kind;
      trip.source = Costs::Source::kCache;
      trip.hit = std::move(found.response);
      return Look::kAnswer;
    }
    bool fresh = left > Duration::zero() && !found.response->control.no_cache;
    trip.status.forwarded = fresh ? Forwarded::kRequest : Forwarded::kStale;
    trip.variant = found.response->variant;
    trip.stale = std::move(found.response);
  } else if (!trip.vary.empty()) {
    trip.variant = VariantKey(trip.vary, trip.request().fields).value_or("");
  }
  return trip.asked.control.only_if_cached ? Look::kOnlyIfCached : Look::kForward;
}

io::Task<void> CacheHandler::Miss(Trip& trip) {
  const TimePoint now = options_.loop.Now();
  // Of what is too large to be stored, a range is fetched as it is.
  const bool apart = trip.asked.range && trip.key &&
                     (too_large_.Passes(trip.key->hash, now) ||
                      (trip.partial &&
                       trip.partial->piece->whole_length > options_.config.cache.max_object_bytes));
  // Each visitor has it confirmed for himself: the origin may tell them apart by their cookies.
  const bool by_itself = trip.stale && trip.stale->confirmed_each_time();
  const bool waits = trip.stale || !passes_.Passes(trip.key->hash, now);
  if (MayShare(trip) && !apart && !by_itself && waits) {
    const std::string key = KeyText(*trip.key);
    for (int joins = 0; joins < kMaxJoins; ++joins) {
      std::string slot = FillSlot(key, trip.vary, trip.variant);
      std::shared_ptr<Fill> fill = FindFill(slot, key);
      if (fill == nullptr) {
        fill = std::make_shared<Fill>(*trip.key, std::move(slot), store_.mark());
        fills_.Add(fill);
        trip.shared = true;
        co_return co_await Lead(trip, std::move(fill));
      }
      Joined joined = co_await Join(trip, std::move(fill));
      if (joined == Joined::kAnswered) co_return;
      if (joined == Joined::kGoAlone) break;
    }
  }
  co_await Lead(trip, MakeLoneFill(trip));
}

std::shared_ptr<Fill> CacheHandler::MakeLoneFill(const Trip& trip) {
  static constexpr KeyView kNoKey;
  const KeyView key = trip.key.value_or(kNoKey);
  const bool may_store = trip.key && trip.asked.bypass == Bypass::kNone;
  if (!may_store) return std::make_shared<Fill>(key, "", store_.mark());
  auto fill = std::make_shared<Fill>(key, LoneFillSlot(KeyText(key), ++lone_fills_), store_.mark());
  fills_.Add(fill);  // so that an unsafe request forbids it
  return fill;
}

std::shared_ptr<Fill> CacheHandler::FindFill(const std::string& slot, const std::string& key) {
  std::shared_ptr<Fill> fill = fills_.Find(slot);
  if (fill == nullptr) return nullptr;
  // What was asked for before a purge is not for those who come after it.
  bool purged = fill->response == nullptr ? store_.MayForbid(fill->mark, key)
                                          : store_.Forbids(fill->mark, key, fill->response->tags);
  if (!purged && !IsOutdated(*fill, options_.loop.Now())) return fill;
  if (!purged) fill->forbidden = true;  // the one that now begins is newer
  fills_.Remove(*fill);
  return nullptr;
}

io::Task<CacheHandler::Joined> CacheHandler::Join(Trip& trip, std::shared_ptr<Fill> fill) {
  Fill::Reader reader(fill);
  TimePoint deadline = options_.loop.After(kCollapseTimeout);
  while (fill->state == State::kAsking) {
    Result<void> waited = co_await fill->changed.Wait(deadline);
    if (waited) continue;
    co_return waited.error().code == Errc::kTimeout ? Joined::kGoAlone : Joined::kAnswered;
  }
  switch (fill->state) {
    case State::kAsking:
    case State::kAbandoned:
    case State::kBroken:
      co_return Joined::kLookAgain;
    case State::kAlone:
      co_return Joined::kGoAlone;
    case State::kFailed:
      // Each its own answer of a failing origin, unless the cache can stand in for it.
      if (fill->failed_status != 0 &&
          StandInReason(trip.stale.get(), trip.asked.control, fill->failed_status).empty()) {
        co_return Joined::kGoAlone;
      }
      co_await AnswerFailure(trip, fill->error, fill->failed_status);
      co_return Joined::kAnswered;
    case State::kArriving:
    case State::kDone:
      if (fill->response->confirmed_each_time() || fill->response->piece) {
        co_return Joined::kGoAlone;
      }
      co_return co_await AnswerFromFill(trip, reader);
  }
  co_return Joined::kGoAlone;
}

io::Task<CacheHandler::Joined> CacheHandler::AnswerFromFill(Trip& trip, Fill::Reader& reader) {
  const std::shared_ptr<StoredResponse>& response = reader.fill().response;
  if (!response->vary.empty()) {
    auto variant = VariantKey(response->vary, trip.request().fields);
    if (!variant) co_return Joined::kGoAlone;
    if (!response->Answers(*variant)) {
      trip.vary = response->vary;
      trip.variant = std::move(*variant);
      trip.stale = nullptr;
      co_return Joined::kLookAgain;
    }
  }
  collapsed_.Add();
  trip.content = response->kind;
  trip.source = Costs::Source::kCache;
  trip.status.collapsed = true;
  trip.status.stored = reader.fill().stored;
  trip.status.ttl = response->freshness.Left(options_.loop.Now());
  co_await AnswerStored(trip.exchange, {.asked = trip.asked,
                                        .response = response,
                                        .status = trip.status,
                                        .reader = &reader,
                                        .path = trip.path,
                                        .own_origin = trip.own_origin,
                                        .nonce = random_.Next()});
  co_return Joined::kAnswered;
}

std::string_view CacheHandler::StandInReason(const StoredResponse* stored,
                                             const wire::http::CacheControl& request,
                                             int status) const {
  const bool is_failure = status == 0 || IsErrorForStale(status);
  // An old error is no better than a new one.
  if (stored == nullptr || !is_failure || stored->status >= 500) return {};
  if (IsPersonal(*stored)) return {};
  const TimePoint now = options_.loop.Now();
  if (MayServeOnError(stored->freshness, stored->control, request, now)) return "stale-if-error";
  const bool unreached = status == 0 || IsFailureOfGateway(status);
  const Duration limit = options_.config.cache.stale_on_failure;
  if (unreached && MayServeOnFailure(stored->freshness, stored->control, now, limit)) {
    return "stale-on-failure";
  }
  return {};
}

io::Task<void> CacheHandler::AnswerFailure(Trip& trip, Error error, int status) {
  const std::string_view reason = StandInReason(trip.stale.get(), trip.asked.control, status);
  if (!reason.empty()) {
    stood_in_.Add();
    trip.content = trip.stale->kind;
    trip.source = Costs::Source::kCache;
    trip.status.ttl = trip.stale->freshness.Left(options_.loop.Now());
    trip.status.detail = reason;
    co_await AnswerStored(trip.exchange, {.asked = trip.asked,
                                          .response = trip.stale,
                                          .status = trip.status,
                                          .path = trip.path,
                                          .own_origin = trip.own_origin,
                                          .nonce = random_.Next()});
    co_return;
  }
  if (error.code == Errc::kUnavailable) unavailable_.Add();
  if (trip.stale != nullptr && MustBeConfirmedWhenStale(trip.stale->control)) {
    trip.status.detail = "must-revalidate";
    co_await AnswerHere(trip.exchange, 504, "no data center could confirm what is stored\n",
                        trip.status);
  } else if (error.code == Errc::kUnavailable) {
    co_await AnswerHere(trip.exchange, 503, error.message + "\n", trip.status);
  } else {
    co_await AnswerHere(trip.exchange, http::FailureStatus(error), "no data center could answer\n",
                        trip.status);
  }
}

void CacheHandler::KeepFromOthers(const std::shared_ptr<Fill>& fill) {
  const KeyView key = fill->key.view();
  fills_.Remove(*fill);
  fill->slot = LoneFillSlot(KeyText(key), ++lone_fills_);
  fills_.Add(fill);  // so that an unsafe request forbids it
  passes_.Add(key.hash, options_.loop.Now());
}

void CacheHandler::End(Fill& fill, State state) {
  fills_.Remove(fill);
  fill.Become(state);
}

FillOptions CacheHandler::OptionsOfFill() {
  return {.table = fills_,
          .store = store_,
          .costs = costs_,
          .unread = unread_,
          .too_large = too_large_,
          .loop = options_.loop,
          .max_object_bytes = options_.config.cache.max_object_bytes};
}

io::Task<void> CacheHandler::AwaitStored(Fill& fill) {
  const TimePoint deadline = options_.loop.After(kMaxStoredWait);
  while (fill.state == State::kArriving) {
    if (fill.length.value_or(fill.response->body->size()) > kMaxAwaitedBytes) co_return;
    if (!co_await fill.changed.Wait(deadline)) co_return;
  }
}

void CacheHandler::Invalidate(const Trip& trip, const ResponseHead& upstream) {
  wire::http::RequestHead target;
  target.authority = trip.request().authority;
  bool https = trip.exchange.secure();
  for (const InvalidatedTarget& each : InvalidatedTargets(trip.request(), https, upstream.fields)) {
    target.path = each.path;
    target.query.reset();
    if (each.query) target.query = *each.query;
    // What was changed over one scheme is as old over the other.
    for (bool scheme : {false, true}) {
      auto key = MakeKey(target, scheme, options_.default_host, store_.seed());
      if (!key) continue;
      store_.Remove(*key);
      fills_.Forbid(KeyText(*key));
    }
  }
}

}  // namespace meridian::edge
