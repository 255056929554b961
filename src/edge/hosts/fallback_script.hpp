// The script at /.meridian/fallback.js: a service worker that pages may include, and which fetches
// their images, styles and scripts from another place of the site when this one cannot be reached
// or answers 502, 503 or 504. Pure.
#pragma once

#include <string>

#include "site/site.hpp"

namespace meridian::edge {

// For pages that are served by the edge of `here`: the other places by distance.
std::string FallbackScript(const site::Site& site, const site::DataCenter& here);

}  // namespace meridian::edge
