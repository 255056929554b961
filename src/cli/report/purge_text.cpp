#include "cli/report/purge_text.hpp"

#include <algorithm>
#include <cstddef>
#include <string>

#include <fmt/core.h>

#include "site/view/purge.hpp"

namespace meridian::cli {

std::string PurgeText(const site::PurgeReport& report, bool soft) {
  size_t width = 0;
  for (const auto& edge : report.edges) width = std::max(width, edge.name.size());
  std::string text;
  for (const auto& edge : report.edges) {
    if (edge.objects) {
      text += fmt::format("{:{}}  {} {} {}, after {} ms\n", edge.name, width, *edge.objects,
                          *edge.objects == 1 ? "object" : "objects", soft ? "made stale" : "purged",
                          edge.milliseconds);
    } else {
      text += fmt::format("{:{}}  has not answered: it will apply the order once it is reachable\n",
                          edge.name, width);
    }
  }
  return text;
}

}  // namespace meridian::cli
