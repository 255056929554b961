// Transaction: one request on its way through the cache: what is known from the start, and the
// result of each stage (look-up, request to the origin, costs). And the fields of a request that
// outlives its visitor. Owned by the handler of the request; one fiber.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "edge/cache/cache_key.hpp"
#include "edge/cache/cache_status.hpp"
#include "edge/cache/request_directives.hpp"
#include "edge/cache/storability.hpp"
#include "edge/cache/storage/content_kind.hpp"
#include "edge/cache/storage/stored_response.hpp"
#include "edge/costs/costs.hpp"
#include "edge/costs/waste.hpp"
#include "edge/visitors/visitor_record.hpp"
#include "http/exchange.hpp"
#include "wire/http/fields/byte_range.hpp"
#include "wire/http/message.hpp"

namespace meridian::edge {

// What the store has for a request.
struct Lookup {
  enum class Outcome : uint8_t {
    kAnswer,        // `hit` may answer now
    kOnlyIfCached,  // nothing may, and the client wants no other answer
    kForward,       // the origin must be asked
  };
  Outcome outcome = Outcome::kForward;
  std::shared_ptr<StoredResponse> hit = {};
  std::shared_ptr<StoredResponse> stale = {};    // the origin is to confirm it
  std::shared_ptr<StoredResponse> partial = {};  // a piece, of which the request wants more or all
  // The selecting header fields of the stored variants, and the request's variant by them.
  std::string vary = {};
  std::string variant = {};
};

// How the origin is asked.
struct OriginRequest {
  bool shared = false;                             // other requests wait for its answer
  bool asks_whole = false;                         // without the visitor's own Range and conditions
  std::optional<wire::http::ByteRange> rest = {};  // the part that completes Lookup::partial
  TimePoint asked_at = {};
  bool uploaded = false;  // all of the request was sent when its answer came
};

// What is counted of a request when it is over.
struct RequestCosts {
  ContentKind content = ContentKind::kOther;
  Costs::Source source = Costs::Source::kHere;
  Storability storability = Storability::kRequest;
  std::optional<Waste> waste = {};
  bool judged = false;  // the headers were judged, by the first answer to this request
};

struct Transaction {
  // Known from the start.
  http::Exchange& exchange;
  VisitorRecord& record;
  CacheRequest asked;
  bool debug = false;
  std::optional<KeyView> key = {};
  std::string_view own_origin = {};  // OwnOrigin
  bool without_cookies = false;      // at the CDN's host

  // The result of each stage.
  Lookup lookup = {};
  OriginRequest origin = {};
  RequestCosts costs = {};
  CacheStatus status = {};

  // Texts that outlive the head which they are written into.
  std::string path = {};
  std::optional<CacheStatusText> status_text = {};

  const wire::http::RequestHead& request() const { return exchange.request(); }
};

// Header fields with what they point to.
class OwnedFields {
 public:
  explicit OwnedFields(const wire::http::HeaderFields& fields) {
    for (const wire::http::HeaderField& field : fields) {
      lines_.emplace_back(std::string(field.name), std::string(field.value));
    }
  }
  wire::http::HeaderFields view() const {
    wire::http::HeaderFields fields;
    for (const auto& [name, value] : lines_) fields.Add(name, value);
    return fields;
  }

 private:
  std::vector<std::pair<std::string, std::string>> lines_;
};

}  // namespace meridian::edge
