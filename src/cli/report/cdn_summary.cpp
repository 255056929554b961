#include "cli/report/cdn_summary.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "edge/config.hpp"
#include "site/view/cdn_report.hpp"
#include "wire/json/writer.hpp"

namespace meridian::cli {
namespace {

using site::CdnAmount;
using site::CdnTraffic;
using site::CdnWaste;
using wire::json::Writer;

constexpr size_t kIndent = 2;
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

// The members of objects are in the order of their names.
void WriteAmount(std::string_view name, const CdnAmount& amount, Writer& writer) {
  writer.BeginObject(name);
  writer.Member("bytes", amount.bytes);
  writer.Member("requests", amount.requests);
  writer.EndObject();
}

// Writes the members of `traffic` into the current object.
void WriteTraffic(const CdnTraffic& traffic, Writer& writer) {
  WriteAmount("between", traffic.between, writer);
  WriteAmount("from_cache", traffic.from_cache, writer);
  WriteAmount("from_origin", traffic.from_origin, writer);
  WriteAmount("to_visitors", traffic.to_visitors, writer);
  writer.Member("type", traffic.type);
}

void WriteWaste(const CdnWaste& waste, Writer& writer) {
  writer.Member("kind", waste.kind);
  writer.Member("mend", waste.mend);
  writer.Member("url", waste.url);
  WriteAmount("wasted", waste.wasted, writer);
  writer.Member("wrong", waste.wrong);
}

void WriteEdge(const CdnEdge& edge, Writer& writer) {
  writer.Member("answered", edge.report.has_value());
  writer.Member("name", edge.name);
  if (edge.report) {
    writer.Member("seconds", edge.report->seconds);
  } else {
    writer.Member("problem", edge.problem);
  }
}

template <class T>
void WriteObjects(std::string_view name, const std::vector<T>& all,
                  void (*write)(const T&, Writer&), Writer& writer) {
  writer.BeginArray(name);
  for (const T& each : all) {
    writer.BeginObject();
    write(each, writer);
    writer.EndObject();
  }
  writer.EndArray();
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
  Writer writer({.indent = kIndent});
  writer.BeginObject();
  writer.Member("byte_hit_ratio", summary.byte_hit_ratio());
  writer.Member("cost", summary.cost);
  writer.Member("currency", prices.currency);
  WriteObjects("edges", edges, &WriteEdge, writer);
  writer.Member("hit_ratio", summary.hit_ratio());
  writer.Member("saved", summary.saved);
  writer.Member("saved_bytes", summary.saved_bytes);
  writer.Member("saved_requests", summary.saved_requests);
  writer.BeginObject("total");
  WriteTraffic(summary.total, writer);
  writer.EndObject();
  WriteObjects("types", summary.by_type, &WriteTraffic, writer);
  WriteObjects("wastes", summary.wastes, &WriteWaste, writer);
  writer.EndObject();
  return writer.Take() + "\n";
}

}  // namespace meridian::cli
