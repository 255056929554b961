// The part of CacheHandler that asks the origin: for all who wait on a fill, or behind their backs.
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
#include "edge/fetch/fill.hpp"
#include "edge/fetch/fill_maker.hpp"
#include "edge/fetch/forwarded_fields.hpp"
#include "edge/fetch/forwarder.hpp"
#include "edge/fetch/own_origin.hpp"
#include "edge/fetch/routes.hpp"
#include "edge/fetch/trip.hpp"
#include "edge/hosts/cdn_host.hpp"
#include "edge/limits.hpp"
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
using State = Fill::State;

// Whether an answer that is not for storing lets expect the same of what others ask: not where this
// visitor's own no-store, range, conditions or long fields have brought it about.
bool TellsOfOthers(const Trip& trip, int status) {
  const bool by_condition = !trip.asks_whole && (status == 206 || status == 304 || status == 416);
  const bool by_request =
      trip.storability == Storability::kRequest || trip.storability == Storability::kVariant;
  return !by_request && !by_condition;
}

// Whether an answer to POST can be one to everybody's GET: by its own word, or because nothing said
// who asked.
bool IsPostForOthers(const wire::http::RequestHead& request, const ResponseHead& head) {
  return DirectivesOf(head.fields).control.is_public ||
         !(request.fields.Has("Cookie") || request.fields.Has("Authorization"));
}

void DropConditions(HeaderFields* fields) {
  for (std::string_view name : {"Range", "If-Range", "If-None-Match", "If-Modified-Since"}) {
    fields->Remove(name);
  }
}

}  // namespace

io::Task<void> CacheHandler::Lead(Trip& trip, std::shared_ptr<Fill> fill) {
  Fill::Reader reader(fill);
  trip.asked_at = options_.loop.Now();
  ForwardedFields forwarded(trip.request(), {.peer = trip.exchange.peer(),
                                             .https = trip.exchange.secure(),
                                             .debug = trip.debug,
                                             .without_cookies = trip.without_cookies,
                                             .underscores = options_.config.underscores,
                                             .loop_id = options_.loop_id,
                                             .ids = trip.record.Ids(trip.request(), random_)});
  HeaderFields fields = forwarded.fields();
  bool conditional = trip.stale != nullptr && !trip.asked.head;
  trip.asks_whole = trip.shared || conditional;
  if (trip.asks_whole) DropConditions(&fields);
  if (conditional) {
    AddConditions(trip.stale->validators, trip.stale->confirmed_each_time(), &fields);
  }
  trip.rest.reset();
  if (trip.shared && trip.partial) {
    trip.rest = RestOf(*trip.partial->piece, trip.partial->validators,
                       std::min(kMaxCombinedBytes, options_.config.cache.max_object_bytes));
  }
  std::string range;
  if (trip.rest) {
    range = fmt::format("bytes={}-{}", trip.rest->first, trip.rest->last);
    fields.Add("Range", range);
    fields.Add("If-Range", trip.partial->validators.etag);
  }

  Taking taking = Taking::kRelay;
  http::RelayOptions relay{
      .edit_response = [&](const ResponseHead& head,
                           HeaderFields& edited) { EditResponse(trip, head, edited); },
      .takes =
          [&](const ResponseHead& head, bool uploaded) {
            trip.uploaded = uploaded;
            taking = JudgeTaking(trip, fill, head);
            // Those who wait need not wait for a body that is not theirs.
            if (taking == Taking::kRelay) End(*fill, State::kAlone);
            return taking != Taking::kRelay;
          },
      .sender = {.underscores = options_.config.underscores},
      .default_host = options_.default_host};
  forwarded_.Add();
  Forwarding forwarding =
      co_await options_.forwarder.Forward(trip.exchange, fields, relay, trip.record);
  bool gone = forwarding.error.code == Errc::kCancelled;
  trip.source = Costs::Fetched(forwarding.crosses);
  switch (forwarding.kind) {
    case Forwarding::Kind::kAnswered:
      costs_.CountFetch(trip.content, forwarding.crosses, trip.exchange.sent_bytes());
      // The visitor has left before there was a head: somebody else is to ask.
      if (!fill->over()) End(*fill, State::kAbandoned);
      co_return;
    case Forwarding::Kind::kTaken:
      // A body that is stored is counted where it is read.
      fill->crosses = forwarding.crosses;
      if (taking != Taking::kStore) {
        CountHeadAlone(forwarding.taken->head(), trip.stale.get(), forwarding.crosses);
      }
      co_return co_await AnswerTaken(trip, reader, taking, std::move(forwarding.taken));
    case Forwarding::Kind::kFailed:
    case Forwarding::Kind::kUnavailable:
      trip.source = Costs::Source::kHere;
      fill->error = forwarding.error;
      if (!fill->over()) End(*fill, gone ? State::kAbandoned : State::kFailed);
      if (!gone) co_await AnswerFailure(trip, std::move(forwarding.error), 0);
  }
}

FillMaker::Asking CacheHandler::AskingOf(const Trip& trip) const {
  return {.asked = trip.asked,
          .request = trip.request().fields,
          .at = trip.asked_at,
          .without_cookies = trip.without_cookies};
}

void CacheHandler::FreshenByHead(Trip& trip, Fill& fill, const ResponseHead& head) {
  const std::shared_ptr<StoredResponse>& stored = trip.stale;
  if (stored == nullptr || stored->status != 200 || head.status != 200) return;
  switch (JudgeHead(head, stored->validators, stored->body->size())) {
    case HeadVerdict::kSame:
      // It speaks of what this visitor would get; of another's page it is no confirmation.
      if (stored->by_cookie || stored->confirmed_each_time()) return;
      maker_.Freshen(AskingOf(trip), head, stored, fill);
      trip.status.stored = fill.stored;
      break;
    case HeadVerdict::kOther:
      // It may still stand in for an origin that fails.
      stored->freshness.MakeStale(options_.loop.Now());
      break;
    case HeadVerdict::kUnknown:
      break;
  }
}

CacheHandler::Taking CacheHandler::JudgePiece(Trip& trip, const std::shared_ptr<Fill>& fill,
                                              const ResponseHead& head) {
  const bool wanted = trip.stale == nullptr && (trip.asked.range || trip.rest);
  if (trip.storability == Storability::kStore) {
    trip.storability = wanted ? maker_.BeginPiece(AskingOf(trip), head, trip.partial, *fill)
                              : Storability::kStatus;
  }
  const bool stores = trip.storability == Storability::kStore;
  if (trip.rest) {
    trip.status.forward_status = head.status;
    // Everybody waits for the whole.
    if (stores && !fill->response->piece) return Taking::kStore;
    fill->response = nullptr;
    return Taking::kAskAgain;
  }
  if (stores && fill->response->piece) KeepFromOthers(fill);
  if (!stores && TellsOfOthers(trip, head.status)) passes_.Add(trip.key->hash, options_.loop.Now());
  return stores ? Taking::kStore : Taking::kRelay;
}

CacheHandler::Taking CacheHandler::JudgePost(Trip& trip, const std::shared_ptr<Fill>& fill,
                                             const ResponseHead& head) {
  // An answer to half of a request is none to a GET, and taking it would cut the other half off.
  const bool is_own = trip.key && trip.uploaded && head.status == 200 &&
                      maker_.SaysFreshness(head) &&
                      IsOfItsOwnTarget(trip.request(), trip.exchange.secure(), head.fields);
  if (!is_own || !IsPostForOthers(trip.request(), head)) return Taking::kRelay;
  const CacheRequest asked = ReadPostAsGet(trip.request());
  const FillMaker::Asking asking{.asked = asked,
                                 .request = trip.request().fields,
                                 .at = trip.asked_at,
                                 .without_cookies = trip.without_cookies};
  if (maker_.Judge(asking, head) != Storability::kStore) return Taking::kRelay;
  // What it makes out of date it does not make of itself.
  Invalidate(trip, head);
  KeepFromOthers(fill);
  if (maker_.Begin(asking, head, *fill) != Storability::kStore) return Taking::kRelay;
  return Taking::kStore;
}

CacheHandler::Taking CacheHandler::JudgeTaking(Trip& trip, const std::shared_ptr<Fill>& asked_by,
                                               const ResponseHead& head) {
  Fill& fill = *asked_by;
  const FillMaker::Asking asking = AskingOf(trip);
  trip.storability = maker_.Judge(asking, head);
  if (trip.storability == Storability::kTooLarge && trip.key) {
    too_large_.Add(trip.key->hash, options_.loop.Now());
  }
  NoteFetch(trip, head);
  if (trip.request().method == "POST") return JudgePost(trip, asked_by, head);
  if (!trip.key || trip.asked.bypass != Bypass::kNone) return Taking::kRelay;
  if (!StandInReason(trip.stale.get(), trip.asked.control, head.status).empty()) {
    trip.status.forward_status = head.status;
    fill.failed_status = head.status;
    return Taking::kStandIn;
  }
  if (trip.asked.head) {
    FreshenByHead(trip, fill, head);
    return Taking::kRelay;
  }
  if (head.status == 206) return JudgePiece(trip, asked_by, head);
  if (trip.rest && head.status == 416) {
    store_.Remove(*trip.key);
    return Taking::kAskAgain;
  }
  if (trip.stale != nullptr) {
    trip.status.forward_status = head.status;
    if (head.status == 304) {
      bool confirmed = maker_.Confirm(asking, head, trip.stale, fill);
      return confirmed ? Taking::kConfirm : Taking::kAskAgain;
    }
  }
  if (trip.storability == Storability::kStore) {
    trip.storability = maker_.Begin(asking, head, fill);
  }
  if (trip.storability == Storability::kStore) return Taking::kStore;
  if (TellsOfOthers(trip, head.status)) passes_.Add(trip.key->hash, options_.loop.Now());
  // What the origin no longer lets be stored is no longer good to stand in either.
  const bool gone = !ConcernsRequestAlone(trip.storability) && head.status < 500;
  if (trip.stale != nullptr && gone) store_.Remove(*trip.key);
  if (!trip.asks_whole || head.status != 200) return Taking::kRelay;
  // The origin was not told of the visitor's conditions; they are judged by its answer.
  if (trip.asked.conditional() &&
      IsNotModified(trip.asked, ValidatorsOf(head.fields), options_.loop.Wall())) {
    return Taking::kNotModified;
  }
  return trip.asked.range ? Taking::kAskAgain : Taking::kRelay;
}

io::Task<void> CacheHandler::AnswerTaken(Trip& trip, Fill::Reader& reader, Taking taking,
                                         std::unique_ptr<http::ClientExchange> taken) {
  Fill& fill = reader.fill();
  switch (taking) {
    case Taking::kRelay:
      co_return;  // was not taken
    case Taking::kStore:
      filled_.Add();
      if (fill.response->confirmed_each_time()) {
        KeepFromOthers(reader.shared());
      } else {
        passes_.Remove(trip.key->hash);
      }
      options_.scope.Spawn(FillBody(OptionsOfFill(), reader.shared(), std::move(taken)));
      fill.Become(State::kArriving);
      co_await AwaitStored(fill);
      trip.status.stored = fill.stored;
      break;
    case Taking::kConfirm:
      confirmed_.Add();
      trip.source = Costs::Source::kConfirmed;
      taken.reset();
      End(fill, fill.kept ? State::kDone : State::kAlone);
      trip.status.stored = fill.stored;
      break;
    case Taking::kStandIn:
      taken.reset();
      End(fill, State::kFailed);
      co_return co_await AnswerFailure(trip, fill.error, fill.failed_status);
    case Taking::kNotModified:
      End(fill, State::kAlone);
      co_return co_await AnswerNotModified(trip, taken->head());
    case Taking::kAskAgain:
      taken.reset();
      End(fill, State::kAlone);
      trip.stale = nullptr;
      trip.partial = nullptr;
      trip.shared = false;
      co_return co_await Lead(trip, MakeLoneFill(trip));
  }
  trip.status.ttl = fill.response->freshness.Left(options_.loop.Now());
  co_await AnswerStored(trip.exchange, {.asked = trip.asked,
                                        .response = fill.response,
                                        .status = trip.status,
                                        .reader = &reader,
                                        .path = trip.path,
                                        .own_origin = trip.own_origin,
                                        .nonce = random_.Next()});
}

io::Task<void> CacheHandler::AnswerNotModified(Trip& trip, const ResponseHead& head) {
  HeaderFields fields;
  for (const wire::http::HeaderField& field : PassedOn(head)) {
    bool cookie = wire::http::EqualsIgnoreCase(field.name, "Set-Cookie");
    if (cookie && trip.without_cookies) continue;
    if (BelongsIn304(field.name)) fields.Add(field.name, field.value);
  }
  trip.status.detail = StorabilityName(trip.storability);
  CacheStatusText status(trip.status);
  fields.Add("Cache-Status", status.text());
  Result<void> begun = trip.exchange.Start({.status = 304, .fields = fields});
  if (begun) (void)co_await trip.exchange.Finish({}, {});
}

void CacheHandler::EditResponse(Trip& trip, const ResponseHead& upstream, HeaderFields& fields) {
  const bool unsafe = Invalidates(trip.request().method, upstream.status);
  if (unsafe && trip.key) Invalidate(trip, upstream);
  if (trip.without_cookies) fields.Remove("Set-Cookie");
  fields.Add("Via", ViaEntry(upstream.minor_version));
  std::string_view rest = fields.Find(site::kPathField).value_or("");
  if (trip.debug) trip.path = fmt::format("edge={} {}", options_.here, rest);
  site::RemoveInternalFields(fields);  // told to who asks, and by nobody but us
  if (trip.debug) fields.Add(site::kPathField, trip.path);
  trip.status.forward_status = upstream.status;
  bool looked_up = trip.asked.bypass == Bypass::kNone && trip.key;
  // A head has no body that could be stored.
  bool is_storable_head = trip.asked.head && trip.storability == Storability::kStore;
  if (looked_up && !is_storable_head) trip.status.detail = StorabilityName(trip.storability);
  trip.status_text.emplace(trip.status);
  fields.Add("Cache-Status", trip.status_text->text());
  if (!trip.own_origin.empty() && !fields.Has(kAllowOriginField)) {
    fields.Add(kAllowOriginField, trip.own_origin);
    fields.Add("Vary", "Origin");
  }
}

void CacheHandler::FetchBehind(const Trip& trip, const std::shared_ptr<StoredResponse>& stale) {
  if (behind_ >= kMaxBackgroundFills) return;
  std::string slot = FillSlot(KeyText(*trip.key), stale->vary, stale->variant);
  if (fills_.Find(slot) != nullptr) return;
  auto fill = std::make_shared<Fill>(*trip.key, std::move(slot), store_.mark());
  fills_.Add(fill);
  ForwardedFields forwarded(trip.request(), {.peer = trip.exchange.peer(),
                                             .https = trip.exchange.secure(),
                                             .without_cookies = trip.without_cookies,
                                             .underscores = options_.config.underscores,
                                             .loop_id = options_.loop_id,
                                             .ids = trip.record.Ids(trip.request(), random_)});
  HeaderFields fields = forwarded.fields();
  DropConditions(&fields);
  AddConditions(stale->validators, stale->confirmed_each_time(), &fields);
  options_.scope.Spawn(Fetch(fill, stale, OwnedFields(fields), OwnedFields(trip.request().fields)));
}

io::Task<void> CacheHandler::Fetch(std::shared_ptr<Fill> fill,
                                   std::shared_ptr<StoredResponse> stale, OwnedFields request,
                                   OwnedFields visitors) {
  ++behind_;
  Fill::Reader reader(fill);  // so that it is finished
  const HeaderFields fields = request.view();
  // By these, as the next visitor's are, and not by what the origin was told beside them.
  const HeaderFields variant_fields = visitors.view();
  const KeyView key = fill->key.view();
  const CacheRequest asked{.authorized = fields.Has("Authorization")};
  const FillMaker::Asking asking{.asked = asked,
                                 .request = variant_fields,
                                 .at = options_.loop.Now(),
                                 .without_cookies = IsCdnHost(key.host, options_.cdn_domain)};
  Forwarding forwarding = co_await options_.forwarder.Ask(
      {.path = key.path, .query = key.query, .host = key.host, .fields = fields});
  if (forwarding.kind != Forwarding::Kind::kTaken) {
    fill->error = std::move(forwarding.error);
    --behind_;
    co_return End(*fill, State::kFailed);
  }
  State state = State::kAlone;
  fill->crosses = forwarding.crosses;
  const ResponseHead& head = forwarding.taken->head();
  NoteFetchBehind(key, stale.get(), asking, head);
  // What is stored is better than an error, also than one that may be stored.
  const bool stands_in = !StandInReason(stale.get(), {}, head.status).empty();
  if (head.status == 304) {
    if (maker_.Confirm(asking, head, stale, *fill)) {
      confirmed_.Add();
      if (fill->kept) state = State::kDone;
    } else {
      store_.Remove(key);
    }
  } else if (!stands_in && head.status != 206 &&
             maker_.Judge(asking, head) == Storability::kStore &&
             maker_.Begin(asking, head, *fill) == Storability::kStore) {
    filled_.Add();
    reader.Advance(std::numeric_limits<uint64_t>::max());
    fill->Become(State::kArriving);
    co_await FillBody(OptionsOfFill(), fill, std::move(forwarding.taken));
    --behind_;
    co_return;
  } else if (stands_in || IsErrorForStale(head.status)) {
    fill->failed_status = head.status;
    state = State::kFailed;
  } else {
    store_.Remove(key);
  }
  CountHeadAlone(head, stale.get(), forwarding.crosses);
  --behind_;
  End(*fill, state);
}

}  // namespace meridian::edge
