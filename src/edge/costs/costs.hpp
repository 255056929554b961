// Costs: responses and bytes that the edge sends to visitors, by content type and source, and the
// savings that better header fields would bring. Each number is a metric too. Owned by the cache's
// handler of a loop; used on that loop, except ReportCosts, which any thread may call.
//
// A hit only adds to two counters, of its loop alone.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/clock.hpp"
#include "base/metrics.hpp"
#include "edge/cache/storage/content_kind.hpp"
#include "edge/costs/waste.hpp"
#include "edge/costs/wasteful_urls.hpp"
#include "site/view/cdn_report.hpp"
#include "wire/http/message.hpp"

namespace meridian::edge {

class Costs {
 public:
  // Where a visitor's answer came from.
  enum class Source : uint8_t {
    kCache,       // the cache, without a request to the origin
    kConfirmed,   // the cache, after validation by the origin
    kOrigin,      // the own data center, or the origin of an edge without a site
    kDataCenter,  // another data center
    kHere,        // the edge itself: errors, redirects
  };
  static Source Fetched(bool crossed) { return crossed ? Source::kDataCenter : Source::kOrigin; }

  Costs(Metrics& metrics, TimePoint now, WastefulUrls& wasteful);

  void CountVisitor(ContentKind kind, Source from, uint64_t bytes) {
    Add(visitors_[static_cast<size_t>(kind)][static_cast<size_t>(from)], bytes);
  }
  // Counts one response of an upstream.
  void CountFetch(ContentKind kind, bool crossed, uint64_t bytes) {
    Add(fetches_[static_cast<size_t>(kind)][crossed ? 1 : 0], bytes);
  }

  WastefulUrls& wasteful() { return wasteful_; }

 private:
  friend site::CdnReport ReportCosts(std::span<const Costs* const> loops,
                                     const WastefulUrls& wasteful, TimePoint now);
  static constexpr size_t kSources = 5;
  struct Pair {
    Counter* requests = nullptr;
    Counter* bytes = nullptr;
  };
  static void Add(const Pair& pair, uint64_t bytes) {
    pair.requests->Add();
    pair.bytes->Add(bytes);
  }
  static site::CdnAmount Amount(const Pair& pair) {
    return {.requests = pair.requests->value(), .bytes = pair.bytes->value()};
  }

  TimePoint since_;
  std::array<std::array<Pair, kSources>, kContentKinds> visitors_;
  std::array<std::array<Pair, 2>, kContentKinds> fetches_;
  WastefulUrls& wasteful_;  // of all loops
};

// The sum of all loops; empty without loops.
site::CdnReport ReportCosts(std::span<const Costs* const> loops, const WastefulUrls& wasteful,
                            TimePoint now);

// A hash of a response's ETag, or else of its Last-Modified and length, to compare contents. 0: it
// has neither.
uint64_t ContentMark(const wire::http::ResponseHead& head);

// The approximate size of a head in bytes.
uint64_t HeadBytes(const wire::http::ResponseHead& head);

}  // namespace meridian::edge
