#include "cli/alerts/alert_list.hpp"

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "cli/alerts/alert_answer.hpp"
#include "cli/alerts/limits.hpp"

namespace meridian::cli {
namespace {

bool IsOfSite(const Alert& alert) { return alert.LabelOf("scope") == "site"; }

// The same for all data centers that tell of the same thing: `dc` is the one that sees it.
std::string KeyOf(const Alert& alert) {
  std::string key = alert.name;
  for (const auto& [name, value] : alert.labels) {
    if (name != "dc") key += fmt::format("\n{}={}", name, value);
  }
  return key;
}

// The first is the most urgent.
int UrgencyOf(const Alert& alert) {
  const std::string severity = alert.LabelOf("severity");
  if (severity == "page") return 0;
  return severity == "ticket" ? 1 : 2;
}

auto RankOf(const Alert& alert) {
  return std::tuple(!alert.firing, UrgencyOf(alert), alert.since_ms, alert.name);
}

}  // namespace

void AlertList::Add(const std::string& data_center, AlertAnswer answer) {
  for (Alert& each : answer.alerts) {
    if (IsOfSite(each)) {
      auto [found, added] = of_site_.emplace(KeyOf(each), alerts_.size());
      if (!added) {
        ListedAlert& same = alerts_[found->second];
        if (same.seen_by.back() != data_center) same.seen_by.push_back(data_center);
        const bool silenced = same.alert.silenced && each.silenced;
        if (RankOf(each) < RankOf(same.alert)) same.alert = std::move(each);
        same.alert.silenced = silenced;
        continue;
      }
    }
    alerts_.push_back({.alert = std::move(each), .seen_by = {data_center}});
  }
  if (answer.left_out > 0) {
    AddGap(data_center, fmt::format("only its first {} alerts are shown; it has {} more",
                                    kMaxAlertsOfDataCenter, answer.left_out));
  }
}

void AlertList::AddGap(std::string data_center, std::string problem) {
  gaps_.push_back({.data_center = std::move(data_center), .problem = std::move(problem)});
}

std::vector<ListedAlert> AlertList::Sorted() const {
  std::vector<ListedAlert> sorted = alerts_;
  // The labels make the order of two with the same rank that of every run.
  std::ranges::sort(sorted, {}, [](const ListedAlert& each) {
    return std::tuple(RankOf(each.alert), each.alert.labels, each.seen_by);
  });
  return sorted;
}

bool AlertList::firing() const {
  return std::ranges::any_of(alerts_, [](const auto& each) { return each.alert.firing; });
}

}  // namespace meridian::cli
