#include "edge/routes.hpp"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

#include "base/geography.hpp"
#include "site/view.hpp"
#include "wire/http/message.hpp"

namespace meridian::edge {
namespace {

bool HasHealthyInstance(const site::SiteView& view, std::string_view data_center) {
  return std::ranges::any_of(view.instances, [&](const site::InstanceView& instance) {
    return instance.datacenter == data_center && instance.state == site::InstanceState::kHealthy;
  });
}

}  // namespace

Routes MakeRoutes(const site::SiteView& view, std::string_view here, bool own_balancer_answers) {
  const site::DataCenterView* own = view.FindDataCenter(here);
  if (own == nullptr) return {};
  std::vector<const site::DataCenterView*> others;
  for (const site::DataCenterView& dc : view.datacenters) {
    bool serves = dc.state == site::DataCenterState::kServing;
    if (dc.name != here && serves && HasHealthyInstance(view, dc.name)) others.push_back(&dc);
  }
  std::ranges::sort(others, {}, [&](const site::DataCenterView* dc) {
    return std::pair(DistanceKm(own->location, dc->location), dc->name);
  });

  Routes routes;
  for (const site::DataCenterView* dc : others) routes.from_visitors.push_back(dc->name);
  if (own_balancer_answers && HasHealthyInstance(view, here)) {
    bool leaving = own->state == site::DataCenterState::kDraining ||
                   own->state == site::DataCenterState::kDrained;
    auto place = leaving ? routes.from_visitors.end() : routes.from_visitors.begin();
    routes.from_visitors.insert(place, own->name);
    routes.from_edges.push_back(own->name);
  }
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
