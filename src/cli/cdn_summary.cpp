#include "cli/cdn_summary.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "edge/config.hpp"
#include "site/cdn_report.hpp"

namespace meridian::cli {
namespace {

using nlohmann::json;
using site::CdnAmount;
using site::CdnTraffic;
using site::CdnWaste;

constexpr double kGigabyte = 1e9;
constexpr double kMillion = 1e6;

void Add(const CdnTraffic& from, CdnTraffic* to) {
  to->to_visitors += from.to_visitors;
  to->from_cache += from.from_cache;
  to->from_origin += from.from_origin;
  to->between += from.between;
}

int64_t Saved(uint64_t given, uint64_t origin, uint64_t between) {
  return static_cast<int64_t>(given) - static_cast<int64_t>(origin + between);
}

int64_t SavedBytes(const CdnTraffic& traffic) {
  return Saved(traffic.to_visitors.bytes, traffic.from_origin.bytes, traffic.between.bytes);
}

double Ratio(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

double Gigabytes(auto bytes) { return static_cast<double>(bytes) / kGigabyte; }

json AmountValue(const CdnAmount& amount) {
  return {{"requests", amount.requests}, {"bytes", amount.bytes}};
}

json TrafficValue(const CdnTraffic& traffic) {
  return {{"type", traffic.type},
          {"to_visitors", AmountValue(traffic.to_visitors)},
          {"from_cache", AmountValue(traffic.from_cache)},
          {"from_origin", AmountValue(traffic.from_origin)},
          {"between", AmountValue(traffic.between)}};
}

json WasteValue(const CdnWaste& waste) {
  return {{"url", waste.url},
          {"kind", waste.kind},
          {"wrong", waste.wrong},
          {"mend", waste.mend},
          {"wasted", AmountValue(waste.wasted)}};
}

}  // namespace

double CdnSummary::hit_ratio() const {
  return Ratio(total.from_cache.requests, total.to_visitors.requests);
}
double CdnSummary::byte_hit_ratio() const {
  return Ratio(total.from_cache.bytes, total.to_visitors.bytes);
}

CdnSummary SummarizeCdn(const std::vector<CdnEdge>& edges, const edge::Prices& prices) {
  CdnSummary summary;
  std::map<std::string, CdnTraffic> by_type;
  std::map<std::string, CdnWaste> by_url;
  for (const CdnEdge& each : edges) {
    if (!each.report) continue;
    int64_t saved_bytes = 0;
    for (const CdnTraffic& traffic : each.report->traffic) {
      by_type[traffic.type].type = traffic.type;
      Add(traffic, &by_type[traffic.type]);
      Add(traffic, &summary.total);
      saved_bytes += SavedBytes(traffic);
    }
    summary.saved += Gigabytes(saved_bytes) *
                     (each.edge_only ? prices.per_gb_between : prices.per_gb_from_origin);
    for (const CdnWaste& waste : each.report->wastes) {
      auto [at, is_new] = by_url.try_emplace(waste.url, waste);
      if (!is_new) at->second.wasted += waste.wasted;
    }
  }
  const CdnTraffic& total = summary.total;
  summary.saved_bytes = SavedBytes(total);
  summary.saved_requests =
      Saved(total.to_visitors.requests, total.from_origin.requests, total.between.requests);
  summary.cost =
      Gigabytes(total.to_visitors.bytes) * prices.per_gb_to_visitors +
      Gigabytes(total.from_origin.bytes) * prices.per_gb_from_origin +
      Gigabytes(total.between.bytes) * prices.per_gb_between +
      static_cast<double>(total.to_visitors.requests) / kMillion * prices.per_million_requests;
  for (auto& [type, traffic] : by_type) summary.by_type.push_back(std::move(traffic));
  std::ranges::sort(summary.by_type, std::greater(),
                    [](const CdnTraffic& traffic) { return traffic.to_visitors.bytes; });
  for (auto& [url, waste] : by_url) summary.wastes.push_back(std::move(waste));
  std::ranges::sort(summary.wastes, std::greater(),
                    [](const CdnWaste& waste) { return waste.wasted.weight(); });
  if (summary.wastes.size() > kWastesShown) summary.wastes.resize(kWastesShown);
  return summary;
}

std::string CdnJson(const CdnSummary& summary, const std::vector<CdnEdge>& edges,
                    const edge::Prices& prices) {
  json all = {{"hit_ratio", summary.hit_ratio()},
              {"byte_hit_ratio", summary.byte_hit_ratio()},
              {"total", TrafficValue(summary.total)},
              {"saved_requests", summary.saved_requests},
              {"saved_bytes", summary.saved_bytes},
              {"currency", prices.currency},
              {"cost", summary.cost},
              {"saved", summary.saved},
              {"types", json::array()},
              {"wastes", json::array()},
              {"edges", json::array()}};
  for (const CdnTraffic& each : summary.by_type) all["types"].push_back(TrafficValue(each));
  for (const CdnWaste& each : summary.wastes) all["wastes"].push_back(WasteValue(each));
  for (const CdnEdge& each : edges) {
    json value = {{"name", each.name}, {"answered", each.report.has_value()}};
    if (each.report) value["seconds"] = each.report->seconds;
    if (!each.report) value["problem"] = each.problem;
    all["edges"].push_back(std::move(value));
  }
  return all.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace meridian::cli
