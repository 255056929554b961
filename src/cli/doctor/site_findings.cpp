#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <fmt/format.h>

#include "cli/doctor/facts.hpp"
#include "cli/doctor/findings.hpp"
#include "cli/doctor/limits.hpp"
#include "cli/doctor/quantities.hpp"
#include "io/descriptors.hpp"

namespace meridian::cli {
namespace {

using enum Severity;

void FindDescriptors(const NeedFacts& needs, std::optional<uint64_t> limit,
                     std::vector<Finding>& found) {
  if (!limit) return;
  for (const ConnectionNeed& need : needs.connections) {
    const uint64_t files = need.files == 0 ? 0 : io::FilesWithin(*limit, need.files);
    const uint64_t fitting =
        io::ConnectionsWithin(*limit, need.connections, need.descriptors_each, need.loops, files);
    if (fitting >= need.connections) continue;
    const uint64_t wanted = io::kReservedDescriptors + (need.loops - 1) * io::kReservedPerLoop +
                            need.files + need.connections * need.descriptors_each;
    const bool few =
        static_cast<double>(fitting) < kMinConnectionPart * static_cast<double>(need.connections);
    found.push_back(
        {few ? kError : kWarning, "descriptors",
         fmt::format("the limit of {} descriptors allows the {} tier {} connections of {}", *limit,
                     need.tier, fitting, need.connections),
         fmt::format("LimitNOFILE={0} in the systemd unit, or ulimit -Hn {0} in the shell that "
                     "starts Meridian",
                     std::max<uint64_t>(wanted, 65'536))});
  }
}

void FindMemory(const NeedFacts& needs, const MachineFacts& machine, std::vector<Finding>& found) {
  if (!machine.memory_bytes) return;
  const uint64_t limit = machine.memory_limit_bytes.value_or(*machine.memory_bytes);
  const bool of_group = limit < *machine.memory_bytes;
  const uint64_t memory = std::min(limit, *machine.memory_bytes);
  const std::string_view whose = of_group ? "the control group allows" : "this machine has";
  const double part = static_cast<double>(needs.cache_bytes) / static_cast<double>(memory);
  if (part > kHighCachePart) {
    found.push_back(
        {part > kMaxCachePart ? kError : kWarning, "memory",
         fmt::format("the caches of site.toml may take {}, and {} {} of memory: processes would be "
                     "killed",
                     ByteText(needs.cache_bytes), whose, ByteText(memory)),
         fmt::format("lower cache_bytes of [edge] and maxmemory of [session]{}",
                     of_group
                         ? ", or raise MemoryMax= of the systemd unit (memory of the container)"
                         : "")});
  }
  if (needs.unbounded_session && of_group) {
    found.push_back(
        {kWarning, "memory",
         fmt::format("[session] has no maxmemory, and the control group allows {} of memory: with "
                     "enough sessions the tier is killed instead of refusing writes",
                     ByteText(memory)),
         "set maxmemory of [session]"});
  }
}

void FindTasks(const NeedFacts& needs, std::optional<uint64_t> limit, std::vector<Finding>& found) {
  if (!limit || *limit >= needs.tasks * kTaskReserve) return;
  found.push_back({*limit < needs.tasks ? kError : kWarning, "control group",
                   fmt::format("the control group allows {} processes and threads; Meridian takes "
                               "about {} without those of the application",
                               *limit, needs.tasks),
                   "raise TasksMax= of the systemd unit (the pids limit of the container)"});
}

bool IsReserved(const KernelFacts& kernel, uint16_t port) {
  return std::ranges::any_of(kernel.reserved_ports, [port](const auto& range) {
    return range.first <= port && port <= range.second;
  });
}

void FindLocalPorts(const NeedFacts& needs, const KernelFacts& kernel,
                    std::vector<Finding>& found) {
  if (!kernel.local_ports) return;
  const auto [first, last] = *kernel.local_ports;
  std::vector<uint16_t> taken;
  for (uint16_t port : needs.ports) {
    if (first <= port && port <= last && !IsReserved(kernel, port)) taken.push_back(port);
  }
  if (taken.empty()) return;
  found.push_back({kWarning, "kernel",
                   fmt::format("net.ipv4.ip_local_port_range is {} to {}, which has {} of this "
                               "site: a connection of any program may take a port before its tier "
                               "starts",
                               first, last, fmt::join(taken, ", ")),
                   fmt::format("sysctl -w net.ipv4.ip_local_reserved_ports={}, and that line in "
                               "/etc/sysctl.d/meridian.conf",
                               fmt::join(taken, ","))});
}

void FindVersions(const SiteFacts& site, std::vector<Finding>& found) {
  std::map<std::string, std::vector<std::string>> by_version;
  for (const DataCenterFacts& dc : site.data_centers) {
    if (dc.answered) by_version[dc.version].push_back(dc.name);
  }
  if (by_version.size() == 1 && by_version.begin()->first == site.version) return;
  if (by_version.empty()) return;
  std::vector<std::string> parts;
  for (const auto& [version, names] : by_version) {
    parts.push_back(fmt::format("{} {}", version.empty() ? "an older version" : version,
                                fmt::format("at {}", fmt::join(names, ", "))));
  }
  found.push_back(
      {kWarning, "version",
       fmt::format("different versions of Meridian: {}; this program is {}", fmt::join(parts, "; "),
                   site.version),
       "install one version on all servers, and restart the data centers one after another "
       "(meridian dc drain NAME --wait first)"});
}

void FindClocks(const SiteFacts& site, std::vector<Finding>& found) {
  for (const DataCenterFacts& dc : site.data_centers) {
    if (!dc.clock_offset_seconds) continue;
    const double offset = *dc.clock_offset_seconds;
    const double certain = std::abs(offset) - dc.clock_uncertainty_seconds;
    if (certain <= kClockApartSeconds) continue;
    found.push_back({certain > kClockFarApartSeconds ? kError : kWarning, "clock",
                     fmt::format("the clock of {} is {:.1f} s {} this machine's", dc.name,
                                 std::abs(offset), offset > 0 ? "ahead of" : "behind"),
                     "compare both with a third (date -u), and synchronize the wrong one: "
                     "chronyc makestep"});
  }
}

void FindTroubles(const SiteFacts& site, std::vector<Finding>& found) {
  const bool any = std::ranges::any_of(site.data_centers, &DataCenterFacts::answered);
  if (!any) return;  // the site is down: Unchecked says so
  for (const DataCenterFacts& dc : site.data_centers) {
    if (!dc.answered) {
      found.push_back({kError, "data center",
                       fmt::format("{} does not answer: {}", dc.name, dc.problem),
                       fmt::format("see meridian status; in a lab: meridian dc start {0}, on its "
                                   "server: meridian run --dc {0}",
                                   dc.name)});
      continue;
    }
    if (!dc.problem.empty()) {
      found.push_back({kError, "data center", dc.name + ": " + dc.problem, "see meridian status"});
    }
    for (const std::string& trouble : dc.troubles) {
      found.push_back({kError, "data center", dc.name + ": " + trouble,
                       "see meridian status, which has the reason"});
    }
  }
}

}  // namespace

std::string_view SeverityName(Severity severity) {
  return severity == kError ? "error" : "warning";
}

std::vector<Finding> NeedFindings(const NeedFacts& needs, const MachineFacts& machine) {
  std::vector<Finding> found;
  FindDescriptors(needs, machine.descriptor_limit, found);
  FindMemory(needs, machine, found);
  FindTasks(needs, machine.task_limit, found);
  FindLocalPorts(needs, machine.kernel, found);
  for (const PortFact& port : needs.ports_in_use) {
    found.push_back({kError, "port", port.problem, port.mend});
  }
  return found;
}

std::vector<Finding> SiteFindings(const SiteFacts& site) {
  std::vector<Finding> found;
  for (const std::string& problem : site.host_problems) {
    const size_t end = problem.find(". ");
    found.push_back({kError, "site.toml", problem.substr(0, end),
                     end == problem.npos ? "correct site.toml" : problem.substr(end + 2)});
  }
  FindTroubles(site, found);
  FindVersions(site, found);
  FindClocks(site, found);
  return found;
}

std::vector<Finding> FindProblems(const DoctorFacts& facts) {
  std::vector<Finding> errors;
  std::vector<Finding> warnings;
  auto add = [&](std::vector<Finding> found) {
    for (Finding& each : found) {
      (each.severity == kError ? errors : warnings).push_back(std::move(each));
    }
  };
  add(MachineFindings(facts.machine));
  if (facts.site) {
    add(NeedFindings(facts.site->needs, facts.machine));
    add(SiteFindings(*facts.site));
  }
  std::ranges::move(warnings, std::back_inserter(errors));
  return errors;
}

std::vector<std::string> Unchecked(const DoctorFacts& facts) {
  std::vector<std::string> unchecked;
  const MachineFacts& machine = facts.machine;
  if (!machine.clock) unchecked.emplace_back("the clock: adjtimex(2) is forbidden here");
  if (!machine.state_filesystem) {
    unchecked.push_back("the disk: nothing is at " + machine.state_directory);
  }
  if (!machine.memory_bytes) unchecked.emplace_back("memory: /proc/meminfo cannot be read");
  if (!machine.descriptor_limit) unchecked.emplace_back("descriptors: no limit can be read");
  const KernelFacts& kernel = machine.kernel;
  if (!kernel.somaxconn || !kernel.overcommit || !kernel.local_ports) {
    unchecked.emplace_back("kernel settings: some files of /proc/sys cannot be read");
  }
  if (!facts.site) {
    unchecked.emplace_back("what the site needs of this machine: no site.toml was found");
    return unchecked;
  }
  if (facts.site->hosted.empty()) {
    unchecked.emplace_back(
        "what the site needs of this machine: it has none of the data centers' addresses; name the "
        "data center with --dc");
  }
  const auto& all = facts.site->data_centers;
  if (std::ranges::none_of(all, &DataCenterFacts::answered)) {
    unchecked.emplace_back("the running site: none of its data centers answers");
    return unchecked;
  }
  for (const DataCenterFacts& dc : all) {
    if (!dc.answered) unchecked.push_back(fmt::format("the clock and version of {}", dc.name));
  }
  return unchecked;
}

}  // namespace meridian::cli
