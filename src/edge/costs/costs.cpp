#include "edge/costs/costs.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.hpp"
#include "base/hash.hpp"
#include "base/metrics.hpp"
#include "edge/cache/storage/content_kind.hpp"
#include "edge/costs/waste.hpp"
#include "edge/costs/wasteful_urls.hpp"
#include "edge/limits.hpp"
#include "site/view/cdn_report.hpp"
#include "wire/http/message.hpp"

namespace meridian::edge {
namespace {

constexpr std::array<const char*, 5> kSourceNames = {"cache", "confirmed", "origin", "data_center",
                                                     "here"};

}  // namespace

Costs::Costs(Metrics& metrics, TimePoint now, WastefulUrls& wasteful)
    : since_(now), wasteful_(wasteful) {
  auto add = [&](const std::string& what, const std::string& help, size_t kind, size_t source) {
    const Metrics::Labels labels = {
        {"type", std::string(ContentKindName(static_cast<ContentKind>(kind)))},
        {"from", kSourceNames[source]}};
    return Pair{.requests = &metrics.AddCounter("meridian_edge_" + what + "_answers_total",
                                                "Answers " + help, labels),
                .bytes = &metrics.AddCounter("meridian_edge_" + what + "_bytes_total",
                                             "Bytes of answers " + help, labels)};
  };
  for (size_t kind = 0; kind < kContentKinds; ++kind) {
    for (size_t source = 0; source < kSources; ++source) {
      visitors_[kind][source] =
          add("visitor", "to visitors, by content type and where they came from.", kind, source);
    }
    for (size_t crossed = 0; crossed < 2; ++crossed) {
      fetches_[kind][crossed] = add("fetched", "that were fetched, by content type and from where.",
                                    kind, static_cast<size_t>(Fetched(crossed == 1)));
    }
  }
}

site::CdnReport ReportCosts(std::span<const Costs* const> loops, const WastefulUrls& wasteful,
                            TimePoint now) {
  if (loops.empty()) return {};
  site::CdnReport report{
      .seconds = static_cast<uint64_t>(
          std::chrono::duration_cast<std::chrono::seconds>(now - loops.front()->since_).count())};
  for (size_t kind = 0; kind < kContentKinds; ++kind) {
    site::CdnTraffic traffic{.type = std::string(ContentKindName(static_cast<ContentKind>(kind)))};
    for (const Costs* costs : loops) {
      const auto& visitors = costs->visitors_[kind];
      for (const Costs::Pair& pair : visitors) traffic.to_visitors += Costs::Amount(pair);
      traffic.from_cache += Costs::Amount(visitors[static_cast<size_t>(Costs::Source::kCache)]);
      // The body of a validated response was not fetched, although the origin was asked.
      traffic.from_cache.bytes +=
          visitors[static_cast<size_t>(Costs::Source::kConfirmed)].bytes->value();
      traffic.from_origin += Costs::Amount(costs->fetches_[kind][0]);
      traffic.between += Costs::Amount(costs->fetches_[kind][1]);
    }
    const bool any =
        traffic.to_visitors.requests + traffic.from_origin.requests + traffic.between.requests > 0;
    if (any) report.traffic.push_back(std::move(traffic));
  }
  for (WastefulUrls::Entry& entry : wasteful.Top(kMaxWastefulUrlsReported)) {
    report.wastes.push_back({.url = std::move(entry.url),
                             .kind = std::string(WasteName(entry.waste)),
                             .wrong = std::string(WasteProblem(entry.waste)),
                             .mend = ProposedHeader(entry.waste, entry.content),
                             .wasted = entry.wasted});
  }
  return report;
}

uint64_t ContentMark(const wire::http::ResponseHead& head) {
  if (auto etag = head.fields.Find("ETag")) return Hash64(*etag, 1);
  auto modified = head.fields.Find("Last-Modified");
  using Framing = wire::http::BodyFraming::Kind;
  if (!modified || head.body.kind != Framing::kContentLength) return 0;
  return Hash64(*modified, head.body.length);
}

uint64_t HeadBytes(const wire::http::ResponseHead& head) {
  constexpr uint64_t kBetween = 4;  // ": " and the line's end
  uint64_t bytes = 0;
  for (const wire::http::HeaderField& field : head.fields) {
    bytes += field.name.size() + field.value.size() + kBetween;
  }
  return bytes;
}

}  // namespace meridian::edge
