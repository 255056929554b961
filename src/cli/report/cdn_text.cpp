#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>

#include "cli/report/cdn_summary.hpp"
#include "edge/config.hpp"
#include "site/view/cdn_report.hpp"

namespace meridian::cli {
namespace {

// Decimal units, as network traffic is billed.
std::string BytesText(double bytes) {
  static constexpr std::array<std::string_view, 5> kUnits = {"B", "kB", "MB", "GB", "TB"};
  constexpr double kStep = 1000;
  size_t unit = 0;
  while (std::abs(bytes) >= kStep && unit + 1 < kUnits.size()) {
    bytes /= kStep;
    ++unit;
  }
  return fmt::format("{:.{}f} {}", bytes, unit == 0 ? 0 : 1, kUnits[unit]);
}

std::string BytesText(uint64_t bytes) { return BytesText(static_cast<double>(bytes)); }

// Replaces control characters, because text from the network must not control the terminal.
std::string Shown(std::string_view text) {
  std::string shown(text);
  std::ranges::replace_if(shown, [](char letter) { return letter < ' ' || letter > '~'; }, '?');
  return shown;
}

std::string Percent(uint64_t part, uint64_t whole) {
  if (whole == 0) return "-";
  return fmt::format("{:.1f}%", 100 * static_cast<double>(part) / static_cast<double>(whole));
}

std::string AgeText(uint64_t seconds) {
  constexpr uint64_t kMinute = 60;
  constexpr uint64_t kHour = 3600;
  constexpr uint64_t kDay = 86400;
  if (seconds < 2 * kMinute) return fmt::format("{} s", seconds);
  if (seconds < 2 * kHour) return fmt::format("{} min", seconds / kMinute);
  return seconds < 2 * kDay ? fmt::format("{} h", seconds / kHour)
                            : fmt::format("{} days", seconds / kDay);
}

std::string EdgesText(const std::vector<CdnEdge>& edges) {
  size_t width = 0;
  for (const CdnEdge& each : edges) width = std::max(width, each.name.size());
  std::string text;
  for (const CdnEdge& each : edges) {
    text += each.report
                ? fmt::format("{:{}}  for {}\n", each.name, width, AgeText(each.report->seconds))
                : fmt::format("{:{}}  is not in this: {}\n", each.name, width, Shown(each.problem));
  }
  return text;
}

std::string TotalText(const CdnSummary& summary, const edge::Prices& prices) {
  const site::CdnTraffic& total = summary.total;
  auto line = [](std::string_view what, const site::CdnAmount& amount) {
    return fmt::format("{:<22}{:>10} requests  {:>10}\n", what, amount.requests,
                       BytesText(amount.bytes));
  };
  std::string text = line("to visitors", total.to_visitors);
  text += line("from the cache", total.from_cache);
  text += line("from the origin", total.from_origin);
  text += line("between data centers", total.between);
  text += fmt::format("{:<22}{:>10} of requests, {} of bytes\n", "hits",
                      Percent(total.from_cache.requests, total.to_visitors.requests),
                      Percent(total.from_cache.bytes, total.to_visitors.bytes));
  text += fmt::format("{:<22}{:>10} requests  {:>10}\n", "saved", summary.saved_requests,
                      BytesText(static_cast<double>(summary.saved_bytes)));
  if (prices == edge::Prices{.currency = prices.currency}) {
    return text + "There are no prices: give them in [edge.cost] of site.toml.\n";
  }
  // More digits, because a new site costs less than a cent.
  const double without = summary.cost + summary.saved;
  const int digits = std::abs(without) < 1 ? 6 : 2;
  return text + fmt::format("{:<22}{:>10.{}f} {}; without the cache {:.{}f}: saved {:.{}f}\n",
                            "cost", summary.cost, digits, prices.currency, without, digits,
                            summary.saved, digits);
}

std::string TypesText(const std::vector<site::CdnTraffic>& types) {
  std::string text = fmt::format("\n{:<18}{:>10}{:>12}{:>8}{:>12}{:>12}\n", "type", "requests",
                                 "to visitors", "hits", "from origin", "between");
  for (const site::CdnTraffic& each : types) {
    text += fmt::format("{:<18}{:>10}{:>12}{:>8}{:>12}{:>12}\n", Shown(each.type),
                        each.to_visitors.requests, BytesText(each.to_visitors.bytes),
                        Percent(each.from_cache.requests, each.to_visitors.requests),
                        BytesText(each.from_origin.bytes), BytesText(each.between.bytes));
  }
  return text;
}

std::string WastesText(const std::vector<site::CdnWaste>& wastes) {
  if (wastes.empty()) return "\nNo URL's headers waste anything that was seen.\n";
  std::string text = "\nURLs whose headers waste most:\n";
  for (const site::CdnWaste& each : wastes) {
    text += fmt::format("  {}\n    {} requests and {} wasted: it {}\n    {}\n", Shown(each.url),
                        each.wasted.requests, BytesText(each.wasted.bytes), Shown(each.wrong),
                        Shown(each.mend));
  }
  return text;
}

}  // namespace

std::string CdnText(const CdnSummary& summary, const std::vector<CdnEdge>& edges,
                    const edge::Prices& prices) {
  return EdgesText(edges) + "\n" + TotalText(summary, prices) + TypesText(summary.by_type) +
         WastesText(summary.wastes);
}

}  // namespace meridian::cli
