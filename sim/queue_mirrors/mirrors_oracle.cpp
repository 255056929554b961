#include "sim/queue_mirrors/mirrors_oracle.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include <fmt/core.h>

namespace meridian::sim {

void MirrorsOracle::Acknowledged(const std::string& topic, int64_t offset, const std::string& value,
                                 bool certain) {
  Known& known = topics_[topic];
  if (!certain) {
    known.uncertain = true;
    return;
  }
  auto [place, added] = known.certain.try_emplace(offset, value);
  if (!added && place->second != value) {
    world_.Fail(fmt::format("{} was acknowledged at offset {} of {}, where {} is", value, offset,
                            topic, place->second));
  }
}

bool MirrorsOracle::has_lost_any(const std::string& topic) const {
  auto found = topics_.find(topic);
  return found != topics_.end() && found->second.uncertain;
}

void MirrorsOracle::CheckContent(const std::string& topic,
                                 const std::map<int64_t, std::string>& content) {
  const Known& known = topics_[topic];
  for (const auto& [offset, value] : known.certain) {
    auto found = content.find(offset);
    if (found == content.end()) {
      world_.Fail(
          fmt::format("{} was acknowledged at offset {} of {}, and is gone", value, offset, topic));
    } else if (found->second != value) {
      world_.Fail(fmt::format("offset {} of {} has {} in place of {}", offset, topic, found->second,
                              value));
    }
  }
  std::set<std::string> seen;
  int64_t next = 0;
  for (const auto& [offset, value] : content) {
    if (offset != next) world_.Fail(fmt::format("{} lacks offset {}", topic, next));
    next = offset + 1;
    if (!seen.insert(value).second && !known.may_repeat) {
      world_.Fail(
          fmt::format("{} is twice in {}, the second time at offset {}", value, topic, offset));
    }
  }
}

}  // namespace meridian::sim
