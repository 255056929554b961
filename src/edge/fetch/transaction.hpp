// Transaction: one visitor's request on its way through the edge, and the fields of a request that
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

struct Transaction {
  http::Exchange& exchange;
  VisitorRecord& record;
  CacheRequest asked;
  bool debug = false;
  std::optional<KeyView> key = {};
  std::shared_ptr<StoredResponse> hit = {};
  CacheStatus status = {};
  std::string_view own_origin = {};  // OwnOrigin
  bool without_cookies = false;      // at the CDN's host
  // Of the stored variants, while the request goes forward.
  std::string vary = {};
  std::string variant = {};
  std::shared_ptr<StoredResponse> stale = {};  // that the origin is to confirm
  // Of which a piece is there, and the request wants more or all; `rest` is then asked for.
  std::shared_ptr<StoredResponse> partial = {};
  std::optional<wire::http::ByteRange> rest = {};
  bool shared = false;      // others wait for what this one asks
  bool asks_whole = false;  // of the origin: without Range and conditions of the visitor's own
  bool uploaded = false;    // all of the request was sent when its answer came
  TimePoint asked_at = {};
  Storability storability = Storability::kRequest;
  // For costs.
  ContentKind content = ContentKind::kOther;
  Costs::Source source = Costs::Source::kHere;
  std::optional<Waste> waste = {};
  bool judged = false;  // its headers, by the first answer to this request
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
