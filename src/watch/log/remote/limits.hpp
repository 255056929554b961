// The limits of searches that cross data centers.
#pragma once

#include <cstddef>

#include "watch/log/limits.hpp"

namespace meridian::watch {

// A query as JSON: its terms and names, each byte escaped as two.
constexpr size_t kMaxQueryMessageBytes = size_t{16} * 1024;
// A page as JSON: the bytes of a page and of one entry more, each escaped as two, and what an entry
// has beside its text. A page that would pass it ends earlier.
constexpr size_t kMaxPageMessageBytes = size_t{16} * 1024 * 1024;
// Of a page that another data center sent: a problem's text.
constexpr size_t kMaxProblemBytes = 4096;
// Further from 1970 no time is accepted of a peer (the year 2255).
constexpr long long kMaxMicroseconds = 9'000'000'000'000'000;

}  // namespace meridian::watch
