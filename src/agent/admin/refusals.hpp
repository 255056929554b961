// Which refusals at the admin port are worth a line in the log: a peer that is refused tries again
// each second, and is told of once, until it is let in or refused for another reason. Pure.
//
// Owned by the admin server; one thread. Bounded: of many sources at once the older are forgotten,
// and told of again.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "base/ip.hpp"

namespace meridian::agent {

class Refusals {
 public:
  static constexpr size_t kMaxSources = 256;

  // True when this is news.
  bool OnRefused(const IpAddress& source, std::string_view why);
  void OnAdmitted(const IpAddress& source) { last_.erase(source); }

 private:
  std::map<IpAddress, std::string> last_;
};

}  // namespace meridian::agent
