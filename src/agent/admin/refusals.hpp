// Decides which refusals at the admin port are logged. A refused peer tries again each second, but
// is logged once, until it is admitted or refused for another reason. Pure.
//
// Owned by the admin server; one thread. Bounded: past kMaxSources it forgets sources, which are
// then logged again.
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

  // True if this refusal should be logged.
  bool OnRefused(const IpAddress& source, std::string_view why);
  void OnAdmitted(const IpAddress& source) { last_.erase(source); }

 private:
  std::map<IpAddress, std::string> last_;
};

}  // namespace meridian::agent
