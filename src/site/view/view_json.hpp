// SiteView inside a larger JSON message. For the codecs of site/ only.
#pragma once

#include <string_view>

#include "site/view/json_reader.hpp"
#include "site/view/view.hpp"

namespace meridian::site {

SiteView ReadView(JsonReader& reader);
// kUnknown when `key` is missing, or has a value of another release of Meridian.
InstanceUse ReadInstanceUse(JsonReader& reader, std::string_view key);

}  // namespace meridian::site
