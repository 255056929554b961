// The script at /.meridian/fallback.js: a service worker that fetches a page's images, styles and
// scripts from another place of the site when this place cannot be reached or answers 502, 503 or
// 504. Pure.
#pragma once

#include <string>

#include "site/site.hpp"

namespace meridian::edge {

// The script for pages from the edge of `here`; it tries the other places by distance.
std::string FallbackScript(const site::Site& site, const site::DataCenter& here);

}  // namespace meridian::edge
