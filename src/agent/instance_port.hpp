// A port for an instance of the application.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.hpp"

namespace meridian::agent {

// A port that nothing listens on, at any address, at this moment. Where the search begins depends
// on `seed`, so that instances that start at once do not race for one port. kUnavailable: all are
// taken.
Result<uint16_t> FindInstancePort(std::string_view seed);

}  // namespace meridian::agent
