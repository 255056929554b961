// The part of COMMAND INFO that the command table does not have: ACL categories, and key
// specifications (redis.io, "Command key specifications"), by which clients of a cluster and
// proxies find keys. Pure.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "session/engine/command.hpp"

namespace meridian::session {

struct KeySpecification {
  // Where the keys are: from argument `first` on, or, with `counted`, behind the count at `first`.
  int first = 1;
  bool counted = false;
  int last = 0;  // without `counted`: relative to the first; -1: the last argument
  int step = 1;
  // What happens to them, in words with blanks between: "RW access update".
  std::string_view flags;
  std::string_view notes = {};
};

// One for each group of keys that the command treats alike.
std::vector<KeySpecification> KeySpecificationsOf(const CommandSpec& spec);
// As "@read", in Redis' order.
std::vector<std::string_view> AclCategoriesOf(const CommandSpec& spec);

}  // namespace meridian::session
