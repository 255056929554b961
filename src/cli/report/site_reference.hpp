// docs/site.toml.md: the reference of site.toml as a page of Markdown. Pure.
#pragma once

#include <string>

#include "site/load/reference.hpp"

namespace meridian::cli {

std::string SiteReferencePage(const site::Reference& reference);

}  // namespace meridian::cli
