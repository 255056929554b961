#include "io/cores.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <sched.h>

namespace meridian::io {
namespace {

constexpr const char* kControlGroups = "/sys/fs/cgroup";
constexpr size_t kMaxDepth = 32;  // of control groups

// Empty if the file cannot be read.
std::string ReadSmallFile(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string_view FirstLine(std::string_view text) { return text.substr(0, text.find('\n')); }

size_t AffinityCores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return static_cast<size_t>(std::max(CPU_COUNT(&set), 1));
}

// Version 1 of control groups has two files; a quota of -1 is no limit.
std::optional<size_t> CoresOfGroup(const std::string& folder) {
  if (auto cores = CoresOfCpuMax(ReadSmallFile(folder + "/cpu.max"))) return cores;
  const std::string quota = ReadSmallFile(folder + "/cpu.cfs_quota_us");
  const std::string period = ReadSmallFile(folder + "/cpu.cfs_period_us");
  return CoresOfCpuMax(std::string(FirstLine(quota)) + ' ' + std::string(FirstLine(period)));
}

}  // namespace

std::optional<size_t> CoresOfCpuMax(std::string_view text) {
  text = FirstLine(text);
  uint64_t quota = 0;
  uint64_t period = 0;
  const char* end = text.end();
  auto first = std::from_chars(text.begin(), end, quota);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != ' ') return {};
  auto second = std::from_chars(first.ptr + 1, end, period);
  if (second.ec != std::errc() || second.ptr != end || period == 0) return {};
  return std::max<size_t>((quota + period - 1) / period, 1);
}

// Each line is "number:controllers:/path", without controllers in version 2 of control groups. In a
// container the path may be that on the host; the container's own group is then at the root.
std::vector<std::string> CpuGroups(std::string_view text, const std::string& root) {
  std::vector<std::string> groups;
  while (!text.empty()) {
    std::string_view line = FirstLine(text);
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const size_t first = line.find(':');
    const size_t second = line.find(':', first + 1);
    if (first == std::string_view::npos || second == std::string_view::npos) continue;
    const std::string controllers =
        "," + std::string(line.substr(first + 1, second - first - 1)) + ",";
    const bool version_2 = controllers == ",,";
    if (!version_2 && !controllers.contains(",cpu,")) continue;
    const std::string top = version_2 ? root : root + "/cpu";
    std::string_view path = line.substr(second + 1);
    for (size_t depth = 0; depth < kMaxDepth && path.size() > 1; ++depth) {
      groups.push_back(top + std::string(path));
      path = path.substr(0, path.rfind('/'));
    }
    groups.push_back(top);
  }
  return groups;
}

size_t AvailableCores() {
  size_t cores = AffinityCores();
  for (const std::string& group : CpuGroups(ReadSmallFile("/proc/self/cgroup"), kControlGroups)) {
    cores = std::min(cores, CoresOfGroup(group).value_or(cores));
  }
  return cores;
}

}  // namespace meridian::io
