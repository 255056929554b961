#include "edge/fetch/routes.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/geography.hpp"
#include "site/view/view.hpp"
#include "wire/http/message.hpp"

namespace meridian::edge {
namespace {

bool HasHealthyInstance(const site::SiteView& view, std::string_view data_center) {
  return std::ranges::any_of(view.instances, [&](const site::InstanceView& instance) {
    return instance.datacenter == data_center && instance.state == site::InstanceState::kHealthy;
  });
}

// The rank of a data center in the route; nothing: it is not in the route. While the edge's own
// data center starts, its balancer already runs.
std::optional<int> RankOf(const site::DataCenterView& dc, bool is_own) {
  switch (dc.state) {
    case site::DataCenterState::kServing:
      return dc.available && (is_own || dc.takes_forwarded) ? 0 : 1;
    case site::DataCenterState::kDraining:
    case site::DataCenterState::kDrained:
      return 2;
    case site::DataCenterState::kStarting:
    case site::DataCenterState::kDown:
      return is_own ? std::optional(0) : std::nullopt;
  }
}

}  // namespace

Routes MakeRoutes(const site::SiteView& view, std::string_view here, bool own_balancer_answers) {
  const site::DataCenterView* own = view.FindDataCenter(here);
  if (own == nullptr) return {};
  // Within a rank the own data center comes first, then the others by distance.
  using Key = std::tuple<int, bool, double, std::string_view>;
  std::vector<Key> keys;
  Routes routes;
  for (const site::DataCenterView& dc : view.datacenters) {
    const bool is_own = &dc == own;
    if (!HasHealthyInstance(view, dc.name) || (is_own && !own_balancer_answers)) continue;
    if (is_own) routes.from_edges.push_back(dc.name);
    std::optional<int> rank = RankOf(dc, is_own);
    if (rank) keys.emplace_back(*rank, !is_own, DistanceKm(own->location, dc.location), dc.name);
  }
  std::ranges::sort(keys);
  for (const Key& key : keys) routes.from_visitors.emplace_back(std::get<std::string_view>(key));
  return routes;
}

int CountEdges(std::string_view via) {
  int count = 0;
  wire::http::ListElements elements(via);
  while (auto element = elements.Next()) {
    // received-protocol RWS received-by [RWS comment]
    size_t space = element->find_first_of(" \t");
    if (space == element->npos) continue;
    std::string_view rest = element->substr(space);
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
    if (rest.substr(0, rest.find_first_of(" \t")) == kViaName) ++count;
  }
  return count;
}

}  // namespace meridian::edge
