#include "site/tier/threads.hpp"

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "site/limits.hpp"
#include "site/reach.hpp"
#include "site/site.hpp"

namespace meridian::site {

size_t ThreadsOf(const Site& site, std::string_view tier, Hosting hosting, size_t available) {
  if (auto own = site.threads.find(tier); own != site.threads.end()) return own->second;
  size_t cores = available;
  if (hosting == Hosting::kLab) cores /= std::max<size_t>(site.datacenters.size(), 1);
  if (site.agent.cores) cores = *site.agent.cores;
  return std::clamp<size_t>(cores, 1, kMaxThreads);
}

}  // namespace meridian::site
