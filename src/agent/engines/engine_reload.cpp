#include "agent/engines/engine_reload.hpp"

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "wire/prom/text_reader.hpp"

namespace meridian::agent {

ReloadState ReadReload(std::string_view engine, std::string_view metrics, double since) {
  const Result<std::vector<wire::prom::Sample>> samples = wire::prom::ReadText(metrics);
  if (!samples) return ReloadState::kPending;
  const std::string metric = std::string(engine) + "_config_last_reload";
  bool refused = false;
  bool succeeded = false;
  double success = 0;
  for (const wire::prom::Sample& sample : *samples) {
    if (sample.name == metric + "_successful") {
      succeeded = sample.value == 1;
      refused = sample.value == 0;
    } else if (sample.name == metric + "_success_timestamp_seconds") {
      success = sample.value;
    }
  }
  if (refused) return ReloadState::kRefused;
  if (!succeeded) return ReloadState::kPending;
  return success >= since ? ReloadState::kDone : ReloadState::kBefore;
}

}  // namespace meridian::agent
