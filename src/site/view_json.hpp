// SiteView inside a larger JSON message. For the codecs of site/ only.
#pragma once

#include "site/json_reader.hpp"
#include "site/view.hpp"

namespace meridian::site {

SiteView ReadView(JsonReader& reader);

}  // namespace meridian::site
