// The choice of a group's assignment strategy. Pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "queue/groups/group_types.hpp"

namespace meridian::queue {

// The protocols of one member, in the order of its preference.
using ProtocolList = std::span<const GroupProtocol>;

// The protocol that all members support and most prefer: each member votes for the first of its
// list that all support; the name that sorts first wins a tie. Nothing when all support none.
std::optional<std::string> ChooseProtocol(std::span<const ProtocolList> members);

// Whether `candidate` supports at least one protocol that all `members` support.
bool SharesProtocol(ProtocolList candidate, std::span<const ProtocolList> members);

// Null: the list does not have it.
const GroupProtocol* FindProtocol(ProtocolList list, std::string_view name);

}  // namespace meridian::queue
