#include "queue/groups/protocol_choice.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "queue/groups/group_types.hpp"

namespace meridian::queue {
namespace {

bool AllSupport(std::span<const ProtocolList> members, std::string_view name) {
  return std::ranges::all_of(
      members, [&](ProtocolList list) { return FindProtocol(list, name) != nullptr; });
}

}  // namespace

const GroupProtocol* FindProtocol(ProtocolList list, std::string_view name) {
  auto found = std::ranges::find(list, name, &GroupProtocol::name);
  return found == list.end() ? nullptr : &*found;
}

std::optional<std::string> ChooseProtocol(std::span<const ProtocolList> members) {
  std::map<std::string_view, size_t> votes;
  for (ProtocolList list : members) {
    auto preferred = std::ranges::find_if(
        list, [&](const GroupProtocol& each) { return AllSupport(members, each.name); });
    if (preferred != list.end()) ++votes[preferred->name];
  }
  // max_element returns the first of equals, and the map is sorted by name.
  auto most = std::ranges::max_element(votes, {}, [](const auto& vote) { return vote.second; });
  if (most == votes.end()) return std::nullopt;
  return std::string(most->first);
}

bool SharesProtocol(ProtocolList candidate, std::span<const ProtocolList> members) {
  return std::ranges::any_of(
      candidate, [&](const GroupProtocol& each) { return AllSupport(members, each.name); });
}

}  // namespace meridian::queue
