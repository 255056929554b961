// The watch tier's settings: [watch] of site.toml. docs/site.toml.md says what each key is for;
// config.cpp describes and reads them.
#pragma once

#include <cstdint>

#include "site/section.hpp"

namespace meridian::watch {

struct Config {
  uint64_t log_bytes = uint64_t{4} * 1024 * 1024 * 1024;  // of the log store's files
};

site::Section ConfigSection();

}  // namespace meridian::watch
