// The number of threads of a tier. Pure.
#pragma once

#include <cstddef>
#include <string_view>

#include "site/reach.hpp"
#include "site/site.hpp"

namespace meridian::site {

// At least 1: `threads` of the tier's table, else [agent] cores, else `available`, the cores of
// this machine (io::AvailableCores). The data centers of a lab divide the machine's cores.
size_t ThreadsOf(const Site& site, std::string_view tier, Hosting hosting, size_t available);

}  // namespace meridian::site
