#include "queue/groups/protocol_choice.hpp"

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "queue/groups/group_types.hpp"

namespace meridian::queue {
namespace {

// The number of members that support each protocol.
std::map<std::string_view, size_t> CountSupport(std::span<const ProtocolList> members) {
  std::map<std::string_view, size_t> counts;
  for (ProtocolList list : members) {
    std::set<std::string_view> names;
    for (const GroupProtocol& each : list) names.insert(each.name);
    for (std::string_view name : names) ++counts[name];
  }
  return counts;
}

// The first protocol of the list that all members support, or the end of the list.
ProtocolList::iterator FirstShared(ProtocolList list,
                                   const std::map<std::string_view, size_t>& support,
                                   size_t members) {
  return std::ranges::find_if(list, [&](const GroupProtocol& each) {
    auto found = support.find(each.name);
    return found != support.end() && found->second == members;
  });
}

}  // namespace

const GroupProtocol* FindProtocol(ProtocolList list, std::string_view name) {
  auto found = std::ranges::find(list, name, &GroupProtocol::name);
  return found == list.end() ? nullptr : &*found;
}

std::optional<std::string> ChooseProtocol(std::span<const ProtocolList> members) {
  const std::map<std::string_view, size_t> support = CountSupport(members);
  std::map<std::string_view, size_t> votes;
  for (ProtocolList list : members) {
    auto preferred = FirstShared(list, support, members.size());
    if (preferred != list.end()) ++votes[preferred->name];
  }
  // max_element returns the first of equals, and the map is sorted by name.
  auto most = std::ranges::max_element(votes, {}, [](const auto& vote) { return vote.second; });
  if (most == votes.end()) return std::nullopt;
  return std::string(most->first);
}

bool SharesProtocol(ProtocolList candidate, std::span<const ProtocolList> members) {
  return FirstShared(candidate, CountSupport(members), members.size()) != candidate.end();
}

}  // namespace meridian::queue
