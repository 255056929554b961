#include "edge/fetch/versions.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/core.h>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/metrics.hpp"
#include "base/random.hpp"
#include "edge/cache/cache_key.hpp"
#include "edge/cache/cache_status.hpp"
#include "edge/cache/request_directives.hpp"
#include "edge/cache/storage/content_kind.hpp"
#include "edge/cache/storage/memory_store.hpp"
#include "edge/cache/storage/stored_response.hpp"
#include "edge/cache/storage/versioned_response.hpp"
#include "edge/costs/costs.hpp"
#include "edge/fetch/answer.hpp"
#include "edge/fetch/own_origin.hpp"
#include "edge/fetch/own_request.hpp"
#include "edge/fetch/routes.hpp"
#include "edge/hosts/cdn_host.hpp"
#include "edge/hosts/content_version.hpp"
#include "edge/hosts/versioned_path.hpp"
#include "edge/limits.hpp"
#include "edge/visitors/visitor_record.hpp"
#include "http/exchange.hpp"
#include "io/task.hpp"
#include "wire/http/message.hpp"
#include "wire/json/writer.hpp"

namespace meridian::edge {

using wire::http::HeaderFields;

namespace {

constexpr CacheStatus kReserved = {.detail = "reserved"};
constexpr const char* kRequests = "meridian_edge_versioned_requests_total";
constexpr const char* kRequestsHelp = "Requests for versioned paths by what became of them.";

std::string TargetOf(std::string_view path, std::optional<std::string_view> query) {
  std::string target(path);
  if (query) target.append("?").append(*query);
  return target;
}

}  // namespace

Versions::Versions(Options options)
    : options_(std::move(options)),
      random_(EntropySeed()),
      hits_(options_.metrics.AddCounter(kRequests, kRequestsHelp, {{"result", "hit"}})),
      made_(options_.metrics.AddCounter(kRequests, kRequestsHelp, {{"result", "made"}})),
      redirected_(
          options_.metrics.AddCounter(kRequests, kRequestsHelp, {{"result", "redirected"}})) {}

io::Task<void> Versions::Handle(http::Exchange& exchange, VersionedPath versioned,
                                VisitorRecord& record) {
  const CacheRequest asked = ReadCacheRequest(exchange.request());
  if (asked.bypass == Bypass::kMethod) {
    co_return co_await Refuse(exchange, 405, "a version allows only GET and HEAD\n", {});
  }
  const std::optional<KeyView> key = MakeKey(exchange.request(), exchange.secure(),
                                             options_.default_host, options_.cache.store().seed());
  std::shared_ptr<StoredResponse> response;
  if (key) response = Stored(*key, exchange.loop().Now());
  CacheStatus status{.hit = response != nullptr};
  if (response == nullptr && asked.control.only_if_cached) {
    co_return co_await Refuse(exchange, 504,
                              "no stored response can answer this (only-if-cached)\n",
                              {.detail = "only-if-cached"});
  }
  // The origin evaluates preconditions.
  if (response == nullptr && key && asked.bypass != Bypass::kPrecondition) {
    status.forwarded = Forwarded::kUriMiss;
    status.stored = true;
    response = co_await Make(exchange, versioned, *key, record);
  }
  if (response == nullptr || asked.bypass == Bypass::kPrecondition) {
    record.result = VisitorResult::kHere;
    co_return co_await Redirect(exchange, versioned.path);
  }
  if (status.hit) {
    hits_.Add();
    record.result = VisitorResult::kHit;
  }
  const ContentKind content = response->kind;
  status.ttl = response->freshness.Left(exchange.loop().Now());
  co_await AnswerStored(exchange,
                        {.asked = asked,
                         .response = std::move(response),
                         .status = status,
                         .own_origin = OwnOrigin(exchange.request(), options_.default_host),
                         .nonce = random_.Next()});
  // A fetch of the plain path was counted as a fetch.
  Count(exchange, content, status.hit ? Costs::Source::kCache : Costs::Source::kHere);
}

void Versions::Count(const http::Exchange& exchange, ContentKind content, Costs::Source from) {
  const uint64_t sent = exchange.sent_bytes();
  if (sent > 0) options_.cache.costs().CountVisitor(content, from, sent);
}

io::Task<void> Versions::Refuse(http::Exchange& exchange, int status, std::string_view text,
                                CacheStatus cache) {
  co_await AnswerHere(exchange, status, text, cache);
  Count(exchange, ContentKind::kOther, Costs::Source::kHere);
}

std::shared_ptr<StoredResponse> Versions::Stored(const KeyView& key, TimePoint now) {
  if (options_.cache.isolated()) return nullptr;
  std::shared_ptr<StoredResponse> found = options_.cache.store().Find(key, {}).response;
  // After a soft purge the version is stale: the plain path decides whether the content is valid.
  bool fresh = found != nullptr && found->freshness.Left(now) > Duration::zero();
  return fresh ? found : nullptr;
}

io::Task<std::shared_ptr<StoredResponse>> Versions::Make(http::Exchange& exchange,
                                                         VersionedPath versioned,
                                                         const KeyView& key,
                                                         VisitorRecord& record) {
  MemoryStore& store = options_.cache.store();
  const uint64_t mark = store.mark();
  const std::string target = TargetOf(versioned.path, key.query);
  PlainContent plain = co_await FetchPlain(exchange, target, record);
  if (plain.response == nullptr) co_return nullptr;
  if (ContentVersion(*plain.response->body) != versioned.version) co_return nullptr;
  // A concurrent request may have made the version.
  if (std::shared_ptr<StoredResponse> other = Stored(key, exchange.loop().Now())) co_return other;
  std::shared_ptr<StoredResponse> made = MakeVersionedResponse({.plain = *plain.response,
                                                                .version = versioned.version,
                                                                .lifetime = kVersionLifetime,
                                                                .now = exchange.loop().Now()});
  // A purge since `mark` or the budget may forbid it.
  if (made == nullptr || !store.Store(key, made, mark)) co_return nullptr;
  made_.Add();
  co_return made;
}

io::Task<Versions::PlainContent> Versions::FetchPlain(http::Exchange& visitor,
                                                      std::string_view target,
                                                      VisitorRecord& record) {
  OwnRequest request(visitor, target, kMaxVersionedBytes);
  (void)record.Ids(visitor.request(), random_);  // the own request has the visitor's ids
  co_await options_.cache.Handle(request, {.own = true, .record = &record});
  if (request.status() == 0) co_return PlainContent{.status = 502, .problem = "it gets no answer"};
  if (request.status() != 200) {
    bool failed = request.status() >= 500;
    co_return PlainContent{.status = failed ? 502 : 404,
                           .problem = fmt::format("it answers {}", request.status())};
  }
  MemoryStore& store = options_.cache.store();
  auto key = MakeKey(request.request(), request.secure(), options_.default_host, store.seed());
  std::shared_ptr<StoredResponse> found;
  if (key) found = store.Find(*key, request.request().fields).response;
  bool too_large = request.too_large() || (found && found->body->size() > kMaxVersionedBytes);
  if (too_large) {
    co_return PlainContent{.problem = fmt::format("it has more than {} bytes", kMaxVersionedBytes)};
  }
  if (found == nullptr || found->status != 200) {
    std::string_view why = request.detail();
    if (why.empty()) why = "no room";
    co_return PlainContent{.problem = fmt::format("the cache does not keep it: {}", why)};
  }
  // Such a response may be another visitor's: only the origin can tell.
  if (found->needs_validation_each_time()) co_return PlainContent{.problem = "it is never fresh"};
  co_return PlainContent{.response = std::move(found), .status = 200};
}

io::Task<void> Versions::Redirect(http::Exchange& exchange, std::string_view path) {
  redirected_.Add();
  const CacheStatusText status({.forwarded = Forwarded::kUriMiss, .detail = "other-content"});
  const std::string location = TargetOf(path, exchange.request().query);
  const std::string_view own_origin = OwnOrigin(exchange.request(), options_.default_host);
  HeaderFields fields;
  fields.Add("Location", location);
  fields.Add("Cache-Control", "no-store");
  fields.Add("Cache-Status", status.text());
  fields.Add("Via", ViaEntry());
  if (!own_origin.empty()) {
    fields.Add(kAllowOriginField, own_origin);
    fields.Add("Vary", "Origin");
  }
  (void)co_await exchange.Respond({.status = 307, .fields = fields}, {});
  Count(exchange, ContentKind::kOther, Costs::Source::kHere);
}

bool Versions::MayReveal(const http::Exchange& exchange, std::string_view target) const {
  if (!IsCdnHost(exchange.request().authority, options_.cdn_domain)) return true;
  wire::http::RequestHead plain;
  plain.method = "GET";
  plain.path = target.substr(0, target.find('?'));
  return JudgeCdn(plain, options_.config.cdn_paths) == CdnVerdict::kServe;
}

io::Task<void> Versions::AnswerVersionQuery(http::Exchange& exchange) {
  const wire::http::RequestHead& request = exchange.request();
  if (request.method != "GET" && request.method != "HEAD") {
    co_return co_await AnswerHere(exchange, 405, "ask with GET\n", kReserved);
  }
  const std::optional<std::string> target = TargetOfQuery(request.query.value_or(""));
  if (!target) {
    co_return co_await AnswerHere(exchange, 400,
                                  "ask for a path: /.meridian/version?path=/logo.png\n", kReserved);
  }
  PlainContent plain{.problem = "no static file is there"};
  VisitorRecord record;
  if (MayReveal(exchange, *target)) plain = co_await FetchPlain(exchange, *target, record);
  if (plain.response == nullptr) {
    const std::string text = fmt::format("{} has no version: {}\n", *target, plain.problem);
    co_return co_await AnswerHere(exchange, plain.status, text, kReserved);
  }
  const std::string version = ContentVersion(*plain.response->body);
  wire::json::Writer writer;
  writer.BeginObject();
  writer.Member("path", *target);
  writer.Member("url", MakeVersionedPath({.version = version, .path = *target}));
  writer.Member("version", version);
  writer.EndObject();
  const std::string text = writer.Take() + "\n";
  const CacheStatusText status(kReserved);
  HeaderFields fields;
  fields.Add("Content-Type", "application/json");
  fields.Add("Cache-Control", "no-store");
  fields.Add("Cache-Status", status.text());
  fields.Add("Via", ViaEntry());
  (void)co_await exchange.Respond({.fields = fields}, AsBytes(text));
}

}  // namespace meridian::edge
