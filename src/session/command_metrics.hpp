// CommandMetrics: how long clients wait for their commands, by the commands' family. The commands
// that one read brings are answered together and counted as one wait: from the read to when all
// replies were handed to the kernel, and so with the sync of what they changed. Owned by the
// Session; one thread: the loop's.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "base/clock.hpp"
#include "base/metrics.hpp"

namespace meridian::session {

class CommandMetrics {
 public:
  explicit CommandMetrics(Metrics& metrics);

  // `name`: of the last of the `commands`, where the command table has it.
  void Add(std::string_view name, size_t commands, Duration took);

 private:
  struct Known {
    const char* name = nullptr;
    DurationHistogram* durations = nullptr;
  };
  static constexpr size_t kFamilies = 9;
  DurationHistogram& Find(std::string_view name);

  std::array<DurationHistogram*, kFamilies> families_;
  // Commands that were asked for lately, by where their name stands in the table.
  std::array<Known, 64> known_;
};

}  // namespace meridian::session
