// Host names as the site may use them (RFC 1123 section 2.1, RFC 1035 section 2.3.4), lower case
// only, so that two spellings of one name cannot meet.
#pragma once

#include <string_view>

#include "base/result.hpp"

namespace meridian::site {

// One label: 1 to 63 of a-z, 0-9 and '-', not at its ends. The error says what it is instead.
Result<> CheckLabel(std::string_view text);

// Two or more labels and no dot at the end, at most kMaxDomainBytes in all.
Result<> CheckDomain(std::string_view text);

}  // namespace meridian::site
