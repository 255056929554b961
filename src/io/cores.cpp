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

#include <sched.h>

namespace meridian::io {
namespace {

// In a container, the files of its own control group are at these paths.
constexpr const char* kCpuMax = "/sys/fs/cgroup/cpu.max";
constexpr const char* kQuota = "/sys/fs/cgroup/cpu/cpu.cfs_quota_us";
constexpr const char* kPeriod = "/sys/fs/cgroup/cpu/cpu.cfs_period_us";

// Empty if the file cannot be read.
std::string ReadSmallFile(const char* path) {
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

size_t AvailableCores() {
  size_t cores = AffinityCores();
  std::optional<size_t> allowed = CoresOfCpuMax(ReadSmallFile(kCpuMax));
  if (!allowed) {  // version 1 of control groups has two files; a quota of -1 is no limit
    std::string quota = ReadSmallFile(kQuota);
    std::string period = ReadSmallFile(kPeriod);
    allowed = CoresOfCpuMax(std::string(FirstLine(quota)) + ' ' + std::string(FirstLine(period)));
  }
  return std::min(cores, allowed.value_or(cores));
}

}  // namespace meridian::io
