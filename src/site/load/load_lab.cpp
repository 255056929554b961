#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "site/key_description.hpp"
#include "site/limits.hpp"
#include "site/load/load_parts.hpp"
#include "site/load/table_reader.hpp"
#include "site/reach.hpp"
#include "site/site.hpp"

namespace meridian::site {
namespace {

constexpr KeyDescription kKeys[] = {
    {.table = "lab",
     .sentence = "The lab: all data centers on one machine, as `meridian up` runs them."},
    {.table = "lab",
     .key = "wan",
     .sentence = "Whether connections between data centers go through links with the latency of "
                 "the distance."},
};

}  // namespace

std::span<const KeyDescription> LabKeys() { return kKeys; }

void ReadLab(TableReader& root, Site* site) {
  site->wan = root.Table("lab").Boolean("wan", true);
  if (!HasLinks(*site)) return;
  std::vector<TableReader> tables = root.Tables("datacenter", {.min = 1, .max = kMaxDataCenters});
  for (TableReader& place : root.Tables("edge_place", {.max = kMaxDataCenters})) {
    tables.push_back(place);
  }
  for (size_t i = 0; i < site->datacenters.size(); ++i) {
    const DataCenter& data_center = site->datacenters[i];
    std::optional<std::string> problem = LinkProblem(*site, data_center);
    if (!problem) continue;
    tables[i].Reject("address",
                     fmt::format("the lab's links cannot go by the address {}: {}",
                                 data_center.address.ToString(), *problem),
                     "give addresses 127.A.0.1, or turn links off: [lab] wan = false");
  }
}

}  // namespace meridian::site
