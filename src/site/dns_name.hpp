// Host names of the site (RFC 1123 section 2.1, RFC 1035 section 2.3.4). Only lower case is valid,
// so that each name has a single spelling.
#pragma once

#include <string_view>

#include "base/result.hpp"

namespace meridian::site {

// Checks a label: 1 to 63 of a-z, 0-9 and '-', without '-' at its ends. The error names the
// violated rule.
Result<> CheckLabel(std::string_view text);

// Two or more labels and no dot at the end, at most kMaxDomainBytes in all.
Result<> CheckDomain(std::string_view text);

}  // namespace meridian::site
