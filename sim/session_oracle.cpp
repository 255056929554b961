#include "sim/session_oracle.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>

namespace meridian::sim {
namespace {

std::string_view Of(const Contents& contents, std::string_view key) {
  auto found = contents.find(key);
  return found == contents.end() ? std::string_view() : found->second;
}

bool HasMember(const Contents& contents, const std::string& member) {
  return Of(contents, "log").find(" " + member + " ") != std::string_view::npos;
}

}  // namespace

void SessionOracle::Added(const std::string& member, size_t replica, size_t acknowledgements) {
  Member& stability_horizon = members_[member];
  stability_horizon.replica = replica;
  stability_horizon.acknowledgements =
      std::max(stability_horizon.acknowledgements, acknowledgements);
}

void SessionOracle::CheckReplica(size_t replica, const Contents& contents) {
  for (const auto& [member, stability_horizon] : members_) {
    if (stability_horizon.replica != replica || HasMember(contents, member)) continue;
    return world_.Fail(
        fmt::format("replica {} has lost {}, which it acknowledged", replica, member));
  }
}

void SessionOracle::CheckMembers(const std::vector<Contents>& replicas, bool one_is_lost) {
  for (const auto& [member, stability_horizon] : members_) {
    auto holding = static_cast<size_t>(std::ranges::count_if(
        replicas, [&](const Contents& each) { return HasMember(each, member); }));
    // One of the data centers that had it may be lost.
    size_t wanted = one_is_lost ? std::min(stability_horizon.acknowledgements, replicas.size())
                                : replicas.size();
    if (holding >= wanted) continue;
    return world_.Fail(fmt::format("{} of replica {}, which {} others had, is in {} replicas of {}",
                                   member, stability_horizon.replica,
                                   stability_horizon.acknowledgements, holding, replicas.size()));
  }
}

void SessionOracle::CheckSame(const std::vector<Contents>& replicas) {
  for (size_t i = 1; i < replicas.size(); ++i) {
    if (replicas[i] == replicas[0]) continue;
    for (const Contents* side : {&replicas[0], &replicas[i]}) {
      for (const auto& [key, text] : *side) {
        if (Of(replicas[0], key) == Of(replicas[i], key)) continue;
        return world_.Fail(fmt::format("{} is \"{}\" in replica 0 and \"{}\" in replica {}", key,
                                       Of(replicas[0], key), Of(replicas[i], key), i));
      }
    }
  }
}

void SessionOracle::CheckEnd(const std::vector<Contents>& replicas, std::optional<size_t> lost,
                             bool holds_the_same) {
  CheckMembers(replicas, lost.has_value());
  for (const Contents& contents : replicas) {
    for (const auto& [key, replica] : deleted_) {
      if (!contents.contains(key) || replica == lost) continue;
      return world_.Fail(fmt::format("{} was deleted and is back", key));
    }
    for (const auto& [key, text] : contents) {
      if (key.starts_with("brief:")) return world_.Fail(key + " outlives its expiry");
    }
  }
  if (!lost || holds_the_same) CheckSame(replicas);
  if (lost) return;
  std::string_view text = Of(replicas[0], "count");
  int64_t count = 0;
  std::from_chars(text.data(), text.data() + text.size(), count);
  if (count < counted_ || count > tried_) {
    world_.Fail(
        fmt::format("count is {}, of {} acknowledged and {} tried", count, counted_, tried_));
  }
}

}  // namespace meridian::sim
