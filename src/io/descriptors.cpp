#include "io/descriptors.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>

#include <sys/resource.h>

#include "base/log.hpp"

namespace meridian::io {
namespace {

constexpr std::string_view kAdvice = "raise the hard limit (ulimit -Hn, LimitNOFILE= of systemd)";

std::optional<rlimit>& Former() {
  static std::optional<rlimit> former;
  return former;
}

}  // namespace

void RaiseDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= limit.rlim_max) return;
  rlimit raised{.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
  if (setrlimit(RLIMIT_NOFILE, &raised) == 0) Former() = limit;
}

std::optional<rlimit> FormerDescriptorLimit() { return Former(); }

size_t LoopsWithin(size_t limit, size_t wanted) {
  const size_t left = limit > kReservedDescriptors ? limit - kReservedDescriptors : 0;
  return std::clamp<size_t>(left / 2 / kReservedPerLoop, 1, wanted);
}

size_t FittingLoops(std::string_view tier, size_t wanted) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return wanted;
  const size_t fitting = LoopsWithin(limit.rlim_cur, wanted);
  if (fitting < wanted) {
    LOG_WARNING("number of threads lowered: the descriptor limit is too low", {"tier", tier},
                {"threads", fitting}, {"usual", wanted}, {"descriptors", limit.rlim_cur},
                {"advice", kAdvice});
  }
  return fitting;
}

size_t FilesWithin(size_t limit, size_t wanted) { return std::clamp<size_t>(limit / 4, 1, wanted); }

size_t FittingFiles(std::string_view tier, size_t wanted) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return wanted;
  const size_t fitting = FilesWithin(limit.rlim_cur, wanted);
  if (fitting < wanted) {
    LOG_WARNING("number of open files lowered: the descriptor limit is too low", {"tier", tier},
                {"files", fitting}, {"usual", wanted}, {"descriptors", limit.rlim_cur},
                {"advice", kAdvice});
  }
  return fitting;
}

size_t ConnectionsWithin(size_t limit, size_t wanted, size_t each, size_t loops, size_t files) {
  const size_t reserved = kReservedDescriptors + (loops - 1) * kReservedPerLoop + files;
  const size_t left = limit > reserved ? limit - reserved : 0;
  return std::clamp<size_t>(left / each, 1, wanted);
}

size_t FittingConnections(std::string_view port, size_t wanted, size_t each, size_t loops,
                          size_t files) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return wanted;
  size_t fitting = ConnectionsWithin(limit.rlim_cur, wanted, each, loops, files);
  if (fitting < wanted) {
    LOG_WARNING("connection limit lowered: the descriptor limit is too low", {"port", port},
                {"connections", fitting}, {"usual", wanted}, {"descriptors", limit.rlim_cur},
                {"advice", kAdvice});
  }
  return fitting;
}

}  // namespace meridian::io
