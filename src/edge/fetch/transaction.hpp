// Transaction: one request in the cache: its input, and the result of each stage (look-up, request
// to the origin, costs). OwnedFields: header fields that outlive their message. Owned by the
// handler of the request; one fiber.
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

// The stored responses that match a request.
struct Lookup {
  enum class Outcome : uint8_t {
    kAnswer,        // `hit` answers the request
    kOnlyIfCached,  // no stored response may answer, and the request has only-if-cached
    kForward,       // the request goes to the origin
  };
  Outcome outcome = Outcome::kForward;
  std::shared_ptr<StoredResponse> hit = {};
  std::shared_ptr<StoredResponse> stale = {};    // needs validation by the origin
  std::shared_ptr<StoredResponse> partial = {};  // a piece; the request needs more than it has
  // The fields named by Vary of the stored variants, and the request's VariantKey for them.
  std::string vary = {};
  std::string variant = {};
};

// How the origin is asked.
struct OriginRequest {
  bool shared = false;                             // other requests wait for its answer
  bool asks_whole = false;                         // without the visitor's own Range and conditions
  std::optional<wire::http::ByteRange> rest = {};  // the part that completes Lookup::partial
  TimePoint asked_at = {};
  bool uploaded = false;  // the whole request was sent before the response came
};

// The counts of a request, for when it is over.
struct RequestCosts {
  ContentKind content = ContentKind::kOther;
  Costs::Source source = Costs::Source::kHere;
  Storability storability = Storability::kRequest;
  std::optional<Waste> waste = {};
  bool judged = false;  // by the first response to this request
};

struct Transaction {
  // The input.
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

  // Texts that the response head refers to.
  std::string path = {};
  std::optional<CacheStatusText> status_text = {};

  const wire::http::RequestHead& request() const { return exchange.request(); }
};

// Header fields with their text.
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
