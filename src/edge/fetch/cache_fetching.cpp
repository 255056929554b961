// The part of CacheHandler that asks the origin: for all requests that wait on a fetch, or in the
// background.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/core.h>

#include "base/metrics.hpp"
#include "base/result.hpp"
#include "edge/cache/cache_key.hpp"
#include "edge/cache/cache_status.hpp"
#include "edge/cache/freshness.hpp"
#include "edge/cache/invalidation.hpp"
#include "edge/cache/limits.hpp"
#include "edge/cache/piece.hpp"
#include "edge/cache/request_directives.hpp"
#include "edge/cache/stale.hpp"
#include "edge/cache/storability.hpp"
#include "edge/cache/storage/stored_response.hpp"
#include "edge/cache/validation.hpp"
#include "edge/costs/costs.hpp"
#include "edge/fetch/answer.hpp"
#include "edge/fetch/cache_handler.hpp"
#include "edge/fetch/coalesced_fetch.hpp"
#include "edge/fetch/forwarded_fields.hpp"
#include "edge/fetch/forwarder.hpp"
#include "edge/fetch/own_origin.hpp"
#include "edge/fetch/routes.hpp"
#include "edge/fetch/stored_response_maker.hpp"
#include "edge/fetch/transaction.hpp"
#include "edge/hosts/cdn_host.hpp"
#include "http/client/client_exchange.hpp"
#include "http/exchange.hpp"
#include "http/relay.hpp"
#include "io/task.hpp"
#include "site/tier/internal_fields.hpp"
#include "wire/http/characters.hpp"
#include "wire/http/message.hpp"

namespace meridian::edge {
namespace {

using wire::http::HeaderFields;
using wire::http::ResponseHead;
using State = CoalescedFetch::State;

// Whether a response that is not stored predicts that others' responses are uncacheable too: not
// when this request's own no-store, range, conditions or long fields are the reason.
bool PredictsUncacheable(const Transaction& transaction, int status) {
  const bool by_condition =
      !transaction.origin.asks_whole && (status == 206 || status == 304 || status == 416);
  const bool by_request = transaction.costs.storability == Storability::kRequest ||
                          transaction.costs.storability == Storability::kVariant;
  return !by_request && !by_condition;
}

// Whether the response to a POST may answer every visitor's GET: it is public, or the request had
// neither cookies nor Authorization.
bool IsPostResponseShareable(const wire::http::RequestHead& request, const ResponseHead& head) {
  return DirectivesOf(head.fields).control.is_public ||
         !(request.fields.Has("Cookie") || request.fields.Has("Authorization"));
}

void DropConditions(HeaderFields* fields) {
  for (std::string_view name : {"Range", "If-Range", "If-None-Match", "If-Modified-Since"}) {
    fields->Remove(name);
  }
}

bool Validates(const Transaction& transaction) {
  return transaction.lookup.stale != nullptr && !transaction.asked.head;
}

// The conditions and the range of the request to the origin. `range` holds the text of a field.
void AddConditionsOf(const Transaction& transaction, std::string* range, HeaderFields* fields) {
  const OriginRequest& origin = transaction.origin;
  const Lookup& lookup = transaction.lookup;
  if (origin.asks_whole) DropConditions(fields);
  if (Validates(transaction)) {
    AddConditions(lookup.stale->validators, lookup.stale->needs_validation_each_time(), fields);
  }
  if (!origin.rest) return;
  *range = fmt::format("bytes={}-{}", origin.rest->first, origin.rest->last);
  fields->Add("Range", *range);
  fields->Add("If-Range", lookup.partial->validators.etag);
}

}  // namespace

OriginRequest CacheHandler::PlanRequest(const Transaction& transaction) const {
  OriginRequest origin{.shared = transaction.origin.shared, .asked_at = options_.loop.Now()};
  origin.asks_whole = origin.shared || Validates(transaction);
  if (origin.shared && transaction.lookup.partial) {
    const StoredResponse& partial = *transaction.lookup.partial;
    origin.rest = RestOf(*partial.piece, partial.validators,
                         std::min(kMaxCombinedBytes, options_.config.cache.max_object_bytes));
  }
  return origin;
}

io::Task<void> CacheHandler::FetchFromOrigin(Transaction& transaction,
                                             std::shared_ptr<CoalescedFetch> fetch) {
  CoalescedFetch::Reader reader(fetch, options_.loop);
  transaction.origin = PlanRequest(transaction);
  ForwardedFields forwarded(transaction.request(),
                            {.peer = transaction.exchange.peer(),
                             .https = transaction.exchange.secure(),
                             .debug = transaction.debug && !options_.foreign_origin,
                             .without_cookies = transaction.without_cookies,
                             .underscores = options_.config.underscores,
                             .loop_id = options_.loop_id,
                             .ids = transaction.record.Ids(transaction.request(), random_)});
  HeaderFields fields = forwarded.fields();
  std::string range;
  AddConditionsOf(transaction, &range, &fields);

  HeadDecision decision = HeadDecision::kRelay;
  http::RelayOptions relay{
      .edit_response = [&](const ResponseHead& head,
                           HeaderFields& edited) { EditResponse(transaction, head, edited); },
      .takes =
          [&](const ResponseHead& head, bool uploaded) {
            transaction.origin.uploaded = uploaded;
            decision = DecideByHead(transaction, fetch, head);
            // The waiting requests do not wait for a body that they will not get.
            if (decision == HeadDecision::kRelay) End(*fetch, State::kNotShared);
            return decision != HeadDecision::kRelay;
          },
      .sender = {.underscores = options_.config.underscores},
      .default_host = options_.default_host};
  forwarded_.Add();
  ForwardResult forwarding =
      co_await options_.forwarder.Forward(transaction.exchange, fields, relay, transaction.record);
  bool gone = forwarding.error.code == Errc::kCancelled;
  transaction.costs.source = Costs::Fetched(forwarding.crosses);
  switch (forwarding.kind) {
    case ForwardResult::Kind::kAnswered:
      costs_.CountFetch(transaction.costs.content, forwarding.crosses,
                        transaction.exchange.sent_bytes());
      // The visitor left before the head: a waiting request asks the origin again.
      if (!fetch->over()) End(*fetch, State::kAbandoned);
      co_return;
    case ForwardResult::Kind::kTaken:
      // A body that is stored is counted by ReadBodyInto.
      fetch->crosses = forwarding.crosses;
      if (decision != HeadDecision::kStore) {
        CountHeadOnly(forwarding.taken->head(), transaction.lookup.stale.get(), forwarding.crosses);
      }
      co_return co_await AnswerFromOrigin(transaction, reader, decision,
                                          std::move(forwarding.taken));
    case ForwardResult::Kind::kFailed:
    case ForwardResult::Kind::kUnavailable:
      transaction.costs.source = Costs::Source::kHere;
      fetch->error = forwarding.error;
      if (!fetch->over()) End(*fetch, gone ? State::kAbandoned : State::kFailed);
      if (!gone) co_await AnswerFailure(transaction, std::move(forwarding.error), 0);
  }
}

StoredResponseMaker::RequestContext CacheHandler::ContextOf(const Transaction& transaction) const {
  return {.asked = transaction.asked,
          .request = transaction.request().fields,
          .at = transaction.origin.asked_at,
          .without_cookies = transaction.without_cookies};
}

void CacheHandler::FreshenByHead(Transaction& transaction, CoalescedFetch& fetch,
                                 const ResponseHead& head) {
  const std::shared_ptr<StoredResponse>& stored = transaction.lookup.stale;
  if (stored == nullptr || stored->status != 200 || head.status != 200) return;
  switch (JudgeHead(head, stored->validators, stored->body->size())) {
    case HeadVerdict::kSame:
      // The answer is about this visitor's response; it does not validate another visitor's.
      if (stored->by_cookie || stored->needs_validation_each_time()) return;
      maker_.Freshen(ContextOf(transaction), head, stored, fetch);
      transaction.status.stored = fetch.stored;
      break;
    case HeadVerdict::kOther:
      // The stale response may still be served when the origin fails.
      stored->freshness.MakeStale(options_.loop.Now());
      break;
    case HeadVerdict::kUnknown:
      break;
  }
}

CacheHandler::HeadDecision CacheHandler::DecideOnPiece(Transaction& transaction,
                                                       const std::shared_ptr<CoalescedFetch>& fetch,
                                                       const ResponseHead& head) {
  const bool wanted =
      transaction.lookup.stale == nullptr && (transaction.asked.range || transaction.origin.rest);
  if (transaction.costs.storability == Storability::kStore) {
    transaction.costs.storability =
        wanted ? maker_.BeginPiece(ContextOf(transaction), head, transaction.lookup.partial, *fetch)
               : Storability::kStatus;
  }
  const bool stores = transaction.costs.storability == Storability::kStore;
  if (transaction.origin.rest) {
    transaction.status.forward_status = head.status;
    // The requests wait for the whole representation.
    if (stores && !fetch->response->piece) return HeadDecision::kStore;
    fetch->response = nullptr;
    return HeadDecision::kFetchAgain;
  }
  if (stores && fetch->response->piece) StopSharing(fetch);
  if (!stores && PredictsUncacheable(transaction, head.status))
    passes_.Add(transaction.key->hash, options_.loop.Now());
  return stores ? HeadDecision::kStore : HeadDecision::kRelay;
}

CacheHandler::HeadDecision CacheHandler::DecideOnPost(Transaction& transaction,
                                                      const std::shared_ptr<CoalescedFetch>& fetch,
                                                      const ResponseHead& head) {
  // A response to half of a POST does not answer a GET, and taking it would abort the upload.
  const bool is_own =
      transaction.key && transaction.origin.uploaded && head.status == 200 &&
      maker_.SaysFreshness(head) &&
      IsContentOfTarget(transaction.request(), transaction.exchange.secure(), head.fields);
  if (!is_own || !IsPostResponseShareable(transaction.request(), head)) return HeadDecision::kRelay;
  const CacheRequest asked = ReadPostAsGet(transaction.request());
  const StoredResponseMaker::RequestContext asking{.asked = asked,
                                                   .request = transaction.request().fields,
                                                   .at = transaction.origin.asked_at,
                                                   .without_cookies = transaction.without_cookies};
  if (maker_.Judge(asking, head) != Storability::kStore) return HeadDecision::kRelay;
  // Before Begin, so that the POST does not invalidate its own response.
  Invalidate(transaction, head);
  StopSharing(fetch);
  if (maker_.Begin(asking, head, *fetch) != Storability::kStore) return HeadDecision::kRelay;
  return HeadDecision::kStore;
}

CacheHandler::HeadDecision CacheHandler::DecideByHead(
    Transaction& transaction, const std::shared_ptr<CoalescedFetch>& asked_by,
    const ResponseHead& head) {
  CoalescedFetch& fetch = *asked_by;
  const StoredResponseMaker::RequestContext asking = ContextOf(transaction);
  transaction.costs.storability = maker_.Judge(asking, head);
  if (transaction.costs.storability == Storability::kTooLarge && transaction.key) {
    too_large_.Add(transaction.key->hash, options_.loop.Now());
  }
  RecordFetch(transaction, head);
  if (transaction.request().method == "POST") return DecideOnPost(transaction, asked_by, head);
  if (!transaction.key || transaction.asked.bypass != Bypass::kNone) return HeadDecision::kRelay;
  if (!StaleReason(transaction.lookup.stale.get(), transaction.asked.control, head.status)
           .empty()) {
    transaction.status.forward_status = head.status;
    fetch.failed_status = head.status;
    return HeadDecision::kServeStale;
  }
  if (transaction.asked.head) {
    FreshenByHead(transaction, fetch, head);
    return HeadDecision::kRelay;
  }
  if (head.status == 206) return DecideOnPiece(transaction, asked_by, head);
  if (transaction.origin.rest && head.status == 416) {
    store_.Remove(*transaction.key);
    return HeadDecision::kFetchAgain;
  }
  if (transaction.lookup.stale != nullptr) {
    transaction.status.forward_status = head.status;
    if (head.status == 304) {
      bool confirmed = maker_.Confirm(asking, head, transaction.lookup.stale, fetch);
      return confirmed ? HeadDecision::kConfirm : HeadDecision::kFetchAgain;
    }
  }
  if (transaction.costs.storability == Storability::kStore) {
    transaction.costs.storability = maker_.Begin(asking, head, fetch);
  }
  if (transaction.costs.storability == Storability::kStore) return HeadDecision::kStore;
  if (PredictsUncacheable(transaction, head.status))
    passes_.Add(transaction.key->hash, options_.loop.Now());
  // A stored response whose successor must not be stored is no longer served stale either.
  const bool gone = !ConcernsRequestAlone(transaction.costs.storability) && head.status < 500;
  if (transaction.lookup.stale != nullptr && gone) store_.Remove(*transaction.key);
  if (!transaction.origin.asks_whole || head.status != 200) return HeadDecision::kRelay;
  // The origin did not get the visitor's conditions; the edge evaluates them on its response.
  if (transaction.asked.conditional() &&
      IsNotModified(transaction.asked, ValidatorsOf(head.fields), options_.loop.Wall())) {
    return HeadDecision::kNotModified;
  }
  return transaction.asked.range ? HeadDecision::kFetchAgain : HeadDecision::kRelay;
}

io::Task<void> CacheHandler::AnswerFromOrigin(Transaction& transaction,
                                              CoalescedFetch::Reader& reader, HeadDecision decision,
                                              std::unique_ptr<http::ClientExchange> taken) {
  CoalescedFetch& fetch = reader.fetch();
  switch (decision) {
    case HeadDecision::kRelay:
      co_return;  // was relayed
    case HeadDecision::kStore:
      fetched_.Add();
      if (fetch.response->needs_validation_each_time()) {
        StopSharing(reader.shared());
      } else {
        passes_.Remove(transaction.key->hash);
      }
      options_.scope.Spawn(ReadBodyInto(OptionsOfFetch(), reader.shared(), std::move(taken)));
      fetch.SetState(State::kReceiving);
      co_await AwaitStored(reader);
      transaction.status.stored = fetch.stored;
      break;
    case HeadDecision::kConfirm:
      confirmed_.Add();
      transaction.costs.source = Costs::Source::kConfirmed;
      taken.reset();
      End(fetch, fetch.shareable ? State::kDone : State::kNotShared);
      transaction.status.stored = fetch.stored;
      break;
    case HeadDecision::kServeStale:
      taken.reset();
      End(fetch, State::kFailed);
      co_return co_await AnswerFailure(transaction, fetch.error, fetch.failed_status);
    case HeadDecision::kNotModified:
      End(fetch, State::kNotShared);
      co_return co_await AnswerNotModified(transaction, taken->head());
    case HeadDecision::kFetchAgain:
      taken.reset();
      End(fetch, State::kNotShared);
      transaction.lookup.stale = nullptr;
      transaction.lookup.partial = nullptr;
      transaction.origin.shared = false;
      co_return co_await FetchFromOrigin(transaction, MakeUnsharedFetch(transaction));
  }
  transaction.status.ttl = fetch.response->freshness.Left(options_.loop.Now());
  co_await AnswerStored(transaction.exchange, {.asked = transaction.asked,
                                               .response = fetch.response,
                                               .status = transaction.status,
                                               .reader = &reader,
                                               .path = transaction.path,
                                               .own_origin = transaction.own_origin,
                                               .nonce = random_.Next()});
}

io::Task<void> CacheHandler::AnswerNotModified(Transaction& transaction, const ResponseHead& head) {
  HeaderFields fields;
  for (const wire::http::HeaderField& field : EndToEndFields(head)) {
    bool cookie = wire::http::EqualsIgnoreCase(field.name, "Set-Cookie");
    if (cookie && transaction.without_cookies) continue;
    if (BelongsIn304(field.name)) fields.Add(field.name, field.value);
  }
  transaction.status.detail = StorabilityName(transaction.costs.storability);
  CacheStatusText status(transaction.status);
  fields.Add("Cache-Status", status.text());
  Result<void> begun = transaction.exchange.Start({.status = 304, .fields = fields});
  if (begun) (void)co_await transaction.exchange.Finish({}, {});
}

void CacheHandler::EditResponse(Transaction& transaction, const ResponseHead& upstream,
                                HeaderFields& fields) {
  const bool unsafe = Invalidates(transaction.request().method, upstream.status);
  if (unsafe && transaction.key) Invalidate(transaction, upstream);
  if (transaction.without_cookies) fields.Remove("Set-Cookie");
  fields.Add("Via", ViaEntry(upstream.minor_version));
  const std::string_view rest =
      options_.foreign_origin ? "origin" : fields.Find(site::kPathField).value_or("");
  if (transaction.debug) transaction.path = fmt::format("edge={} {}", options_.here, rest);
  site::RemoveInternalFields(fields);  // only the edge itself sets Meridian-Path
  if (transaction.debug) fields.Add(site::kPathField, transaction.path);
  transaction.status.forward_status = upstream.status;
  bool looked_up = transaction.asked.bypass == Bypass::kNone && transaction.key;
  // A head has no body that could be stored.
  bool is_storable_head =
      transaction.asked.head && transaction.costs.storability == Storability::kStore;
  if (looked_up && !is_storable_head)
    transaction.status.detail = StorabilityName(transaction.costs.storability);
  transaction.status_text.emplace(transaction.status);
  fields.Add("Cache-Status", transaction.status_text->text());
  if (!transaction.own_origin.empty() && !fields.Has(kAllowOriginField)) {
    fields.Add(kAllowOriginField, transaction.own_origin);
    fields.Add("Vary", "Origin");
  }
}

void CacheHandler::FetchInBackground(const Transaction& transaction,
                                     const std::shared_ptr<StoredResponse>& stale) {
  const std::string slot = FetchSlot(KeyText(*transaction.key), stale->vary, stale->variant);
  auto [fetch, is_new] = fetches_.FindOrAdd(
      *transaction.key, slot, [](CoalescedFetch&) { return true; },
      [&] { return MakeFetch(*transaction.key, slot); });
  if (!is_new) return;
  // Another loop may have replaced it since the look-up.
  if (stale->removed || !shared_.TakeBackgroundFetch()) return End(*fetch, State::kAbandoned);
  ForwardedFields forwarded(transaction.request(),
                            {.peer = transaction.exchange.peer(),
                             .https = transaction.exchange.secure(),
                             .without_cookies = transaction.without_cookies,
                             .underscores = options_.config.underscores,
                             .loop_id = options_.loop_id,
                             .ids = transaction.record.Ids(transaction.request(), random_)});
  HeaderFields fields = forwarded.fields();
  DropConditions(&fields);
  AddConditions(stale->validators, stale->needs_validation_each_time(), &fields);
  options_.scope.Spawn(
      Fetch(fetch, stale, OwnedFields(fields), OwnedFields(transaction.request().fields)));
}

io::Task<void> CacheHandler::Fetch(std::shared_ptr<CoalescedFetch> fetch,
                                   std::shared_ptr<StoredResponse> stale, OwnedFields request,
                                   OwnedFields visitors) {
  CoalescedFetch::Reader reader(fetch, options_.loop);  // keeps the fetch going to its end
  const HeaderFields fields = request.view();
  // The variant is selected by the visitor's fields, without those that the edge adds for the
  // origin.
  const HeaderFields variant_fields = visitors.view();
  const KeyView key = fetch->key.view();
  const CacheRequest asked{.authorized = fields.Has("Authorization")};
  const StoredResponseMaker::RequestContext asking{
      .asked = asked,
      .request = variant_fields,
      .at = options_.loop.Now(),
      .without_cookies = IsCdnHost(key.host, options_.cdn_domain)};
  ForwardResult forwarding = co_await options_.forwarder.Ask(
      {.path = key.path, .query = key.query, .host = key.host, .fields = fields});
  if (forwarding.kind != ForwardResult::Kind::kTaken) {
    fetch->error = std::move(forwarding.error);
    shared_.GiveBackgroundFetch();
    co_return End(*fetch, State::kFailed);
  }
  State state = State::kNotShared;
  fetch->crosses = forwarding.crosses;
  const ResponseHead& head = forwarding.taken->head();
  RecordBackgroundFetch(key, stale.get(), asking, head);
  // The stored response is better than an error, even than a storable error.
  const bool serves_stale = !StaleReason(stale.get(), {}, head.status).empty();
  if (head.status == 304) {
    if (maker_.Confirm(asking, head, stale, *fetch)) {
      confirmed_.Add();
      if (fetch->shareable) state = State::kDone;
    } else {
      store_.Remove(key);
    }
  } else if (!serves_stale && head.status != 206 &&
             maker_.Judge(asking, head) == Storability::kStore &&
             maker_.Begin(asking, head, *fetch) == Storability::kStore) {
    fetched_.Add();
    reader.Advance(std::numeric_limits<uint64_t>::max());
    fetch->SetState(State::kReceiving);
    co_await ReadBodyInto(OptionsOfFetch(), fetch, std::move(forwarding.taken));
    shared_.GiveBackgroundFetch();
    co_return;
  } else if (serves_stale || IsErrorForStale(head.status)) {
    fetch->failed_status = head.status;
    state = State::kFailed;
  } else {
    store_.Remove(key);
  }
  CountHeadOnly(head, stale.get(), forwarding.crosses);
  shared_.GiveBackgroundFetch();
  End(*fetch, state);
}

}  // namespace meridian::edge
