// The tiers of this program. To add a tier: its folder, this list, its port in site/ports.hpp, and
// CMakeLists.txt.
#include <span>
#include <vector>

#include "balancer/balancer.hpp"
#include "cli/command_line.hpp"
#include "dns/server.hpp"
#include "edge/edge.hpp"
#include "queue/queue.hpp"
#include "session/session.hpp"
#include "site/tier_description.hpp"
#include "watch/watch.hpp"

namespace meridian::cli {

std::span<const site::TierDescription> AllTiers() {
  // Watch first: it stops last, and has the last lines of all others.
  static const std::vector<site::TierDescription> tiers = {watch::Describe(), session::Describe(),
                                                           queue::Describe(), balancer::Describe(),
                                                           edge::Describe(),  dns::Describe()};
  return tiers;
}

}  // namespace meridian::cli
