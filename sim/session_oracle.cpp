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

void SessionOracle::Added(const std::string& member, size_t place, size_t copies) {
  Member& known = members_[member];
  known.place = place;
  known.copies = std::max(known.copies, copies);
}

void SessionOracle::CheckPlace(size_t place, const Contents& contents) {
  for (const auto& [member, known] : members_) {
    if (known.place != place || HasMember(contents, member)) continue;
    return world_.Fail(fmt::format("place {} has lost {}, which it acknowledged", place, member));
  }
}

void SessionOracle::CheckMembers(const std::vector<Contents>& places, bool one_is_lost) {
  for (const auto& [member, known] : members_) {
    auto holding = static_cast<size_t>(std::ranges::count_if(
        places, [&](const Contents& each) { return HasMember(each, member); }));
    // Of those that had it one may be lost.
    size_t wanted = one_is_lost ? std::min(known.copies, places.size()) : places.size();
    if (holding >= wanted) continue;
    return world_.Fail(fmt::format("{} of place {}, which {} others had, is in {} places of {}",
                                   member, known.place, known.copies, holding, places.size()));
  }
}

void SessionOracle::CheckSame(const std::vector<Contents>& places) {
  for (size_t i = 1; i < places.size(); ++i) {
    if (places[i] == places[0]) continue;
    for (const Contents* side : {&places[0], &places[i]}) {
      for (const auto& [key, text] : *side) {
        if (Of(places[0], key) == Of(places[i], key)) continue;
        return world_.Fail(fmt::format("{} is \"{}\" in place 0 and \"{}\" in place {}", key,
                                       Of(places[0], key), Of(places[i], key), i));
      }
    }
  }
}

void SessionOracle::CheckEnd(const std::vector<Contents>& places, std::optional<size_t> lost,
                             bool holds_the_same) {
  CheckMembers(places, lost.has_value());
  for (const Contents& contents : places) {
    for (const auto& [key, place] : deleted_) {
      if (!contents.contains(key) || place == lost) continue;
      return world_.Fail(fmt::format("{} was deleted and is back", key));
    }
    for (const auto& [key, text] : contents) {
      if (key.starts_with("brief:")) return world_.Fail(key + " outlives its end");
    }
  }
  if (!lost || holds_the_same) CheckSame(places);
  if (lost) return;
  std::string_view text = Of(places[0], "count");
  int64_t count = 0;
  std::from_chars(text.data(), text.data() + text.size(), count);
  if (count < counted_ || count > tried_) {
    world_.Fail(
        fmt::format("count is {}, of {} acknowledged and {} tried", count, counted_, tried_));
  }
}

}  // namespace meridian::sim
