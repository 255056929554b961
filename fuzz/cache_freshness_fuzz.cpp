// Freshness and all that a response's fields decide: whatever an origin says, lifetimes and ages
// are within their bounds, what must not be shared is not for storing, and what is stored can be
// sent and read back. Input: a response head, as it comes from the wire.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/check.hpp"
#include "base/clock.hpp"
#include "edge/cache/freshness.hpp"
#include "edge/cache/limits.hpp"
#include "edge/cache/piece.hpp"
#include "edge/cache/request_directives.hpp"
#include "edge/cache/stale.hpp"
#include "edge/cache/storability.hpp"
#include "edge/cache/storage/body.hpp"
#include "edge/cache/storage/byte_budget.hpp"
#include "edge/cache/storage/stored_response.hpp"
#include "edge/cache/validation.hpp"
#include "wire/http/fields/cache_control.hpp"
#include "wire/http/fields/date.hpp"
#include "wire/http/head_parser.hpp"

namespace meridian::edge {
namespace {

constexpr TimePoint kNow{std::chrono::hours{1}};

void CheckStored(const wire::http::ResponseHead& head, const ResponseDirectives& directives,
                 Duration lifetime, WallTime wall) {
  auto budget = std::make_shared<ByteBudget>(size_t{1} << 20);
  auto response = MakeStoredResponse({.status = head.status,
                                      .fields = head.fields,
                                      .request = head.fields,
                                      .control = directives.control,
                                      .freshness = {.received = kNow, .lifetime = lifetime},
                                      .received = wall,
                                      .body = std::make_shared<Body>(budget)},
                                     budget);
  if (response == nullptr) return;
  CHECK(response->charge.bytes() >= response->MemoryBytes());
  wire::http::HeaderFields lines = response->ParseLines();
  CHECK(lines.Has("Date") && !lines.Has("Age") && !lines.Has("Content-Length"));
  wire::http::HeaderFields updated = UpdatedFields(lines, head.fields);
  const Validators sent = ValidatorsOf(head.fields);
  CHECK(Confirms(head.fields, sent, false));
  CHECK(Confirms(head.fields, sent, true) || !sent.any());
  (void)updated;
}

void Fuzz(std::string_view input) {
  wire::http::ResponseHeadParser parser;
  wire::http::ResponseHead head;
  auto outcome = parser.Parse(input, {}, &head);
  if (outcome.state != wire::http::HeadOutcome::State::kDone || head.is_interim()) return;
  WallTime wall = *wire::http::ParseDate("Sat, 21 Nov 2026 10:00:00 GMT", WallTime{});
  ResponseDirectives directives = DirectivesOf(head.fields);
  auto lifetime = FreshnessLifetime(directives, head.fields, head.status, wall, true);
  if (lifetime) CHECK(*lifetime >= Duration::zero() && *lifetime <= wire::http::kMaxDeltaSeconds);
  Duration age = InitialAge(head.fields, wall, std::chrono::seconds{1});
  CHECK(age >= Duration::zero() && age <= wire::http::kMaxDeltaSeconds + std::chrono::seconds{1});

  CacheRequest asked{.authorized = input.size() % 2 == 0};
  Storability storability = JudgeStorability({.request = asked,
                                              .response = head,
                                              .directives = directives,
                                              .lifetime = lifetime,
                                              .rules = {.max_object_bytes = 1 << 20}});
  Freshness freshness{
      .received = kNow, .initial_age = age, .lifetime = lifetime.value_or(Duration::zero())};
  Use use = JudgeUse(freshness, directives.control, {}, kNow);
  CHECK(use != Use::kFresh || freshness.Left(kNow) > Duration::zero());
  if (storability != Storability::kStore) return;
  CHECK(!directives.control.is_private && head.status >= 200 && head.status < 600);
  // A part says where it lies; what is not fresh can be confirmed.
  CHECK(head.status != 206 || ParsePiece(*head.fields.Find("Content-Range")));
  CHECK(lifetime || ValidatorsOf(head.fields).any());
  CheckStored(head, directives, freshness.lifetime, wall);
}

}  // namespace
}  // namespace meridian::edge

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  meridian::edge::Fuzz({reinterpret_cast<const char*>(data), size});
  return 0;
}
